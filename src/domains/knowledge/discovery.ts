import type { Ctx } from '../../core/context.js';
import { newId } from '../../core/ids.js';
import { commit, type Tx } from '../../core/write.js';
import { emitRemoved, holdEnds } from './ends.js';
import { type LinkRow, related } from './link.js';
import { type Relation, relationsOf, type Similar } from './relatedness.js';

/** What others are compared with. */
export interface Subject {
  readonly id: string;
  readonly spaceId: string;
  readonly version: number;
  readonly title: string;
  readonly content: string;
}

/** How many links a note gets by itself; others may find the note besides. */
const mostFound = 10;
/** A score that has moved by less stays as it is: every note that is added moves all of them a little. */
const slight = 0.05;

/**
 * Makes the links that start at a note what it is related to now: the ten closest. What others found of it is theirs; where that has changed,
 * they look again. Doing it again changes nothing. `similar` is null when nobody could say what is alike: then links are added by keywords, none goes,
 * and it is not done.
 */
export async function relink(
  ctx: Ctx,
  note: Subject,
  similar: readonly Similar[] | null,
  isRecheck: boolean,
): Promise<void> {
  await commit(ctx, 'link.write', { space: note.spaceId }, null, async (tx) => {
    // Held against its writers, and against another run of this; whoever changes the note has it looked at again.
    const [held] =
      await tx.sql`select id from "Note" where id = ${note.id} and version = ${note.version} for no key update`;
    if (!held) return unchanged(tx, note);
    const links = await linksBetween(tx, note.id);
    const relations = await relationsOf(tx, note, similar ?? []);
    const closest = relations.slice(0, mostFound);
    const fresh = closest.filter(({ id }) => !links.some((link) => otherEnd(link, note.id) === id));
    const own = links.filter(
      ({ origin, sourceId, isDismissed }) => origin === 'AUTO' && sourceId === note.id && !isDismissed,
    );
    const added = await add(tx, note, fresh);
    if (similar === null) {
      if (added === 0) unchanged(tx, note);
      return;
    }
    const changes = added + (await removeLost(tx, own, closest)) + (await changeMoved(tx, own, closest));
    if (!isRecheck) askAgain(tx, note, links, relations);
    const [ready] =
      await tx.sql`update "Note" set "linkStatus" = 'READY' where id = ${note.id} and "linkStatus" <> 'READY' returning id`;
    if (ready) tx.emit('note.linked', 'Note', note.id, { version: note.version });
    else if (changes === 0) unchanged(tx, note);
  });
}

/** Writes down that it was looked for, and all is as it was. */
const unchanged = (tx: Tx, { id }: Subject) => tx.audit('link.write', { resourceType: 'Note', resourceId: id });

/** Says that it has been tried for the last time. */
export async function giveUp(ctx: Ctx, { id, spaceId, version }: Subject): Promise<void> {
  await commit(ctx, 'link.write', { space: spaceId }, null, async (tx) => {
    tx.audit('link.write', { resourceType: 'Note', resourceId: id, metadata: { gaveUp: true } });
    await tx.sql`update "Note" set "linkStatus" = 'FAILED' where id = ${id} and version = ${version} and "linkStatus" = 'PENDING'`;
  });
}

type Known = Pick<LinkRow, 'id' | 'sourceId' | 'targetId' | 'origin' | 'score' | 'sharedKeywords'> & {
  readonly isDismissed: boolean;
};

const linksBetween = (tx: Tx, id: string) =>
  tx.sql<Known>`select id, "sourceId", "targetId", origin, score, "sharedKeywords", "dismissedAt" is not null as "isDismissed"
    from "Link" where ("sourceId" = ${id} or "targetId" = ${id}) and kind = ${related}`;

const otherEnd = ({ sourceId, targetId }: Known, id: string) => (sourceId === id ? targetId : sourceId);

const hasMoved = ({ score, sharedKeywords }: Known, relation: Relation, words: readonly string[]) =>
  Math.abs((score ?? 1) - relation.score) >= slight || sharedKeywords.join('\n') !== words.join('\n');

async function removeLost(tx: Tx, own: readonly Known[], closest: readonly Relation[]): Promise<number> {
  const lost = own.filter(({ targetId }) => !closest.some(({ id }) => id === targetId));
  if (lost.length === 0) return 0;
  await tx.sql`delete from "Link" where id = any(${lost.map(({ id }) => id)}::text[])`;
  emitRemoved(tx, lost);
  return lost.length;
}

async function changeMoved(tx: Tx, own: readonly Known[], closest: readonly Relation[]): Promise<number> {
  let moved = 0;
  for (const link of own) {
    const relation = closest.find(({ id }) => id === link.targetId);
    if (!relation || !hasMoved(link, relation, relation.words)) continue;
    await tx.sql`update "Link" set score = ${relation.score}, "sharedKeywords" = ${relation.words} where id = ${link.id}`;
    tx.emit('link.updated', 'Link', link.id, { sourceId: link.sourceId, targetId: link.targetId });
    moved += 1;
  }
  return moved;
}

/** Links a note to what has no link with it. Two that find each other at once make one link: the unique index of pairs lets one pass. */
async function add(tx: Tx, { id, spaceId }: Subject, found: readonly Relation[]): Promise<number> {
  if (found.length === 0) return 0;
  let added = 0;
  const there = await holdEnds(tx, spaceId, found);
  // In an order that all keep to, so that two at the same pairs wait for each other and not both.
  const rows = found.filter((one) => there.has(one.id)).sort((a, b) => (pair(id, a.id) < pair(id, b.id) ? -1 : 1));
  for (const { id: targetId, type, score, words } of rows) {
    const [link] = await tx.sql<{
      id: string;
    }>`insert into "Link" (id, "spaceId", "sourceType", "sourceId", "targetType", "targetId", kind, origin, score, "sharedKeywords", "createdAt")
      values (${newId('link')}, ${spaceId}, 'Note', ${id}, ${type}, ${targetId}, ${related}, 'AUTO', ${score}, ${words}, ${tx.now})
      on conflict do nothing returning id`;
    if (!link) continue;
    tx.emit('link.created', 'Link', link.id, { sourceId: id, targetId });
    added += 1;
  }
  return added;
}

const pair = (a: string, b: string) => (a < b ? `${a} ${b}` : `${b} ${a}`);

/** Has others look again at what they found of the note and it no longer confirms as it stands. */
function askAgain(tx: Tx, note: Subject, links: readonly Known[], relations: readonly Relation[]): void {
  for (const link of links) {
    if (link.origin !== 'AUTO' || link.targetId !== note.id || link.isDismissed) continue;
    const relation = relations.find(({ id }) => id === link.sourceId);
    if (relation && !hasMoved(link, relation, relation.otherWords)) continue;
    const noteId = link.sourceId;
    const again = { spaceId: note.spaceId, noteId, isRecheck: true } as const;
    tx.job('links.discover', again, { key: `links.discover ${noteId} again`, maxAttempts: 8 });
  }
}
