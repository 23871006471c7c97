import type { Ctx } from '../../core/context.js';
import { type List, readList } from '../../core/lists.js';
import { load, loadBy } from '../../core/loaders.js';
import { type Page, type PageArgs, windowOf } from '../../core/page.js';
import type { Selection } from '../../core/reading.js';
import type { Related } from '../../core/related.js';
import { roles } from '../../core/roles.js';
import type { OrganizationBy } from '../../generated/graphql.js';
import {
  type OrganizationMemberRow,
  type OrganizationRow,
  organizationMemberShape,
  organizationShape,
} from './organization.js';

/** Members of an organization in the order of joining. */
export const membersOfOrganization: Related<OrganizationMemberRow> = {
  shape: organizationMemberShape,
  keys: ['organizationId'],
  order: { columns: ['createdAt', 'userId'], direction: 'asc' },
};

/** The organization of this id or slug as the viewer may see it, or null. */
export async function organizationBy(
  ctx: Ctx,
  { id, slug }: OrganizationBy,
  at?: Selection,
): Promise<OrganizationRow | null> {
  return id == null ? loadBy(ctx, organizationShape, 'slug', slug ?? '', at) : load(ctx, organizationShape, id, at);
}

/** One page of the organizations that the viewer is a member of, newest first. */
export async function organizationsOfViewer(ctx: Ctx, args: PageArgs, at?: Selection): Promise<Page<OrganizationRow>> {
  const { userId, organizationsWith } = await roles(ctx);
  const list: List<OrganizationRow> = {
    shape: organizationShape,
    name: 'organizations of ids',
    where: 't.id = any($1::text[])',
    values: [organizationsWith('MEMBER')],
    order: { columns: ['id'], direction: 'desc' },
  };
  // Cursors hold while memberships come and go, so their title does not name the ids.
  const title = `organizations of ${userId}`;
  return readList(ctx, list, windowOf(args, list.order, title), title, at);
}
