import type { Ctx } from '../../core/context.js';
import { AppError, lastOwner, notFound, staleVersion } from '../../core/errors.js';
import { parse } from '../../core/input.js';
import { organizationRoleHolds } from '../../core/roles.js';
import { columnsSql } from '../../core/sql.js';
import { type Tx, type Written, write } from '../../core/write.js';
import type {
  OrganizationRole,
  RemoveOrganizationMemberInput,
  UpdateOrganizationMemberInput,
} from '../../generated/graphql.js';
import { OrganizationMemberChange, type OrganizationMemberRow, organizationMemberShape } from './organization.js';

const columns = columnsSql(organizationMemberShape);

/** Someone who leaves an organization, and an OWNER of it who stays. */
export interface Departure {
  readonly organizationId: string;
  readonly userId: string;
  readonly heirId: string;
}

/** Takes someone out of what domains newer than this one keep for the organization, within the transaction. */
export type LeaveOrganization = (tx: Tx, departure: Departure) => Promise<void>;

/** Locks an organization until the change commits: others who change its members, or its spaces' number, wait. NOT_FOUND when it is gone. */
export async function lockOrganization(tx: Tx, id: string): Promise<void> {
  const [row] = await tx.sql`select id from "Organization" where id = ${id} and "deletedAt" is null for no key update`;
  if (!row) throw notFound();
}

/** Someone's role in an organization as it stands now; for no one, that of the organization's key. */
export async function organizationRoleOf(
  tx: Tx,
  organizationId: string,
  userId: string | null,
): Promise<OrganizationRole | null> {
  if (userId === null) return 'ADMIN';
  const [row] = await tx.sql<{
    role: OrganizationRole;
  }>`select role from "OrganizationMember" where "organizationId" = ${organizationId} and "userId" = ${userId}`;
  return row?.role ?? null;
}

/** An OWNER of an organization besides `userId`: whoever acts, if they are one, else the first who joined; null when there is none. */
export async function anOwnerOf(tx: Tx, organizationId: string, userId: string | null): Promise<string | null> {
  const [row] = await tx.sql<{ userId: string }>`select "userId" from "OrganizationMember"
    where "organizationId" = ${organizationId} and role = 'OWNER' and "userId" is distinct from ${userId}::text
    order by "userId" is not distinct from ${tx.actorId}::text desc, "createdAt", "userId" limit 1`;
  return row?.userId ?? null;
}

/** Gives a member another role; CONFLICT for another version, and for the last OWNER. */
export async function updateOrganizationMember(
  ctx: Ctx,
  input: UpdateOrganizationMemberInput,
): Promise<Written<OrganizationMemberRow>> {
  const { organizationId, userId, role, version } = parse(OrganizationMemberChange, input);
  return write(ctx, 'organization.members', { organization: organizationId }, async (tx) => {
    await lockOrganization(tx, organizationId);
    const member = await memberBelow(tx, organizationId, userId, role);
    if (member.version !== version) throw staleVersion('The member', member.version);
    if (member.role === 'OWNER' && role !== 'OWNER' && !(await anOwnerOf(tx, organizationId, userId)))
      throw lastOwner();
    const [row] =
      await tx.sql<OrganizationMemberRow>`update "OrganizationMember" set role = ${role}::"OrganizationRole", version = version + 1, "updatedAt" = ${tx.now}
      where "organizationId" = ${organizationId} and "userId" = ${userId} and version = ${version} returning ${columns}`;
    if (!row) throw notFound();
    tx.emit('organization.memberUpdated', 'Organization', organizationId, { userId, role, version: row.version });
    return row;
  });
}

/** Takes a member out, and with `leave` what else they have there, in one transaction; CONFLICT for the last OWNER. */
export async function removeOrganizationMember(
  ctx: Ctx,
  { organizationId, userId }: RemoveOrganizationMemberInput,
  leave: LeaveOrganization,
): Promise<Written<string>> {
  const isSelf = userId === ctx.viewer?.userId;
  return write(
    ctx,
    isSelf ? 'organization.leave' : 'organization.members',
    { organization: organizationId },
    async (tx) => {
      await lockOrganization(tx, organizationId);
      if (!isSelf) await memberBelow(tx, organizationId, userId, 'MEMBER');
      const heirId = await anOwnerOf(tx, organizationId, userId);
      if (!heirId) throw lastOwner();
      await leave(tx, { organizationId, userId, heirId });
      const [row] =
        await tx.sql`delete from "OrganizationMember" where "organizationId" = ${organizationId} and "userId" = ${userId} returning "userId"`;
      if (!row) throw notFound();
      tx.emit('organization.memberRemoved', 'Organization', organizationId, { userId }, { operation: 'DELETE' });
      return userId;
    },
  );
}

/** The member, when the acting person stands neither below them nor below `role`, as roles are under the lock. */
async function memberBelow(
  tx: Tx,
  organizationId: string,
  userId: string,
  role: OrganizationRole,
): Promise<OrganizationMemberRow> {
  const own = await organizationRoleOf(tx, organizationId, tx.actorId);
  if (!own) throw notFound();
  if (!organizationRoleHolds(own, 'ADMIN'))
    throw new AppError('FORBIDDEN', `It needs the role ADMIN; the viewer is ${own}.`);
  if (!organizationRoleHolds(own, role)) throw new AppError('FORBIDDEN', `Only an OWNER can give the role ${role}.`);
  const [member] =
    await tx.sql<OrganizationMemberRow>`select ${columns} from "OrganizationMember" where "organizationId" = ${organizationId} and "userId" = ${userId}`;
  if (!member) throw notFound();
  if (!organizationRoleHolds(own, member.role))
    throw new AppError('FORBIDDEN', `The member is ${member.role}, above the viewer.`);
  return member;
}
