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
  readonly hash: string;
  /** Of the row that it was read from. */
  readonly stamp: string;
  readonly version: number;
}

const longestTitle = 1_000;
/** A tsvector holds a mebibyte, and takes more than its text does. */
const longestBody = 400_000;

/** The resource as it is now; null when it is gone. */
export async function searchedNow(app: App, source: Source, id: string, signal: AbortSignal): Promise<Searched | null> {
  const { shape, columns, text } = source;
  const [row] = await app.database.query<
    Record<string, unknown> & { $space: string; $stamp: string; $version: number }
  >(
    `select t."spaceId" as "$space", t.xmin::text as "$stamp", t.version as "$version", ${columns.map((column) => `t."${column}"`).join(', ')}
      from "${shape.model}" t where ${searchedSql(source, 't.id = $1')}`,
    [id],
  );
  if (!row) return null;
  const { title, body, isUnreadable = false } = await text(row, app, signal);
  const cleaned = { title: plain(title).slice(0, longestTitle).toWellFormed(), body: cut(plain(body)), isUnreadable };
  const hash = createHash('sha256').update(JSON.stringify(cleaned)).digest('base64url');
  return { id, spaceId: row.$space, type: shape.model, ...cleaned, hash, stamp: row.$stamp, version: row.$version };
}

/** What changes with every change of the resource's row; null when it is gone. */
export async function stampOf({ database }: App, source: Source, id: string): Promise<string | null> {
  const [row] = await database.query<{ stamp: string }>(
    `select t.xmin::text as stamp from "${source.shape.model}" t where ${searchedSql(source, 't.id = $1')}`,
    [id],
  );
  return row?.stamp ?? null;
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

/** Lets exact searches find it. */
export async function writeText({ database }: App, searched: Searched): Promise<void> {
  const { id, spaceId, type, title, body, hash, isUnreadable = false } = searched;
  const words = [wordsAlone(title), wordsAlone(body)];
  const vocabulary = vocabularyOf(`${title} ${body}`);
  await database.query(writeSql, [id, type, spaceId, title, body, hash, isUnreadable, ...words, vocabulary]);
}

const writeSql = `with words as (
    insert into "SearchWord" ("spaceId", word) select $3, word from unnest($10::text[]) word on conflict do nothing
  )
  insert into "SearchText" as s ("resourceId", "resourceType", "spaceId", title, body, "contentHash", "isUnreadable", tsv)
  values ($1, $2, $3, $4, $5, $6, $7, setweight(to_tsvector('canopy', $8), 'A') || setweight(to_tsvector('canopy', $9), 'B'))
  on conflict ("resourceId") do update set "spaceId" = excluded."spaceId", title = excluded.title, body = excluded.body,
    "contentHash" = excluded."contentHash", "isUnreadable" = excluded."isUnreadable", tsv = excluded.tsv, "indexedAt" = now(), model = null
  where (s."contentHash", s."spaceId") <> (excluded."contentHash", excluded."spaceId")`;

/** Where search knows a resource to be; null when it knows nothing of it. */
export async function knownSpace({ database }: App, id: string): Promise<string | null> {
  const [row] = await database.query<{ spaceId: string }>(
    'select "spaceId" from "SearchText" where "resourceId" = $1',
    [id],
  );
  return row?.spaceId ?? null;
}

/** Lets no search find it any more. The vectors go first: as long as they are there, it is known where. */
export async function forget({ database, vectors }: App, id: string, spaceId: string): Promise<void> {
  await vectors.remove(spaceId, [id]);
  await database.query('delete from "SearchText" where "resourceId" = $1', [id]);
}
