import type { App } from '../core/context.js';
import { type Indexed, indexJobs } from '../core/index-jobs.js';
import { addJobs, type Jobs, job } from '../core/jobs.js';
import { type Source, searchedSql, searchTypes, sourceOf, sources } from '../domains/search/sources.js';

const pageSize = 500;
const mostForgotten = 5_000;
/** After what people wait for. */
const priority = 10;
/** Before what it adds, so that it is over when the clock begins it anew. */
const before = 5;

/** Adds the jobs that index them. */
export const indexAll = (app: App, found: readonly Indexed[]) =>
  addJobs(app.database.query, [
    ...indexJobs(
      found.filter(({ type }) => sourceOf(type)?.hasMeaning),
      priority,
    ),
    ...found
      .filter(({ type }) => !sourceOf(type)?.hasMeaning)
      .map(({ type, id, spaceId }) => job('search.index', { type, id, spaceId }, { key: `search ${id}`, priority })),
  ]);

const next = (app: App, payload: Jobs['search.reindex']) =>
  addJobs(app.database.query, [job('search.reindex', payload, { key: `reindex ${payload.spaceId}`, priority })]);

/** Makes anew what search knows of a space, from the rows themselves; of all spaces, one after the other. A page at a time, each the next one's reason. */
export async function reindex(app: App, { spaceId, type, after }: Jobs['search.reindex']): Promise<void> {
  if (spaceId === null) return reindexSpaces(app, after);
  const types: string[] = searchTypes.map((one) => sources[one].shape.model);
  if (type === null) {
    const isEmpty = await forgetSome(app, spaceId);
    return next(app, { spaceId, type: isEmpty ? (types[0] ?? '') : null, after: '' });
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

/** Forgets what search knows of a space, what has no row any more included, up to so many texts; answers whether that was all. */
export async function forgetSome(app: App, spaceId: string): Promise<boolean> {
  await app.vectors.removeNamespace(spaceId);
  await app.database.query('delete from "SearchWord" where "spaceId" = $1', [spaceId]);
  return (await app.database.query(emptySql, [spaceId, mostForgotten])).length < mostForgotten;
}

const emptySql = `delete from "SearchText" where "resourceId" in (select "resourceId" from "SearchText" where "spaceId" = $1 limit $2) returning "resourceId"`;

/** Resources of a source in a space that are searched, behind the one of this id. */
export function pageOf({ database }: App, source: Source, spaceId: string, after: string): Promise<Indexed[]> {
  const { model } = source.shape;
  const rules = searchedSql(source, 't."spaceId" = $1', 't.id > $2');
  return database.query<Indexed>(
    `select '${model}' as type, t.id, t."spaceId" from "${model}" t where ${rules} order by t.id limit ${pageSize}`,
    [spaceId, after],
  );
}

/**
 * Indexes again what has no vectors yet, for the service was away too long, and then what has those of a model that is no longer ours. A page at a time, each
 * the next one's reason, so that what fails each time keeps nothing else from its turn.
 */
export async function catchUp(app: App, { model, after = '' }: Jobs['search.catchUp']): Promise<void> {
  const found = await app.database.query<Indexed & { model: string | null }>(
    model === undefined ? missingSql : outdatedSql,
    model === undefined ? [after, pageSize] : [after, pageSize, model, app.embeddings.model],
  );
  await indexAll(app, found);
  const last = found.at(-1);
  if (last && found.length === pageSize)
    await nextCatchUp(app, { ...(last.model !== null && { model: last.model }), after: last.id });
  else if (model === undefined) await nextCatchUp(app, { model: '' });
}

const nextCatchUp = (app: App, payload: Jobs['search.catchUp']) =>
  addJobs(app.database.query, [job('search.catchUp', payload, { key: 'search.catchUp further', priority: before })]);

const behind = 'select "resourceType" as type, "resourceId" as id, "spaceId", model from "SearchText" where';

const missingSql = `${behind} model is null and "resourceId" > $1 order by "resourceId" limit $2`;

// Two ranges of the index, around those of our own model.
const outdatedSql = ['<', '>']
  .map(
    (side) => `(${behind} model ${side} $4 and (model, "resourceId") > ($3, $1) order by model, "resourceId" limit $2)`,
  )
  .join(' union all ')
  .concat(' order by model, id limit $2');

/** Removes the vectors of a space that is gone, and all else with it. */
export async function forgetSpace(app: App, { spaceId }: Jobs['search.forget']): Promise<void> {
  await app.vectors.removeNamespace(spaceId);
}

/** Forgets what has lost its row without a word, as what hangs on a deleted thing does. No search finds it any more; its vectors only take room. */
export async function sweep(app: App, { spaceId }: Jobs['search.sweep']): Promise<void> {
  for (const source of Object.values(sources)) {
    const { model } = source.shape;
    const lost = await app.database.query<Indexed>(
      `select s."resourceType" as type, s."resourceId" as id, s."spaceId" from "SearchText" s where s."spaceId" = $1 and s."resourceType" = '${model}'
        and not exists (select from "${model}" t where ${searchedSql(source, 't.id = s."resourceId"')}) limit ${mostForgotten}`,
      [spaceId],
    );
    await indexAll(app, lost);
  }
}
