import type { Ctx } from '../../core/context.js';
import { notFound } from '../../core/errors.js';
import { typeOfId } from '../../core/ids.js';
import { load, loadExisting } from '../../core/loaders.js';
import { readingByKey, type Selection } from '../../core/reading.js';
import type { KeyedShape } from '../../core/shape.js';
import { type SqlText, sqlText } from '../../core/sql.js';
import { type Content, isLinkable, type LinkableType, linkable } from '../../core/visibility.js';
import { commit, type Tx } from '../../core/write.js';
import type { LinkableRow, LinkEnd, LinkRow } from './link.js';

/** The shape of each type that links join. */
export type Ends = { readonly [Type in LinkableType]: KeyedShape<LinkableRow> };

/** The type of what this id names, when links join it. */
export function linkableType(id: string): LinkableType | null {
  const type = typeOfId(id);
  return isLinkable(type) ? type : null;
}

/** The thing of this id as the viewer may see it; null for what links do not join, too. */
async function endOf(ctx: Ctx, ends: Ends, id: string, at: Selection): Promise<LinkableRow | null> {
  const type = linkableType(id);
  return type && load(ctx, ends[type], id, at);
}

/** Which thing this id names, and where it is; NOT_FOUND when the viewer sees none. */
export async function seenEnd(ctx: Ctx, ends: Ends, id: string): Promise<LinkEnd> {
  const type = linkableType(id);
  if (!type) throw notFound();
  const { spaceId } = await loadExisting(ctx, { ...ends[type], columns: ['id', 'spaceId'] }, id);
  return { id, spaceId, type };
}

/** Whether the id is all that a place of an operation reads of what it names. */
function isIdAlone(ends: Ends, id: string, at: Selection): boolean {
  const type = linkableType(id);
  if (!type) return false;
  const { columns, along, lists } = readingByKey(ends[type], at.planned);
  return columns.length === 1 && along.length === 0 && lists.length === 0;
}

/** A thing that the viewer has just been found to see; null when it has gone since. It is read for more than its id only. */
export function endSeen(
  ctx: Ctx,
  ends: Ends,
  id: string,
  spaceId: string,
  at: Selection,
): LinkableRow | Promise<LinkableRow | null> {
  return isIdAlone(ends, id, at) ? { id, spaceId } : endOf(ctx, ends, id, at);
}

/** The end of a link that the viewer sees; NOT_FOUND when it has just gone. */
export function existingEnd(
  ctx: Ctx,
  ends: Ends,
  id: string,
  { spaceId }: LinkRow,
  at: Selection,
): LinkableRow | Promise<LinkableRow> {
  const end = endSeen(ctx, ends, id, spaceId, at);
  return end instanceof Promise ? end.then(orNotFound) : end;
}

function orNotFound(row: LinkableRow | null): LinkableRow {
  if (!row) throw notFound();
  return row;
}

/** A type's table, what is true for its rows that are there, and how one is kept from going. */
interface Table {
  readonly table: SqlText;
  readonly there: SqlText;
  readonly held: SqlText;
}

// A row that can only be deleted is held against that alone, so two that look for each other's links do not wait for each other.
function tableOf(type: LinkableType): Table {
  const { gone }: Content = linkable[type];
  return {
    table: sqlText(`"${type}"`),
    there: sqlText(gone === undefined ? 'true' : `"${gone}" is null`),
    held: sqlText(gone === undefined ? 'for key share' : 'for share'),
  };
}

/** Holds things of a space where they are until the change commits; answers the ids of those that are still there. */
export async function holdEnds(
  tx: Tx,
  spaceId: string,
  ends: readonly Pick<LinkEnd, 'id' | 'type'>[],
): Promise<Set<string>> {
  const held = new Set<string>();
  const types = [...new Set(ends.map(({ type }) => type))].sort();
  for (const type of types) {
    const { table, there, held: lock } = tableOf(type);
    const ids = ends.filter((end) => end.type === type).map(({ id }) => id);
    const rows = await tx.sql<{
      id: string;
    }>`select id from ${table} where id = any(${ids}::text[]) and "spaceId" = ${spaceId} and ${there} order by id ${lock}`;
    for (const { id } of rows) held.add(id);
  }
  return held;
}

type Removed = Pick<LinkRow, 'id' | 'sourceId' | 'targetId'>;

/** Says of links that they are no more. */
export function emitRemoved(tx: Tx, links: readonly Removed[]): void {
  for (const { id, sourceId, targetId } of links)
    tx.emit('link.deleted', 'Link', id, { sourceId, targetId }, { operation: 'DELETE' });
}

/** Removes every link of things that have gone in this very change. */
export async function removeLinksOf(tx: Tx, ids: readonly string[]): Promise<void> {
  const rows = await tx.sql<
    Removed & { dismissed: boolean }
  >`delete from "Link" where "sourceId" = any(${ids}::text[]) or "targetId" = any(${ids}::text[])
    returning id, "sourceId", "targetId", "dismissedAt" is not null as dismissed`;
  emitRemoved(
    tx,
    rows.filter(({ dismissed }) => !dismissed),
  );
}

const sweepSize = 1_000;

/** Removes some of the links of a space whose end of this type is no longer there; answers whether there may be more. */
export async function sweep(ctx: Ctx, spaceId: string, type: LinkableType): Promise<boolean> {
  const written = await commit(ctx, 'link.write', { space: spaceId }, null, async (tx) => {
    tx.audit('link.write', { resourceType: type, operation: 'DELETE' });
    const rows = await danglingOf(tx, spaceId, type);
    emitRemoved(tx, rows);
    return rows.length === sweepSize;
  });
  return written.value;
}

function danglingOf(tx: Tx, spaceId: string, type: LinkableType): Promise<Removed[]> {
  const { table, there } = tableOf(type);
  return tx.sql<Removed>`delete from "Link" where id in (
      select l.id from "Link" l where l."spaceId" = ${spaceId} and (
        (l."sourceType" = ${type} and not exists (select from ${table} where id = l."sourceId" and ${there}))
        or (l."targetType" = ${type} and not exists (select from ${table} where id = l."targetId" and ${there}))) limit ${sweepSize})
    returning id, "sourceId", "targetId"`;
}
