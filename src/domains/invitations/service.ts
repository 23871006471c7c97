import { createHash, randomBytes } from 'node:crypto';
import type { Ctx } from '../../core/context.js';
import { AppError, badInput, notFound } from '../../core/errors.js';
import { newId } from '../../core/ids.js';
import { load, loadExisting } from '../../core/loaders.js';
import { organizationRoleHolds, spaceRoleHolds } from '../../core/roles.js';
import { columnsSql, sqlText } from '../../core/sql.js';
import { type Tx, type Written, write } from '../../core/write.js';
import type { AcceptInvitationInput, CreateInvitationInput, RevokeInvitationInput } from '../../generated/graphql.js';
import { organizationRoleOf } from '../organizations/members.js';
import { type OrganizationRow, organizationShape } from '../organizations/organization.js';
import { assertGives, spaceRoleOf } from '../spaces/members.js';
import { type SpaceRow, spaceShape } from '../spaces/space.js';
import { type InvitationRow, invitationShape, NewInvitation, openDays } from './invitation.js';

const columns = columnsSql(invitationShape);
const open = sqlText('"acceptedAt" is null and "revokedAt" is null');
const dayMs = 24 * 60 * 60 * 1_000;

const hashOf = (token: string) => createHash('sha256').update(token).digest('hex');

/** Offers a role to an address. The token is answered once and stored as its hash only. */
export async function createInvitation(
  ctx: Ctx,
  input: CreateInvitationInput,
): Promise<Written<InvitationRow> & { token: string | null }> {
  const offer = offerOf(input);
  const token = randomBytes(32).toString('base64url');
  const change = async (tx: Tx) => {
    const organizationId = offer.spaceId === null ? offer.organizationId : await organizationOfSpace(tx, offer.spaceId);
    if (offer.spaceId === null) await assertOffers(tx, offer.organizationId, offer.organizationRole);
    else await assertGives(tx, offer.spaceId, offer.spaceRole);
    // An offer that has run out makes way for a new one; the expressions are those of the index of open offers.
    await tx.sql`update "Invitation" set "revokedAt" = ${tx.now}, version = version + 1, "updatedAt" = ${tx.now}
      where coalesce("organizationId", '') = ${organizationId ?? ''} and coalesce("spaceId", '') = ${offer.spaceId ?? ''} and email = ${offer.email}::citext
        and ${open} and "expiresAt" <= ${tx.now}`;
    const [row] = await tx.sql<InvitationRow>`insert into "Invitation"
        (id, "organizationId", "spaceId", email, "organizationRole", "spaceRole", "tokenHash", "invitedById", "invitedByKeyId", "expiresAt", "createdAt", "updatedAt")
      values (${newId('inv')}, ${organizationId}, ${offer.spaceId}, ${offer.email}, ${offer.organizationRole}::"OrganizationRole", ${offer.spaceRole}::"SpaceRole",
        ${hashOf(token)}, ${tx.actorId}, ${tx.actorId === null ? (ctx.viewer?.apiKeyId ?? null) : null}, ${new Date(tx.now.getTime() + openDays * dayMs)}, ${tx.now}, ${tx.now})
      on conflict do nothing returning ${columns}`;
    if (!row) throw new AppError('CONFLICT', 'There is an open offer to this address; revoke it first.');
    tx.emit('invitation.created', 'Invitation', row.id, { role: `${row.spaceRole ?? row.organizationRole}` });
    return row;
  };
  const written = await writeIn(ctx, offer, change);
  return { ...written, token: written.repeated ? null : token };
}

/** An invitation that was taken up, and what it leads to as whoever took it up sees it. */
export interface Accepted {
  readonly invitation: InvitationRow;
  readonly organization: OrganizationRow | null;
  readonly space: SpaceRow | null;
}

/** Takes up an offer: of any number of calls with its token, one. The viewer keeps a role that is higher already. */
export async function acceptInvitation(ctx: Ctx, { token }: AcceptInvitationInput): Promise<Written<Accepted>> {
  const written = await write(ctx, 'invitation.accept', { self: true }, async (tx) => {
    const invitation = await consume(tx, hashOf(token), ctx.app.issuer.name);
    const { id, organizationId, organizationRole, spaceId, spaceRole } = invitation;
    const userId = tx.actorId ?? '';
    if (spaceId !== null && spaceRole !== null) {
      const [member] = await tx.sql<{
        version: number;
      }>`insert into "SpaceMember" as m ("spaceId", "userId", role, "createdAt", "updatedAt")
        values (${spaceId}, ${userId}, ${spaceRole}::"SpaceRole", ${tx.now}, ${tx.now})
        on conflict ("spaceId", "userId") do update set role = excluded.role, version = m.version + 1, "updatedAt" = excluded."updatedAt" where m.role < excluded.role returning version`;
      const space = tx.in({ space: spaceId });
      space.emit('invitation.accepted', 'Invitation', id, { userId, role: spaceRole });
      // Offers are the admins' business, members are everybody's.
      const type = member?.version === 1 ? 'space.memberAdded' : 'space.memberUpdated';
      if (member) space.emit(type, 'Space', spaceId, { userId, role: spaceRole, version: member.version });
    } else if (organizationId !== null && organizationRole !== null) {
      await tx.sql`insert into "OrganizationMember" as m ("organizationId", "userId", role, "createdAt", "updatedAt")
        values (${organizationId}, ${userId}, ${organizationRole}::"OrganizationRole", ${tx.now}, ${tx.now})
        on conflict ("organizationId", "userId") do update set role = excluded.role, version = m.version + 1, "updatedAt" = excluded."updatedAt" where m.role < excluded.role`;
      tx.in({ organization: organizationId }).emit('invitation.accepted', 'Invitation', id, {
        userId,
        role: organizationRole,
      });
    }
    return invitation;
  });
  const invitation = written.value;
  const { organizationId, spaceId } = invitation;
  const [organization, space] = await Promise.all([
    spaceId !== null || organizationId === null ? null : load(ctx, organizationShape, organizationId),
    spaceId === null ? null : load(ctx, spaceShape, spaceId),
  ]);
  return { ...written, value: { invitation, organization, space } };
}

/** Takes an open offer back; answers it as it was last. */
export async function revokeInvitation(ctx: Ctx, { id }: RevokeInvitationInput): Promise<Written<InvitationRow>> {
  const invitation = await loadExisting(ctx, invitationShape, id);
  return writeIn(ctx, invitation, async (tx) => {
    const [row] =
      await tx.sql<InvitationRow>`update "Invitation" set "revokedAt" = ${tx.now}, version = version + 1, "updatedAt" = ${tx.now} where id = ${id} and ${open} returning ${columns}`;
    if (!row) throw notFound();
    tx.emit('invitation.revoked', 'Invitation', id);
    return row;
  });
}

function offerOf({
  email,
  organizationId = null,
  organizationRole = null,
  spaceId = null,
  spaceRole = null,
}: CreateInvitationInput) {
  const { data, error } = NewInvitation.safeParse({ email, organizationId, organizationRole, spaceId, spaceRole });
  if (data) return data;
  const isAddress = error.issues.every(({ path }) => path[0] !== 'email');
  throw isAddress
    ? badInput('organizationId', 'either it and organizationRole, or spaceId and spaceRole')
    : badInput('email', 'must be an e-mail address');
}

type Place = Pick<InvitationRow, 'spaceId' | 'organizationId'>;

/** Changes the offers of a role in a place. */
function writeIn<T>(ctx: Ctx, { spaceId, organizationId }: Place, change: (tx: Tx) => Promise<T>): Promise<Written<T>> {
  if (spaceId !== null) return write(ctx, 'space.members', { space: spaceId }, change);
  return write(ctx, 'organization.invite', { organization: organizationId ?? '' }, change);
}

async function organizationOfSpace(tx: Tx, spaceId: string): Promise<string | null> {
  const [space] = await tx.sql<{
    organizationId: string | null;
  }>`select "organizationId" from "Space" where id = ${spaceId} and "deletedAt" is null`;
  if (!space) throw notFound();
  return space.organizationId;
}

async function assertOffers(
  tx: Tx,
  organizationId: string,
  role: NonNullable<InvitationRow['organizationRole']>,
): Promise<void> {
  const own = await organizationRoleOf(tx, organizationId, tx.actorId);
  if (!own) throw notFound();
  if (!organizationRoleHolds(own, 'ADMIN'))
    throw new AppError('FORBIDDEN', `It needs the role ADMIN; the viewer is ${own}.`);
  if (!organizationRoleHolds(own, role)) throw new AppError('FORBIDDEN', `Only an OWNER can offer the role ${role}.`);
}

/** Marks an offer as taken, in one statement; NOT_FOUND when it is not open any more, FORBIDDEN when it is someone else's. */
async function consume(tx: Tx, tokenHash: string, issuer: string): Promise<InvitationRow> {
  const [row] = await tx.sql<
    InvitationRow & Inviter
  >`update "Invitation" set "acceptedAt" = ${tx.now}, version = version + 1, "updatedAt" = ${tx.now}
    where "tokenHash" = ${tokenHash} and ${open} and "expiresAt" > ${tx.now} returning ${columns}, "invitedById", "invitedByKeyId"`;
  if (!row || !(await stands(tx, row, row))) throw notFound();
  // An address that somebody signed up with is theirs to be invited at: who holds the token has read what was sent there.
  const [user] =
    await tx.sql`select u.id from "User" u where u.id = ${tx.actorId} and u.status = 'ACTIVE' and (u.email = ${row.email}::citext or exists (
      select from "Identity" i join "IssuerUser" a on a.id = i.subject where i."userId" = u.id and i.issuer = ${issuer} and a.email = lower(${row.email})))`;
  // Thrown within the change: the offer stays open.
  if (!user) throw new AppError('FORBIDDEN', 'The offer is made to another e-mail address than yours.');
  return row;
}

/** Who made an offer: a person, or a key of the organization. */
interface Inviter {
  readonly invitedById: string | null;
  readonly invitedByKeyId: string | null;
}

/** Whether a key still counts. */
async function counts(tx: Tx, keyId: string | null): Promise<boolean> {
  const [key] =
    await tx.sql`select id from "ApiKey" where id = ${keyId} and "revokedAt" is null and ("expiresAt" is null or "expiresAt" > ${tx.now}) for share`;
  return key !== undefined;
}

/** Whether the place is still there, and whoever made the offer could make it now: no one's offers outlive their own role. */
async function stands(
  tx: Tx,
  { organizationId, organizationRole, spaceId, spaceRole }: InvitationRow,
  { invitedById, invitedByKeyId }: Inviter,
): Promise<boolean> {
  if (invitedById === null && !(await counts(tx, invitedByKeyId))) return false;
  if (spaceId !== null && spaceRole !== null) {
    const [place] = await tx.sql`select id from "Space" where id = ${spaceId} and "deletedAt" is null for share`;
    const role = await spaceRoleOf(tx, spaceId, invitedById);
    return place !== undefined && spaceRoleHolds(role, 'ADMIN') && spaceRoleHolds(role, spaceRole);
  }
  if (organizationId === null || organizationRole === null) return false;
  const [place] =
    await tx.sql`select id from "Organization" where id = ${organizationId} and "deletedAt" is null for share`;
  const role = await organizationRoleOf(tx, organizationId, invitedById);
  return place !== undefined && organizationRoleHolds(role, 'ADMIN') && organizationRoleHolds(role, organizationRole);
}
