import type { Ctx } from './context.js';
import { type Departed, departedOf } from './departed.js';
import { type Logged, type Position, readSpaceLog } from './event-log.js';
import type { EventRow } from './events.js';
import { typeOfId } from './ids.js';
import { statementNamed } from './loaders.js';
import { roles, spaceRoleHolds } from './roles.js';
import { rulesSql } from './sql.js';
import { ask } from './together.js';
import { hangsOn, isCommentable, isWide, sharing, visibility } from './visibility.js';

/** The rule by which something must be seen: that of its type, or the one for who shares a file. */
type By = keyof typeof visibility | 'sharing';

/** What must be seen to hear of an event: every row that it names and that not everybody sees who reads the space. */
function thingsOf({ type, resourceId, related }: EventRow, userId: string | null): (readonly [By, string])[] {
  const isSharing = type === 'file.granted' || type === 'file.revoked';
  if (isSharing && (userId === null || related.userId !== userId)) return [['sharing', resourceId]];
  const named = Object.values(related).filter((value) => typeof value === 'string');
  const own = typeOfId(resourceId);
  // What hangs on something is seen by whoever sees that, and may itself be gone.
  const hangs = own !== null && hangsOn(own) && named.some((id) => isCommentable(typeOfId(id)));
  return (hangs ? named : [resourceId, ...named]).flatMap((id) => {
    const by = typeOfId(id);
    return by && !isWide(by) ? [[by, id] as const] : [];
  });
}

/** Those of the events of a space that the viewer may hear of, by one statement for each rule that some of them need, and one for what has departed. */
export async function heardOf(ctx: Ctx, spaceId: string, events: readonly EventRow[]): Promise<ReadonlySet<EventRow>> {
  const { userId, spaces } = await roles(ctx);
  const asked = events.map((event) => ({ event, things: thingsOf(event, userId) }));
  const ids = new Map<By, Set<string>>();
  for (const [by, id] of asked.flatMap(({ things }) => things)) ids.set(by, (ids.get(by) ?? new Set()).add(id));
  const seen = new Map<By, Map<string, boolean>>();
  await Promise.all([...ids].map(async ([by, of]) => seen.set(by, await sightOf(ctx, by, [...of]))));
  const missing = [...ids].flatMap(([by, of]) => [...of].filter((id) => !seen.get(by)?.has(id)));
  const departed = missing.length > 0 ? await departedOf(ctx, missing) : [];
  const role = spaces.get(spaceId) ?? null;
  const saw = ({ least, alsoBy }: Departed) =>
    least === null || spaceRoleHolds(role, least) || (role !== null && alsoBy !== null && alsoBy === userId);
  const couldSee = new Set(departed.filter(saw).map(({ id }) => id));
  const isSeen = ([by, id]: readonly [By, string]) => seen.get(by)?.get(id) ?? couldSee.has(id);
  return new Set(asked.filter(({ things }) => things.every(isSeen)).map(({ event }) => event));
}

/** Of rows that are there, also of those that are only marked as deleted, whether the viewer may see them. */
async function sightOf(ctx: Ctx, by: By, ids: readonly string[]): Promise<Map<string, boolean>> {
  const [model, rule] = by === 'sharing' ? (['File', sharing] as const) : ([by, visibility[by]] as const);
  const statement = statementNamed(`sight of ${by}`, () =>
    rulesSql(1, (sql) => `select t.id, ${sql(rule, 't')} as seen from "${model}" t where t.id = any($1::text[])`),
  );
  const values = [ids, ...statement.values(await roles(ctx))];
  const rows = await ask<{ id: string; seen: boolean }>(ctx, statement.text, values);
  return new Map(rows.map(({ id, seen }) => [id, seen]));
}

/** How many events of a log are looked through at once for those that the viewer may hear of. */
const mostAtOnce = 1_000;
const mostCounted = 10_000;

/** Which events of a space to read: up to `limit` after `from`, up to `to`; `types` picks. */
export interface Reading {
  readonly from: Position;
  readonly to: Position;
  readonly types: readonly string[] | null;
  readonly limit: number;
}

/** How many events between two positions the viewer may hear of; counted to 10,000. */
export async function countHeard(
  ctx: Ctx,
  spaceId: string,
  { from, to, types }: Omit<Reading, 'limit'>,
): Promise<number> {
  let count = 0;
  for (let at = from; ; ) {
    const page = await readSpaceLog(ctx.app.database, spaceId, at, to, types, mostAtOnce);
    const heard = await heardOf(
      ctx,
      spaceId,
      page.map(({ event }) => event),
    );
    count += heard.size;
    const last = page.at(-1);
    if (!last || page.length < mostAtOnce || count >= mostCounted) return Math.min(count, mostCounted);
    at = last.position;
  }
}

/** The first events that the viewer may hear of. */
export async function readHeard(ctx: Ctx, spaceId: string, { from, to, types, limit }: Reading): Promise<Logged[]> {
  const found: Logged[] = [];
  for (let at = from, size = limit; ; size = Math.min(2 * size, mostAtOnce)) {
    const page = await readSpaceLog(ctx.app.database, spaceId, at, to, types, size);
    const events = page.map(({ event }) => event);
    const heard = await heardOf(ctx, spaceId, events);
    found.push(...page.filter(({ event }) => heard.has(event)));
    const last = page.at(-1);
    if (!last || page.length < size || found.length >= limit) return found.slice(0, limit);
    at = last.position;
  }
}
