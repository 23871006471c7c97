import { Index } from '@upstash/vector';
import { breaker } from '../breaker.js';
import {
  type VectorEntry,
  type VectorMatch,
  type VectorQuestion,
  type Vectors,
  VectorsUnavailable,
  vectorBatch,
} from './vectors.js';

/** An index at Upstash. */
export interface UpstashVectors {
  readonly url: string;
  readonly token: string;
}

type Metadata = { resourceType: string; resourceId: string; chunk: number; model: string };

const readMs = 1_000;
const writeMs = 10_000;

/** The client of the index, whose calls end after so long; `signal` is a function because an aborted call may otherwise answer as if it had worked. */
export const upstashIndex = ({ url, token }: UpstashVectors, ms: number, retries: number) =>
  new Index<Metadata>({
    url,
    token,
    signal: () => AbortSignal.timeout(ms),
    retry: { retries, backoff: (attempt) => 100 * 2 ** attempt },
    cache: false,
    enableTelemetry: false,
  });

/** Vectors at Upstash, one namespace of the index for each of ours. */
export function upstashVectors(settings: UpstashVectors): Vectors {
  const reading = upstashIndex(settings, readMs, 0);
  // What fails is tried again by the job that it fails.
  const writing = upstashIndex(settings, writeMs, 0);
  const guard = breaker((cause) => new VectorsUnavailable('The vectors service is unavailable.', { cause }));

  async function put(namespace: string, entries: readonly VectorEntry[]): Promise<void> {
    const texts: { id: string; data: string; metadata: Metadata }[] = [];
    const vectors: { id: string; vector: number[]; metadata: Metadata }[] = [];
    for (const { vector, ...metadata } of entries) {
      const id = `${metadata.resourceId}#${metadata.chunk}`;
      if (typeof vector === 'string') texts.push({ id, data: vector, metadata });
      else vectors.push({ id, vector: [...vector], metadata });
    }
    const space = writing.namespace(namespace);
    if (texts.length > 0) await guard.call(() => space.upsert(texts));
    if (vectors.length > 0) await guard.call(() => space.upsert(vectors));
  }

  return {
    async upsert(namespace, entries) {
      for (let at = 0; at < entries.length; at += vectorBatch)
        await put(namespace, entries.slice(at, at + vectorBatch));
    },
    async query(namespace, vector, question) {
      const shared = { topK: question.topK, includeMetadata: true, filter: filterOf(question) };
      const asked = typeof vector === 'string' ? { data: vector, ...shared } : { vector: [...vector], ...shared };
      const found = await guard.call(() => reading.namespace(namespace).query(asked));
      return found.flatMap(({ score, metadata }): VectorMatch[] =>
        // Their score is the cosine moved from -1…1 to 0…1.
        metadata
          ? [
              {
                resourceType: metadata.resourceType,
                resourceId: metadata.resourceId,
                chunk: metadata.chunk,
                score: 2 * score - 1,
              },
            ]
          : [],
      );
    },
    async remove(namespace, resourceIds, from = 0) {
      const space = writing.namespace(namespace);
      for (const id of resourceIds)
        await guard.call(() =>
          from === 0
            ? space.delete({ prefix: `${id}#` })
            : space.delete({ filter: `resourceId = ${quoted(id)} AND chunk >= ${from}` }),
        );
    },
    async removeNamespace(namespace) {
      await guard.call(async () => {
        const known = await writing.listNamespaces();
        if (known.includes(namespace)) await writing.deleteNamespace(namespace);
      });
    },
    async count(namespace) {
      const { namespaces } = await guard.call(() => reading.info());
      return namespaces[namespace]?.vectorCount ?? 0;
    },
  };
}

const quoted = (text: string) => `'${text.replace(/[\\']/g, '\\$&')}'`;

function filterOf({ model, types }: VectorQuestion): string {
  const ofModel = `model = ${quoted(model)}`;
  return types ? `${ofModel} AND resourceType IN (${types.map(quoted).join(', ')})` : ofModel;
}
