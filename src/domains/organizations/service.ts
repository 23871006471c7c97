import type { Ctx } from '../../core/context.js';
import { AppError } from '../../core/errors.js';
import { newId } from '../../core/ids.js';
import { parse } from '../../core/input.js';
import { columnsSql } from '../../core/sql.js';
import { unchanged } from '../../core/versions.js';
import { type Written, write } from '../../core/write.js';
import type {
  CreateOrganizationInput,
  DeleteOrganizationInput,
  UpdateOrganizationInput,
} from '../../generated/graphql.js';
import { lockOrganization } from './members.js';
import { NewOrganization, OrganizationChange, type OrganizationRow, organizationShape } from './organization.js';

const columns = columnsSql(organizationShape);

/** Makes an organization with the viewer as its OWNER. */
export async function createOrganization(ctx: Ctx, input: CreateOrganizationInput): Promise<Written<OrganizationRow>> {
  const { slug, name } = parse(NewOrganization, input);
  return write(ctx, 'organization.create', { self: true }, async (tx) => {
    const [row] = await tx.sql<OrganizationRow>`insert into "Organization" (id, slug, name, "createdAt", "updatedAt")
      values (${newId('org')}, ${slug}, ${name}, ${tx.now}, ${tx.now}) returning ${columns}`;
    if (!row || !tx.actorId) throw new Error('An organization was not made.');
    await tx.sql`insert into "OrganizationMember" ("organizationId", "userId", role, "createdAt", "updatedAt")
      values (${row.id}, ${tx.actorId}, 'OWNER', ${tx.now}, ${tx.now})`;
    tx.in({ organization: row.id }).emit('organization.created', 'Organization', row.id, {
      userId: tx.actorId,
      role: 'OWNER',
    });
    return row;
  });
}

/** Changes the fields that are given; CONFLICT unless it has the version. */
export async function updateOrganization(ctx: Ctx, input: UpdateOrganizationInput): Promise<Written<OrganizationRow>> {
  const { id, version, slug, name } = parse(OrganizationChange, input);
  return write(ctx, 'organization.update', { organization: id }, async (tx) => {
    const [row] =
      await tx.sql<OrganizationRow>`update "Organization" set slug = coalesce(${slug ?? null}::citext, slug), name = coalesce(${name ?? null}::text, name),
      version = version + 1, "updatedAt" = ${tx.now} where id = ${id} and version = ${version} and "deletedAt" is null returning ${columns}`;
    if (!row) throw await unchanged(tx, organizationShape, id);
    tx.emit('organization.updated', 'Organization', id, { version: row.version });
    return row;
  });
}

/** Deletes an organization for good; CONFLICT while it owns spaces. */
export async function deleteOrganization(ctx: Ctx, { id, version }: DeleteOrganizationInput): Promise<Written<string>> {
  return write(ctx, 'organization.delete', { organization: id }, async (tx) => {
    // Whoever makes or restores a space of it holds this lock too: none appears behind our back.
    await lockOrganization(tx, id);
    const [space] = await tx.sql`select id from "Space" where "organizationId" = ${id} and "deletedAt" is null limit 1`;
    if (space) throw new AppError('CONFLICT', 'The organization owns spaces; delete them first.');
    // Its slug becomes one that nobody can choose.
    const [row] =
      await tx.sql`update "Organization" set slug = id, "deletedAt" = ${tx.now}, version = version + 1, "updatedAt" = ${tx.now}
      where id = ${id} and version = ${version} and "deletedAt" is null returning id`;
    if (!row) throw await unchanged(tx, organizationShape, id);
    tx.emit('organization.deleted', 'Organization', id, {}, { operation: 'DELETE' });
    return id;
  });
}
