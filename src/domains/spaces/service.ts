import type { Ctx } from '../../core/context.js';
import { notFound } from '../../core/errors.js';
import { newId } from '../../core/ids.js';
import { parse } from '../../core/input.js';
import { restorableDays } from '../../core/roles.js';
import { columnsSql } from '../../core/sql.js';
import { unchanged } from '../../core/versions.js';
import { type Tx, type Written, write } from '../../core/write.js';
import type {
  CreateSpaceInput,
  DeleteSpaceInput,
  RestoreSpaceInput,
  UpdateSpaceInput,
} from '../../generated/graphql.js';
import { anOwnerOf, lockOrganization, organizationRoleOf } from '../organizations/members.js';
import { NewSpace, SpaceChange, type SpaceRow, spaceShape } from './space.js';

const columns = columnsSql(spaceShape);
const dayMs = 24 * 60 * 60 * 1_000;

/** Writes what a new space begins with. */
export type FirstContent = (tx: Tx, spaceId: string) => Promise<void>;

/** Makes a space, its first member and its first content, all or nothing. */
export async function createSpace(
  ctx: Ctx,
  input: Omit<CreateSpaceInput, 'tree'>,
  firstContent: FirstContent,
): Promise<Written<SpaceRow>> {
  const { slug, name, visibility, organizationId = null } = parse(NewSpace, input);
  const change = async (tx: Tx) => {
    const ownerId = organizationId === null ? tx.actorId : await ownerIn(tx, organizationId);
    if (!ownerId) throw notFound();
    const [row] =
      await tx.sql<SpaceRow>`insert into "Space" (id, "ownerUserId", "organizationId", slug, name, visibility, "createdAt", "updatedAt")
      values (${newId('space')}, ${organizationId === null ? ownerId : null}, ${organizationId}, ${slug}, ${name}, ${visibility}::"SpaceVisibility", ${tx.now}, ${tx.now})
      returning ${columns}`;
    if (!row) throw new Error('A space was not made.');
    await tx.sql`insert into "SpaceMember" ("spaceId", "userId", role, "createdAt", "updatedAt") values (${row.id}, ${ownerId}, 'OWNER', ${tx.now}, ${tx.now})`;
    const here = tx.in(placeOf(row));
    here.emit('space.created', 'Space', row.id, { userId: ownerId, role: 'OWNER' });
    await firstContent(here, row.id);
    return row;
  };
  if (organizationId === null) return write(ctx, 'space.create', { self: true }, change);
  return write(ctx, 'organization.createSpace', { organization: organizationId }, change);
}

/** Who becomes OWNER of a new space of an organization: who makes it; for the organization's key, one of its owners. */
async function ownerIn(tx: Tx, organizationId: string): Promise<string | null> {
  await lockOrganization(tx, organizationId);
  if (tx.actorId === null) return anOwnerOf(tx, organizationId, null);
  return (await organizationRoleOf(tx, organizationId, tx.actorId)) && tx.actorId;
}

/** Where the events of a space belong: to it, and to the organization whose admins have roles in it. */
const placeOf = ({ id, organizationId }: SpaceRow) =>
  organizationId === null ? { space: id } : { space: id, organization: organizationId };

/** Changes the fields that are given; CONFLICT unless it has the version. */
export async function updateSpace(ctx: Ctx, input: UpdateSpaceInput): Promise<Written<SpaceRow>> {
  const { id, version, slug, name, visibility } = parse(SpaceChange, input);
  return write(ctx, 'space.update', { space: id }, async (tx) => {
    const [row] =
      await tx.sql<SpaceRow>`update "Space" set slug = coalesce(${slug ?? null}::citext, slug), name = coalesce(${name ?? null}::text, name),
      visibility = coalesce(${visibility ?? null}::"SpaceVisibility", visibility), version = version + 1, "updatedAt" = ${tx.now}
      where id = ${id} and version = ${version} and "deletedAt" is null returning ${columns}`;
    if (!row) throw await unchanged(tx, spaceShape, id);
    tx.emit('space.updated', 'Space', id, { version: row.version });
    return row;
  });
}

/** What became of a deleted space. */
export interface Deletion {
  readonly deletedSpaceId: string;
  readonly restorableUntil: Date;
}

/** Hides a space with all it holds; it can be restored for some days. */
export async function deleteSpace(ctx: Ctx, { id, version }: DeleteSpaceInput): Promise<Written<Deletion>> {
  return write(ctx, 'space.delete', { space: id }, async (tx) => {
    const [row] =
      await tx.sql<SpaceRow>`update "Space" set "deletedAt" = ${tx.now}, version = version + 1, "updatedAt" = ${tx.now}
      where id = ${id} and version = ${version} and "deletedAt" is null returning ${columns}`;
    if (!row) throw await unchanged(tx, spaceShape, id);
    tx.emit('space.deleted', 'Space', id, { version: row.version });
    return { deletedSpaceId: id, restorableUntil: new Date(tx.now.getTime() + restorableDays * dayMs) };
  });
}

/** Brings a deleted space back; NOT_FOUND once its days are over, or its organization is gone. */
export async function restoreSpace(ctx: Ctx, { id }: RestoreSpaceInput): Promise<Written<SpaceRow>> {
  return write(ctx, 'space.restore', { space: id }, async (tx) => {
    const [space] = await tx.sql<
      Pick<SpaceRow, 'organizationId'>
    >`select "organizationId" from "Space" where id = ${id}`;
    if (space?.organizationId) await lockOrganization(tx, space.organizationId);
    const since = new Date(tx.now.getTime() - restorableDays * dayMs);
    const [row] =
      await tx.sql<SpaceRow>`update "Space" set "deletedAt" = null, version = version + 1, "updatedAt" = ${tx.now}
      where id = ${id} and "deletedAt" > ${since} returning ${columns}`;
    if (!row) throw notFound();
    tx.emit('space.restored', 'Space', id, { version: row.version });
    return row;
  });
}
