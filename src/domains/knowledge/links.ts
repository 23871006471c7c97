import type { Ctx } from '../../core/context.js';
import { AppError, badInput, notFound } from '../../core/errors.js';
import type { EventType } from '../../core/events.js';
import { follow } from '../../core/follow.js';
import { newId } from '../../core/ids.js';
import { parse } from '../../core/input.js';
import { columnsSql } from '../../core/sql.js';
import { type Tx, type Written, write } from '../../core/write.js';
import { writeExisting } from '../../core/write-existing.js';
import type { CreateLinkInput, DeleteLinkInput, SubscriptionLinksChangedArgs } from '../../generated/graphql.js';
import { linkChangeOf } from './change.js';
import { type Ends, emitRemoved, holdEnds, seenEnd } from './ends.js';
import { type LinkEnd, type LinkRow, linkShape, NewLink, related } from './link.js';

const columns = columnsSql(linkShape);

/** Links two things of one space; what discovery had found between them becomes this link. */
export async function createLink(ctx: Ctx, ends: Ends, input: CreateLinkInput): Promise<Written<LinkRow>> {
  const { sourceId, targetId, kind } = parse(NewLink, input);
  const source = await seenEnd(ctx, ends, sourceId);
  const target = await seenEnd(ctx, ends, targetId);
  if (sourceId === targetId) throw badInput('targetId', 'must be another than sourceId');
  if (source.spaceId !== target.spaceId) throw badInput('targetId', 'must be in the space of sourceId');
  return write(ctx, 'link.write', { space: source.spaceId }, async (tx) => {
    if ((await holdEnds(tx, source.spaceId, [source, target])).size < 2) throw notFound();
    const confirmed = kind === related ? await confirm(tx, source, target) : null;
    const row = confirmed ?? (await insert(tx, source, target, kind));
    if (!row) throw new AppError('CONFLICT', 'They are linked so already.');
    tx.emit(confirmed ? 'link.updated' : 'link.created', 'Link', row.id, { sourceId, targetId });
    return row;
  });
}

/** Makes a person's link of what discovery found between two things, in the person's direction. */
async function confirm(tx: Tx, source: LinkEnd, target: LinkEnd): Promise<LinkRow | null> {
  const [row] =
    await tx.sql<LinkRow>`update "Link" set origin = 'MANUAL', "sourceType" = ${source.type}, "sourceId" = ${source.id},
      "targetType" = ${target.type}, "targetId" = ${target.id}, "createdById" = ${tx.actorId}, "dismissedAt" = null
    where origin = 'AUTO' and least("sourceId", "targetId") = least(${source.id}::text, ${target.id}::text)
      and greatest("sourceId", "targetId") = greatest(${source.id}::text, ${target.id}::text) returning ${columns}`;
  return row ?? null;
}

async function insert(tx: Tx, source: LinkEnd, target: LinkEnd, kind: string): Promise<LinkRow | null> {
  const [row] =
    await tx.sql<LinkRow>`insert into "Link" (id, "spaceId", "sourceType", "sourceId", "targetType", "targetId", kind, origin, "createdById", "createdAt")
    values (${newId('link')}, ${source.spaceId}, ${source.type}, ${source.id}, ${target.type}, ${target.id}, ${kind}, 'MANUAL', ${tx.actorId}, ${tx.now})
    on conflict ("sourceId", "targetId", kind) do nothing returning ${columns}`;
  return row ?? null;
}

/** Takes a link away; what discovery found is remembered as unwanted, so that it is not found again. */
export async function deleteLink(ctx: Ctx, { id }: DeleteLinkInput): Promise<Written<string>> {
  const change = async (tx: Tx, link: LinkRow) => {
    const [dismissed] = await tx.sql`update "Link" set "dismissedAt" = ${tx.now}
      where id = ${id} and origin = 'AUTO' and "dismissedAt" is null returning id`;
    const [removed] = await tx.sql`delete from "Link" where id = ${id} and origin = 'MANUAL' returning id`;
    if (!dismissed && !removed) throw notFound();
    emitRemoved(tx, [link]);
    return id;
  };
  return writeExisting(ctx, 'link.write', linkShape, id, change, { operation: 'DELETE' });
}

const changes: readonly EventType[] = ['link.created', 'link.updated', 'link.deleted'];

/** Every change of the links of a thing, as it happens. */
export async function followLinks(ctx: Ctx, ends: Ends, { id, after }: SubscriptionLinksChangedArgs) {
  const { spaceId } = await seenEnd(ctx, ends, id);
  return follow(ctx, 'link.read', { spaceId, types: changes, after }, async (delivery) => {
    const linksChanged = 'event' in delivery ? linkChangeOf(delivery.event, id) : null;
    return linksChanged && { linksChanged };
  });
}
