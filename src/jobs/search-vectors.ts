import type { App } from '../core/context.js';
import { type Chunk, chunksOf } from '../domains/search/chunks.js';
import type { Searched } from './search-text.js';

interface Known {
  readonly chunk: number;
  readonly model: string;
  readonly contentHash: string;
}

/** Brings the vectors of a text up to date, of which there are none where it has no meaning: of its pieces those that are new or were made by another model are made, those it has no more go. */
export async function writeVectors(app: App, searched: Searched, signal: AbortSignal): Promise<void> {
  const { database, embeddings, vectors } = app;
  const { id, spaceId, type, title, body, hasMeaning } = searched;
  const chunks = hasMeaning ? chunksOf(title, body) : [];
  const known = await database.query<Known>(
    'select chunk, model, "contentHash" from "Embedding" where "resourceId" = $1',
    [id],
  );
  const same = new Set(
    known.filter(({ model }) => model === embeddings.model).map(({ chunk, contentHash }) => `${chunk} ${contentHash}`),
  );
  const changed = chunks
    .map((chunk, at) => ({ ...chunk, at }))
    .filter((chunk) => !same.has(`${chunk.at} ${chunk.hash}`));
  if (changed.length > 0) {
    const texts = changed.map(({ text }) => text);
    const made = embeddings.inStore ? texts : await embeddings.embed(texts, signal);
    await vectors.upsert(
      spaceId,
      changed.map(({ at }, index) => ({
        resourceType: type,
        resourceId: id,
        chunk: at,
        vector: made[index] ?? '',
        model: embeddings.model,
      })),
    );
  }
  if (known.some(({ chunk }) => chunk >= chunks.length)) await vectors.remove(spaceId, [id], chunks.length);
  await noteDown(app, searched, chunks);
}

/** Says which vectors there are: only after they are. */
async function noteDown(
  { database, embeddings }: App,
  { id, hash, version }: Searched,
  chunks: readonly Chunk[],
): Promise<void> {
  await database.query(noteSql, [
    id,
    chunks.map((_, at) => at),
    embeddings.model,
    chunks.map((chunk) => chunk.hash),
    chunks.map(({ start }) => start),
    chunks.map(({ length }) => length),
    hash,
    version,
  ]);
}

const noteSql = `with text as (
    update "SearchText" set model = $3, version = $8 where "resourceId" = $1 and "contentHash" = $7 returning "resourceId" as id
  ), gone as (
    delete from "Embedding" e using text where e."resourceId" = text.id and e.chunk >= cardinality($2::int[])
  )
  insert into "Embedding" ("resourceId", chunk, model, "contentHash", start, length)
  select text.id, c.chunk, $3, c.hash, c.start, c.length from text, unnest($2::int[], $4::text[], $5::int[], $6::int[]) c(chunk, hash, start, length)
  on conflict ("resourceId", chunk) do update set model = excluded.model, "contentHash" = excluded."contentHash", start = excluded.start, length = excluded.length`;
