import { maxSlug } from '../../core/rules.js';
import type { Tx } from '../../core/write.js';
import type { Closing } from '../identity/delete-user.js';

/**
 * Takes a user out of every space. Their personal spaces become the heir's, or without one are deleted; where they were the only
 * OWNER of another space, whoever it belongs to becomes one.
 */
export async function leaveAllSpaces(tx: Tx, { userId, heirId }: Closing): Promise<void> {
  const personal = await tx.sql<{ id: string; slug: string }>`select id, slug::text as slug from "Space"
    where "ownerUserId" = ${userId} and "deletedAt" is null order by id for no key update`;
  if (heirId) await handOver(tx, personal, heirId);
  else
    await remove(
      tx,
      personal.map(({ id }) => id),
    );
  await tx.sql`select s.id from "Space" s join "SpaceMember" m on m."spaceId" = s.id where m."userId" = ${userId} order by s.id for no key update of s`;
  const left = await tx.sql<{
    id: string;
    isLive: boolean;
  }>`delete from "SpaceMember" m using "Space" s where s.id = m."spaceId" and m."userId" = ${userId}
    returning s.id, s."deletedAt" is null as "isLive"`;
  for (const { id, isLive } of left) {
    if (isLive) tx.in({ space: id }).emit('space.memberRemoved', 'Space', id, { userId }, { operation: 'DELETE' });
  }
  const orphans = await tx.sql<{ id: string; ownerId: string | null }>`select s.id, coalesce(s."ownerUserId", (
      select o."userId" from "OrganizationMember" o where o."organizationId" = s."organizationId" and o.role = 'OWNER' order by o."createdAt", o."userId" limit 1)) as "ownerId"
    from "Space" s where s.id = any(${left.map(({ id }) => id)}::text[]) and s."ownerUserId" is distinct from ${userId}
      and not exists (select from "SpaceMember" o where o."spaceId" = s.id and o.role = 'OWNER') order by s.id`;
  for (const { id, ownerId } of orphans) if (ownerId) await makeOwner(tx, id, ownerId);
}

async function remove(tx: Tx, ids: readonly string[]): Promise<void> {
  await tx.sql`update "Space" set "deletedAt" = ${tx.now}, "updatedAt" = ${tx.now}, version = version + 1 where id = any(${ids}::text[])`;
  for (const id of ids) tx.in({ space: id }).emit('space.deleted', 'Space', id, {}, { operation: 'DELETE' });
}

async function handOver(tx: Tx, spaces: readonly { id: string; slug: string }[], heirId: string): Promise<void> {
  const theirs = await tx.sql<{ slug: string }>`select slug from "Space" where "ownerUserId" = ${heirId}`;
  const taken = new Set(theirs.map(({ slug }) => slug.toLowerCase()));
  for (const { id, slug } of spaces) {
    const free = freeSlug(slug.toLowerCase(), taken);
    taken.add(free);
    await tx.sql`update "Space" set "ownerUserId" = ${heirId}, slug = ${free}::citext, "updatedAt" = ${tx.now}, version = version + 1 where id = ${id}`;
    await makeOwner(tx, id, heirId);
    tx.in({ space: id }).emit('space.updated', 'Space', id, { userId: heirId });
  }
}

/** The slug, with the first number behind it that makes it free. */
function freeSlug(slug: string, taken: ReadonlySet<string>): string {
  let free = slug;
  for (let number = 2; taken.has(free); number += 1)
    free = `${slug.slice(0, maxSlug - `-${number}`.length).replace(/-+$/, '')}-${number}`;
  return free;
}

async function makeOwner(tx: Tx, spaceId: string, userId: string): Promise<void> {
  const [row] = await tx.sql<{
    version: number;
  }>`insert into "SpaceMember" as m ("spaceId", "userId", role, "createdAt", "updatedAt")
    values (${spaceId}, ${userId}, 'OWNER', ${tx.now}, ${tx.now})
    on conflict ("spaceId", "userId") do update set role = 'OWNER', version = m.version + 1, "updatedAt" = excluded."updatedAt" returning version`;
  const type = row?.version === 1 ? 'space.memberAdded' : 'space.memberUpdated';
  tx.in({ space: spaceId }).emit(type, 'Space', spaceId, { userId, role: 'OWNER' });
}
