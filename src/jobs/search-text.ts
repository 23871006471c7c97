import { createHash } from 'node:crypto';
import type { App } from '../core/context.js';
import type { SourceText } from '../domains/search/source-text.js';
import { type Source, searchedSql } from '../domains/search/sources.js';
import { vocabularyOf, wordsAlone } from '../domains/search/words.js';

/** A resource as it is searched. */
export interface Searched extends SourceText {
  readonly id: string;
  readonly spaceId: string;
  readonly type: string;
  /** It is found by meaning too. */
  readonly hasMeaning: boolean;
  readonly hash: string;
  /** Of the row that it was read from. */
  readonly stamp: string;
  readonly version: number;
}

const longestTitle = 1_000;
/** A tsvector holds a mebibyte, and takes more than its text does. */
const longestBody = 400_000;

type Row = Readonly<Record<string, unknown>> & { $id: string; $space: string; $stamp: string; $version: number };

/** The resources as they are now, by id; what is gone is missing. */
export async function searchedNow(
  app: App,
  source: Source,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Searched>> {
  const { shape, columns } = source;
  const rows = await app.database.query<Row>(
    `select t.id as "$id", t."spaceId" as "$space", t.xmin::text as "$stamp", t.version as "$version", ${columns.map((column) => `t."${column}"`).join(', ')}
      from "${shape.model}" t where ${searchedSql(source, 't.id = any($1::text[])')} order by t.id`,
    [ids],
  );
  const found = new Map<string, Searched>();
  for (const row of rows) found.set(row.$id, await searchedOf(app, source, row, signal));
  return found;
}

async function searchedOf(app: App, source: Source, row: Row, signal: AbortSignal): Promise<Searched> {
  const { title, body, isUnreadable = false } = await source.text(row, app, signal);
  const cleaned = { title: plain(title).slice(0, longestTitle).toWellFormed(), body: cut(plain(body)), isUnreadable };
  return {
    id: row.$id,
    spaceId: row.$space,
    type: source.shape.model,
    ...cleaned,
    hasMeaning: source.hasMeaning?.(cleaned.body) ?? true,
    hash: createHash('sha256').update(JSON.stringify(cleaned)).digest('base64url'),
    stamp: row.$stamp,
    version: row.$version,
  };
}

/** What changes with every change of a resource's row, by id; what is gone is missing. */
export async function stampsOf(
  { database }: App,
  source: Source,
  ids: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const rows = await database.query<{ id: string; stamp: string }>(
    `select t.id, t.xmin::text as stamp from "${source.shape.model}" t where ${searchedSql(source, 't.id = any($1::text[])')}`,
    [ids],
  );
  return new Map(rows.map(({ id, stamp }) => [id, stamp]));
}

/** Control characters say nothing, and mark matches. */
const plain = (text: string) => text.replace(/(?![\n\t])\p{Cc}/gu, ' ');

/** As much as is searched, in bytes. */
function cut(text: string): string {
  const bytes = Buffer.from(text);
  return bytes.length <= longestBody
    ? text
    : bytes
        .subarray(0, longestBody)
        .toString()
        .replace(/\uFFFD+$/, '');
}

/** Lets exact searches find them. What has no meaning, and no vectors from a time when it had one, is done with that. */
export async function writeTexts({ database, embeddings }: App, searched: readonly Searched[]): Promise<void> {
  const words = new Set(
    searched.flatMap(({ spaceId, title, body }) =>
      vocabularyOf(`${title} ${body}`).map((word) => `${spaceId} ${word}`),
    ),
  );
  // In one order, so that two who write the same words wait for each other instead of dying of each other.
  const spaceWords = [...words].sort().map((one) => one.split(' '));
  await database.query(writeSql, [
    searched.map(({ id }) => id),
    searched.map(({ type }) => type),
    searched.map(({ spaceId }) => spaceId),
    searched.map(({ title }) => title),
    searched.map(({ body }) => body),
    searched.map(({ hash }) => hash),
    searched.map(({ isUnreadable = false }) => isUnreadable),
    searched.map(({ title }) => wordsAlone(title)),
    searched.map(({ body }) => wordsAlone(body)),
    searched.map(({ hasMeaning }) => (hasMeaning ? null : embeddings.model)),
    searched.map(({ hasMeaning, version }) => (hasMeaning ? 0 : version)),
    spaceWords.map(([spaceId]) => spaceId),
    spaceWords.map(([, word]) => word),
  ]);
}

const isDone = `excluded.model is not null and not exists (select from "Embedding" e where e."resourceId" = s."resourceId")`;

const writeSql = `with words as (
    insert into "SearchWord" ("spaceId", word) select * from unnest($12::text[], $13::text[]) on conflict do nothing
  )
  insert into "SearchText" as s ("resourceId", "resourceType", "spaceId", title, body, "contentHash", "isUnreadable", tsv, model, version)
  select t.id, t.type, t.space, t.title, t.body, t.hash, t.unreadable,
    setweight(to_tsvector('canopy', t."titleWords"), 'A') || setweight(to_tsvector('canopy', t."bodyWords"), 'B'), t.model, t.version
  from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::boolean[], $8::text[], $9::text[], $10::text[], $11::int[])
    t(id, type, space, title, body, hash, unreadable, "titleWords", "bodyWords", model, version)
  on conflict ("resourceId") do update set "spaceId" = excluded."spaceId", title = excluded.title, body = excluded.body,
    "contentHash" = excluded."contentHash", "isUnreadable" = excluded."isUnreadable", tsv = excluded.tsv, "indexedAt" = now(),
    model = case when ${isDone} then excluded.model end, version = case when ${isDone} then excluded.version else s.version end
  where (s."contentHash", s."spaceId") <> (excluded."contentHash", excluded."spaceId")
    or (excluded.model is not null and (s.model, s.version) is distinct from (excluded.model, excluded.version))`;

/** Where search knows a resource to be; null when it knows nothing of it. */
export async function knownSpace({ database }: App, id: string): Promise<string | null> {
  const [row] = await database.query<{ spaceId: string }>(
    'select "spaceId" from "SearchText" where "resourceId" = $1',
    [id],
  );
  return row?.spaceId ?? null;
}

/** Lets no search find them any more. The vectors go first: as long as they are there, it is known where. */
export async function forget({ database, vectors }: App, ids: readonly string[], spaceId: string): Promise<void> {
  await vectors.remove(spaceId, ids);
  await database.query('delete from "SearchText" where "resourceId" = any($1::text[])', [ids]);
}
