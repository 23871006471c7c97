import type { Ctx } from '../../core/context.js';
import { AppError, lastOwner, notFound, staleVersion } from '../../core/errors.js';
import { parse } from '../../core/input.js';
import { load, loadBy } from '../../core/loaders.js';
import { spaceRoleHolds } from '../../core/roles.js';
import { columnsSql } from '../../core/sql.js';
import { type Tx, type Written, write } from '../../core/write.js';
import type {
  AddSpaceMemberInput,
  RemoveSpaceMemberInput,
  SpaceRole,
  UpdateSpaceMemberInput,
} from '../../generated/graphql.js';
import { userShape } from '../identity/user.js';
import type { Departure } from '../organizations/members.js';
import { NewSpaceMember, SpaceMemberChange, type SpaceMemberRow, spaceMemberShape } from './space.js';

const columns = columnsSql(spaceMemberShape);

/** Someone's role in a space as it stands now, the highest of their own and the organization's; for no one, that of the organization's key. */
export async function spaceRoleOf(tx: Tx, spaceId: string, userId: string | null): Promise<SpaceRole | null> {
  if (userId === null) return 'ADMIN';
  const [row] = await tx.sql<{ role: SpaceRole | null }>`select greatest(
    (select role from "SpaceMember" where "spaceId" = ${spaceId} and "userId" = ${userId}),
    (select m.role::text::"SpaceRole" from "OrganizationMember" m join "Space" s on s."organizationId" = m."organizationId"
      where s.id = ${spaceId} and m."userId" = ${userId} and m.role <> 'MEMBER')) as role`;
  return row?.role ?? null;
}

/** Gives someone whom the viewer may see a role in the space. */
export async function addSpaceMember(ctx: Ctx, input: AddSpaceMemberInput): Promise<Written<SpaceMemberRow>> {
  const { spaceId, role } = parse(NewSpaceMember, input);
  const { id, handle } = input.user;
  const user = id == null ? await loadBy(ctx, userShape, 'handle', handle ?? '') : await load(ctx, userShape, id);
  return write(ctx, 'space.members', { space: spaceId }, async (tx) => {
    await lockSpace(tx, spaceId);
    await assertGives(tx, spaceId, role);
    if (!user) throw notFound();
    const [row] =
      await tx.sql<SpaceMemberRow>`insert into "SpaceMember" ("spaceId", "userId", role, "createdAt", "updatedAt")
      values (${spaceId}, ${user.id}, ${role}::"SpaceRole", ${tx.now}, ${tx.now}) on conflict do nothing returning ${columns}`;
    if (!row) throw new AppError('CONFLICT', 'They are a member already; change their role instead.');
    tx.emit('space.memberAdded', 'Space', spaceId, { userId: user.id, role, version: row.version });
    return row;
  });
}

/** Gives a member another role; CONFLICT for another version, and for the last OWNER. */
export async function updateSpaceMember(ctx: Ctx, input: UpdateSpaceMemberInput): Promise<Written<SpaceMemberRow>> {
  const { spaceId, userId, role, version } = parse(SpaceMemberChange, input);
  return write(ctx, 'space.members', { space: spaceId }, async (tx) => {
    await lockSpace(tx, spaceId);
    const own = await assertGives(tx, spaceId, role);
    const member = await memberOf(tx, spaceId, userId);
    assertNotAbove(own, member);
    if (member.version !== version) throw staleVersion('The member', member.version);
    if (role !== 'OWNER') await assertNotLastOwner(tx, member);
    const [row] =
      await tx.sql<SpaceMemberRow>`update "SpaceMember" set role = ${role}::"SpaceRole", version = version + 1, "updatedAt" = ${tx.now}
      where "spaceId" = ${spaceId} and "userId" = ${userId} and version = ${version} returning ${columns}`;
    if (!row) throw notFound();
    tx.emit('space.memberUpdated', 'Space', spaceId, { userId, role, version: row.version });
    return row;
  });
}

/** Takes a member out of a space; CONFLICT for the last OWNER. */
export async function removeSpaceMember(
  ctx: Ctx,
  { spaceId, userId }: RemoveSpaceMemberInput,
): Promise<Written<string>> {
  const isSelf = userId === ctx.viewer?.userId;
  return write(ctx, isSelf ? 'space.leave' : 'space.members', { space: spaceId }, async (tx) => {
    await lockSpace(tx, spaceId);
    const member = await memberOf(tx, spaceId, userId);
    if (!isSelf) assertNotAbove(await assertGives(tx, spaceId, 'VIEWER'), member);
    await assertNotLastOwner(tx, member);
    await tx.sql`delete from "SpaceMember" where "spaceId" = ${spaceId} and "userId" = ${userId}`;
    tx.emit('space.memberRemoved', 'Space', spaceId, { userId }, { operation: 'DELETE' });
    return userId;
  });
}

/** Takes someone who leaves an organization out of its spaces, deleted ones included; the heir becomes OWNER where there is none left. */
export async function leaveSpaces(tx: Tx, { organizationId, userId, heirId }: Departure): Promise<void> {
  await tx.sql`select s.id from "Space" s join "SpaceMember" m on m."spaceId" = s.id
    where s."organizationId" = ${organizationId} and m."userId" = ${userId} order by s.id for no key update of s`;
  const left = await tx.sql<{ spaceId: string }>`delete from "SpaceMember" m using "Space" s
    where s.id = m."spaceId" and s."organizationId" = ${organizationId} and m."userId" = ${userId} returning m."spaceId"`;
  const inherited =
    await tx.sql<SpaceMemberRow>`insert into "SpaceMember" as m ("spaceId", "userId", role, "createdAt", "updatedAt")
    select s.id, ${heirId}, 'OWNER', ${tx.now}, ${tx.now} from unnest(${left.map(({ spaceId }) => spaceId)}::text[]) s (id)
    where not exists (select from "SpaceMember" o where o."spaceId" = s.id and o.role = 'OWNER')
    on conflict ("spaceId", "userId") do update set role = 'OWNER', version = m.version + 1, "updatedAt" = excluded."updatedAt" returning ${columns}`;
  for (const { spaceId } of left) {
    tx.in({ space: spaceId }).emit('space.memberRemoved', 'Space', spaceId, { userId }, { operation: 'DELETE' });
  }
  for (const { spaceId, version } of inherited) {
    const type = version === 1 ? 'space.memberAdded' : 'space.memberUpdated';
    tx.in({ space: spaceId }).emit(type, 'Space', spaceId, { userId: heirId, role: 'OWNER', version });
  }
}

/** Locks a space until the change commits: others who change its members wait, who writes its content does not. */
async function lockSpace(tx: Tx, id: string): Promise<void> {
  const [row] = await tx.sql`select id from "Space" where id = ${id} and "deletedAt" is null for no key update`;
  if (!row) throw notFound();
}

/** Throws unless the acting person can give this role, as roles stand now; answers their own. */
export async function assertGives(tx: Tx, spaceId: string, role: SpaceRole): Promise<SpaceRole> {
  const own = await spaceRoleOf(tx, spaceId, tx.actorId);
  if (!own) throw notFound();
  if (!spaceRoleHolds(own, 'ADMIN')) throw new AppError('FORBIDDEN', `It needs the role ADMIN; the viewer is ${own}.`);
  if (!spaceRoleHolds(own, role)) throw new AppError('FORBIDDEN', `Only an OWNER can give the role ${role}.`);
  return own;
}

async function memberOf(tx: Tx, spaceId: string, userId: string): Promise<SpaceMemberRow> {
  const [member] =
    await tx.sql<SpaceMemberRow>`select ${columns} from "SpaceMember" where "spaceId" = ${spaceId} and "userId" = ${userId}`;
  if (!member) throw notFound();
  return member;
}

function assertNotAbove(own: SpaceRole, { role }: SpaceMemberRow): void {
  if (!spaceRoleHolds(own, role)) throw new AppError('FORBIDDEN', `The member is ${role}, above the viewer.`);
}

/** There is always an OWNER among the members, also where an organization's owners hold the role through it. */
async function assertNotLastOwner(tx: Tx, { spaceId, userId, role }: SpaceMemberRow): Promise<void> {
  if (role !== 'OWNER') return;
  const [other] =
    await tx.sql`select "userId" from "SpaceMember" where "spaceId" = ${spaceId} and role = 'OWNER' and "userId" <> ${userId} limit 1`;
  if (!other) throw lastOwner();
}
