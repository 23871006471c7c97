import type { App } from '../core/context.js';
import { addJobs, type JobRun, type Jobs, job } from '../core/jobs.js';
import { type Source, sourceOf } from '../domains/search/sources.js';
import { sweepSoon } from './search-index.js';
import { forget, searchedNow, stampsOf, writeTexts } from './search-text.js';

const priority = 20;
/** Values of a quarter of a mebibyte are read together. */
const mostAtOnce = 100;
/** Whoever changes more often is heard of again. */
const mostRounds = 3;

/** Brings the words of many up to date, and leaves it to a job of its own to make the vectors of one that has meaning. */
export async function indexMany(app: App, many: Jobs['search.indexMany'], { signal }: JobRun): Promise<void> {
  const { type, spaceId } = many;
  const behind = await indexWords(app, many, signal);
  await addJobs(
    app.database.query,
    behind.map((id) => job('search.index', { type, id, spaceId }, { key: `search ${id}`, priority })),
  );
}

/** The same for the words alone; answers those that are not done with that. Looks again at the end, as `indexResource` does. */
export async function indexWords(
  app: App,
  { type, ids, spaceId }: Jobs['search.indexMany'],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const source = sourceOf(type);
  if (!source) return [];
  const left: string[] = [];
  for (let at = 0; at < ids.length; at += mostAtOnce)
    left.push(...(await indexSome(app, source, ids.slice(at, at + mostAtOnce), spaceId, signal)));
  const behind = await app.database.query<{ id: string }>(behindSql, [ids, app.embeddings.model]);
  return [...new Set([...left, ...behind.map(({ id }) => id)])];
}

/** Answers those that changed each time. */
async function indexSome(
  app: App,
  source: Source,
  ids: readonly string[],
  spaceId: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  let left = ids;
  for (let round = 0; left.length > 0 && round < mostRounds; round += 1) {
    signal.throwIfAborted();
    left = await keepAll(app, source, left, spaceId, signal);
  }
  return left;
}

const behindSql = `select "resourceId" as id from "SearchText" where "resourceId" = any($1::text[]) and model is distinct from $2`;

/** Keeps them as they are, and forgets those that are gone; answers those that have changed meanwhile. */
async function keepAll(
  app: App,
  source: Source,
  ids: readonly string[],
  spaceId: string,
  signal: AbortSignal,
): Promise<string[]> {
  const now = await searchedNow(app, source, ids, signal);
  await forgetAll(
    app,
    ids.filter((id) => !now.has(id)),
    spaceId,
  );
  await writeTexts(app, [...now.values()]);
  const stamps = await stampsOf(app, source, ids);
  return ids.filter((id) => stamps.get(id) !== now.get(id)?.stamp);
}

async function forgetAll(app: App, gone: readonly string[], spaceId: string): Promise<void> {
  if (gone.length === 0) return;
  const rows = await app.database.query<{ id: string }>(
    'select distinct "resourceId" as id from "Embedding" where "resourceId" = any($1::text[])',
    [gone],
  );
  const embedded = new Set(rows.map(({ id }) => id));
  // Of what has no vectors the store need not hear.
  await forget(app, [...embedded], spaceId);
  await app.database.query('delete from "SearchText" where "resourceId" = any($1::text[])', [gone]);
  await sweepSoon(app, spaceId);
}
