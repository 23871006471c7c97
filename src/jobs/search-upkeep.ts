import type { App } from '../core/context.js';
import { addJobs, type Jobs, job } from '../core/jobs.js';
import { type Source, searchedSql, searchTypes, sources } from '../domains/search/sources.js';

const pageSize = 500;
const mostCaughtUp = 5_000;
/** After what people wait for. */
const priority = 10;

interface Found {
  readonly type: string;
  readonly id: string;
  readonly spaceId: string;
}

const indexAll = (app: App, found: readonly Found[]) =>
  addJobs(
    app.database.query,
    found.map(({ type, id, spaceId }) => job('search.index', { type, id, spaceId }, { key: `search ${id}`, priority })),
  );

const next = (app: App, payload: Jobs['search.reindex']) =>
  addJobs(app.database.query, [job('search.reindex', payload, { key: `reindex ${payload.spaceId}`, priority })]);

/** Makes anew what search knows of a space, from the rows themselves; of all spaces, one after the other. A page at a time, each the next one's reason. */
export async function reindex(app: App, { spaceId, type, after }: Jobs['search.reindex']): Promise<void> {
  if (spaceId === null) return reindexSpaces(app, after);
  const types: string[] = searchTypes.map((one) => sources[one].shape.model);
  if (type === null) {
    await forgetAll(app, spaceId);
    return next(app, { spaceId, type: types[0] ?? '', after: '' });
  }
  const source = Object.values(sources).find(({ shape }) => shape.model === type);
  const found = source ? await pageOf(app, source, spaceId, after) : [];
  await indexAll(app, found);
  const last = found.at(-1);
  const following = types[types.indexOf(type) + 1];
  if (last) await next(app, { spaceId, type, after: last.id });
  else if (following) await next(app, { spaceId, type: following, after: '' });
}

async function reindexSpaces(app: App, after: string): Promise<void> {
  const spaces = await app.database.query<{ id: string }>(
    'select id from "Space" where id > $1 and "deletedAt" is null order by id limit $2',
    [after, pageSize],
  );
  for (const { id } of spaces) await next(app, { spaceId: id, type: null, after: '' });
  const last = spaces.at(-1);
  if (last) await next(app, { spaceId: null, type: null, after: last.id });
}

/** Forgets all that search knows of a space, what has no row any more included. */
export async function forgetAll(app: App, spaceId: string): Promise<void> {
  await app.vectors.removeNamespace(spaceId);
  await app.database.query('delete from "SearchWord" where "spaceId" = $1', [spaceId]);
  for (let gone = pageSize; gone === pageSize; )
    gone = (await app.database.query(emptySql, [spaceId, pageSize])).length;
}

const emptySql = `delete from "SearchText" where "resourceId" in (select "resourceId" from "SearchText" where "spaceId" = $1 limit $2) returning "resourceId"`;

/** Resources of a source in a space that are searched, behind the one of this id. */
export function pageOf({ database }: App, source: Source, spaceId: string, after: string): Promise<Found[]> {
  const { model } = source.shape;
  const rules = searchedSql(source, 't."spaceId" = $1', 't.id > $2');
  return database.query<Found>(
    `select '${model}' as type, t.id, t."spaceId" from "${model}" t where ${rules} order by t.id limit ${pageSize}`,
    [spaceId, after],
  );
}

/** Indexes again what has no vectors yet, for the service was away too long, or those of a model that is no longer ours. */
export async function catchUp(app: App): Promise<void> {
  await indexAll(app, await app.database.query<Found>(behindSql, [app.embeddings.model, mostCaughtUp]));
}

const behindSql = `select "resourceType" as type, "resourceId" as id, "spaceId" from "SearchText"
  where model is null or model < $1 or model > $1 order by "indexedAt" limit $2`;

/** Removes the vectors of a space that is gone, and all else with it. */
export async function forgetSpace(app: App, { spaceId }: Jobs['search.forget']): Promise<void> {
  await app.vectors.removeNamespace(spaceId);
}

/** Forgets what has lost its row without a word, as what hangs on a deleted thing does. No search finds it any more; its vectors only take room. */
export async function sweep(app: App, { spaceId }: Jobs['search.sweep']): Promise<void> {
  for (const source of Object.values(sources)) {
    const { model } = source.shape;
    const lost = await app.database.query<Found>(
      `select s."resourceType" as type, s."resourceId" as id, s."spaceId" from "SearchText" s where s."spaceId" = $1 and s."resourceType" = '${model}'
        and not exists (select from "${model}" t where ${searchedSql(source, 't.id = s."resourceId"')}) limit ${mostCaughtUp}`,
      [spaceId],
    );
    await indexAll(app, lost);
  }
}
