/** One piece of a resource's text as a vector of unit length. A store that embeds by itself (`Embeddings.inStore`) takes the text instead. */
export interface VectorEntry {
  readonly resourceType: string;
  readonly resourceId: string;
  /** The piece's number, from 0. */
  readonly chunk: number;
  readonly vector: Float32Array | string;
  /** What made the vector: vectors of different models are never compared. */
  readonly model: string;
}

/** A piece that was found, and the cosine of the angle between it and what was asked for: 1 is the same direction. */
export interface VectorMatch {
  readonly resourceType: string;
  readonly resourceId: string;
  readonly chunk: number;
  readonly score: number;
}

/** Which pieces a query may find, and how many. */
export interface VectorQuestion {
  /** 1–1,000. */
  readonly topK: number;
  /** Only resources of these types; left out: of every type. */
  readonly types?: readonly string[];
  readonly model: string;
}

/**
 * Vectors by namespace; ours are ids of spaces, and nothing of one is ever found in another. What has been written is found soon, by the embedded
 * store at once. Writing and removing the same again changes nothing. Rejects with VectorsUnavailable while the service cannot be had: reading
 * within a second, writing within ten.
 */
export interface Vectors {
  /** Any number of entries, sent 100 at a time; an entry of the same resource and chunk is replaced. */
  upsert(namespace: string, entries: readonly VectorEntry[]): Promise<void>;
  /** The pieces nearest to the vector, the nearest first. */
  query(namespace: string, vector: Float32Array | string, question: VectorQuestion): Promise<VectorMatch[]>;
  /** Removes what there is of these resources, or of them from the chunk `from` on. */
  remove(namespace: string, resourceIds: readonly string[], from?: number): Promise<void>;
  removeNamespace(namespace: string): Promise<void>;
  /** How many vectors there are. */
  count(namespace: string): Promise<number>;
}

export const vectorBatch = 100;

/** The service of the vectors, or of the embeddings, does not answer, or not soon enough. */
export class VectorsUnavailable extends Error {
  override readonly name = 'VectorsUnavailable';
}
