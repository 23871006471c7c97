import { LRUCache } from 'lru-cache';
import type { Database } from '../database/database.js';
import { type VectorEntry, type Vectors, vectorBatch } from './vectors.js';
import { bytesOf, Nearest, type VectorRow, WarmNamespace } from './warm-namespace.js';

const pageSize = 1_000;
const mebibyte = 1024 * 1024;

/** How much may be kept in memory, of all namespaces and of one; a larger one is read through at each query, which is slow and exact. */
export interface WarmBounds {
  readonly allBytes: number;
  readonly oneBytes: number;
}

/**
 * Vectors in the table Vector, compared exactly in this process. Each namespace has a revision that every change raises while it holds the namespace's row, so
 * that one small read tells whether what is kept in memory is still all there is, and what is new is what has a later revision.
 */
export function postgresVectors(
  database: Database,
  bounds: WarmBounds = { allBytes: 256 * mebibyte, oneBytes: 128 * mebibyte },
): Vectors {
  const warm = new LRUCache<string, WarmNamespace>({
    maxSize: bounds.allBytes,
    sizeCalculation: ({ bytes }) => bytes + 1,
  });
  const refreshing = new Map<string, Promise<unknown>>();

  /** The namespace as it is now, or null when it is too large to keep. One after the other: what was written before a query began is found by it. */
  async function current(namespace: string): Promise<WarmNamespace | null> {
    const before = refreshing.get(namespace);
    const mine = Promise.resolve(before?.catch(() => null)).then(() => refresh(namespace));
    refreshing.set(namespace, mine);
    return mine.finally(() => {
      if (refreshing.get(namespace) === mine) refreshing.delete(namespace);
    });
  }

  async function refresh(namespace: string): Promise<WarmNamespace | null> {
    const known = warm.get(namespace) ?? new WarmNamespace();
    const [now] = await database.query<{ revision: string; removals: string }>(revisionSql, [namespace]);
    if (!now) {
      warm.delete(namespace);
      return new WarmNamespace();
    }
    if (now.revision === known.revision && now.removals === known.removals) return known;
    if (now.removals !== known.removals) known.keep(await database.query(keysSql, [namespace]));
    for await (const rows of pagesSince(namespace, known.revision)) {
      for (const row of rows) known.put(row);
      if (known.bytes > bounds.oneBytes) {
        warm.delete(namespace);
        return null;
      }
    }
    Object.assign(known, now);
    warm.set(namespace, known);
    return known;
  }

  /** Rows with a later revision, by revision; those of one revision came together. */
  async function* pagesSince(namespace: string, revision: string): AsyncGenerator<readonly VectorRow[]> {
    let from: readonly unknown[] = [revision, '\u{10FFFF}', 0];
    for (;;) {
      const rows = await database.query<VectorRow>(sinceSql, [namespace, ...from, pageSize]);
      if (rows.length > 0) yield rows;
      const last = rows.at(-1);
      if (!last || rows.length < pageSize) return;
      from = [last.revision, last.resourceId, last.chunk];
    }
  }

  async function put(namespace: string, entries: readonly VectorEntry[]): Promise<void> {
    await database.query(upsertSql, [
      namespace,
      entries.map(({ resourceType }) => resourceType),
      entries.map(({ resourceId }) => resourceId),
      entries.map(({ chunk }) => chunk),
      entries.map(({ model }) => model),
      entries.map(({ vector }) => bytesOf(numbers(vector))),
    ]);
  }

  return {
    async upsert(namespace, entries) {
      for (let at = 0; at < entries.length; at += vectorBatch)
        await put(namespace, entries.slice(at, at + vectorBatch));
    },
    async query(namespace, vector, question) {
      const asked = numbers(vector);
      const known = await current(namespace);
      if (known) return (await known.nearest(asked, question)).sorted();
      const best = new Nearest(question.topK);
      for await (const rows of pagesSince(namespace, '0')) {
        const some = new WarmNamespace();
        for (const row of rows) some.put(row);
        await some.nearest(asked, question, best);
      }
      return best.sorted();
    },
    async remove(namespace, resourceIds, from = 0) {
      await database.query(removeSql, [namespace, resourceIds, from]);
    },
    async removeNamespace(namespace) {
      await database.query(removeAllSql, [namespace]);
    },
    async count(namespace) {
      const [row] = await database.query<{ n: number }>(
        'select count(*)::int as n from "Vector" where namespace = $1',
        [namespace],
      );
      return row?.n ?? 0;
    },
  };
}

function numbers(vector: Float32Array | string): Float32Array {
  if (typeof vector === 'string') throw new Error('Postgres makes no vectors of text.');
  return vector;
}

const revisionSql = `select revision::text, removals::text from "VectorNamespace" where namespace = $1`;

const keysSql = `select "resourceId", chunk from "Vector" where namespace = $1`;

const sinceSql = `select "resourceType", "resourceId", chunk, model, revision::text, numbers from "Vector"
  where namespace = $1 and (revision, "resourceId", chunk) > ($2::bigint, $3, $4::int) order by revision, "resourceId", chunk limit $5`;

// A namespace that is made anew goes on from the clock: whoever knew it before sees that it is another one.
const upsertSql = `with started as (select (extract(epoch from clock_timestamp()) * 1e6)::bigint as at), next as (
    insert into "VectorNamespace" as n (namespace, revision, removals) select $1, at, at from started
    on conflict (namespace) do update set revision = n.revision + 1 returning revision)
  insert into "Vector" (namespace, "resourceType", "resourceId", chunk, model, numbers, revision)
  select $1, e.*, next.revision from next, unnest($2::text[], $3::text[], $4::int[], $5::text[], $6::bytea[]) e
  on conflict (namespace, "resourceId", chunk) do update
    set "resourceType" = excluded."resourceType", model = excluded.model, numbers = excluded.numbers, revision = excluded.revision`;

const raised = `update "VectorNamespace" set revision = revision + 1, removals = removals + 1 where namespace = $1`;

// The namespace's row first, as upserts take it: removing and writing at once wait for each other instead of dying of each other.
const removeSql = `with held as (${raised} returning namespace)
  delete from "Vector" v using held where v.namespace = held.namespace and v."resourceId" = any($2::text[]) and v.chunk >= $3`;

const removeAllSql = `with held as (delete from "VectorNamespace" where namespace = $1 returning namespace) delete from "Vector" v using held where v.namespace = held.namespace`;
