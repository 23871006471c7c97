import { randomUUID } from 'node:crypto';
import { Index } from '@upstash/vector';
import { breaker } from '../breaker.js';
import { type Embeddings, EmbeddingsUnavailable, embeddingBatch, toUnit, usualFloor } from './embeddings.js';

/** The model that an index at Upstash was made with. */
export interface UpstashModel {
  readonly url: string;
  readonly token: string;
  readonly model: string;
  readonly dimensions: number;
  /** `Asked.floor` of the model; 0.2 when left out. */
  readonly floor?: number | undefined;
}

const callMs = 10_000;
/** Where texts are while their vectors are fetched. */
const scratch = 'canopy-embed';

/** The index's own model. The store embeds what it is given; whoever needs the numbers themselves has them made in a namespace of their own, and fetched. */
export function upstashEmbeddings({ url, token, model, dimensions, floor = usualFloor }: UpstashModel): Embeddings {
  const index = new Index({
    url,
    token,
    signal: () => AbortSignal.timeout(callMs),
    retry: { retries: 2 },
    cache: false,
    enableTelemetry: false,
  });
  const guard = breaker((cause) => new EmbeddingsUnavailable('The embeddings service is unavailable.', { cause }));

  async function make(texts: readonly string[]): Promise<Float32Array[]> {
    const space = index.namespace(scratch);
    const entries = texts.map((data) => ({ id: randomUUID(), data }));
    const ids = entries.map(({ id }) => id);
    await space.upsert(entries);
    const found = await space.fetch(ids, { includeVectors: true });
    await space.delete(ids);
    return found.map((one) => {
      if (!one?.vector) throw new Error('The index has not made a vector yet.');
      return toUnit(Float32Array.from(one.vector));
    });
  }

  return {
    model: `upstash:${model}`,
    dimensions,
    inStore: true,
    async embed(texts, signal) {
      const vectors: Float32Array[] = [];
      for (let at = 0; at < texts.length; at += embeddingBatch) {
        signal?.throwIfAborted();
        vectors.push(...(await guard.call(() => make(texts.slice(at, at + embeddingBatch)))));
      }
      return vectors;
    },
    ask: async (question) => ({ vector: question, floor }),
    close: async () => {},
  };
}
