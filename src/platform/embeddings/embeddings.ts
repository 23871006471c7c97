/** A question as vectors are asked it. */
export interface Asked {
  /** The text itself where the vectors store makes the vectors. */
  readonly vector: Float32Array | string;
  /** The cosine below which a text has nothing to do with the question. */
  readonly floor: number;
}

/** The floor of a model that none was chosen for: most models find unrelated texts less alike. */
export const usualFloor = 0.2;

/** Turns text into vectors whose angles tell how near two texts are in meaning. */
export interface Embeddings {
  /** Names what makes the vectors; those of another model cannot be compared with ours. */
  readonly model: string;
  readonly dimensions: number;
  /** The vectors store makes the vectors by itself: hand it texts, and no vector need travel. */
  readonly inStore: boolean;
  /** One vector of unit length for each text, in their order. Any number of texts, sent 100 at a time; a single text goes before batches that wait. */
  embed(texts: readonly string[], signal?: AbortSignal): Promise<Float32Array[]>;
  /** What a question is compared by, and how much alike an answer has to be. Floors are of one model, and of no use for another. */
  ask(question: string, signal?: AbortSignal): Promise<Asked>;
  close(): Promise<void>;
}

export const embeddingBatch = 100;

/** The service that makes vectors does not answer, or refuses. */
export class EmbeddingsUnavailable extends Error {
  override readonly name = 'EmbeddingsUnavailable';
}

/** Scales a vector to unit length, in place; one without direction stays as it is. */
export function toUnit(vector: Float32Array): Float32Array {
  const length = Math.hypot(...vector);
  if (length > 0) for (let at = 0; at < vector.length; at += 1) vector[at] = (vector[at] ?? 0) / length;
  return vector;
}

/** The vector of a single text. */
export async function embedOne(
  { embed }: Pick<Embeddings, 'embed'>,
  text: string,
  signal?: AbortSignal,
): Promise<Float32Array> {
  const [vector] = await embed([text], signal);
  if (!vector) throw new Error('A text without a vector.');
  return vector;
}
