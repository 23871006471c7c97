import type { Ctx } from '../../core/context.js';
import { type List, loadList, readList } from '../../core/lists.js';
import { load } from '../../core/loaders.js';
import { type Page, type PageArgs, windowOf } from '../../core/page.js';
import type { Selection } from '../../core/reading.js';
import type { Related } from '../../core/related.js';
import { roles } from '../../core/roles.js';
import type { SpaceBy } from '../../generated/graphql.js';
import { type SpaceMemberRow, type SpaceRow, spaceMemberShape, spaceShape } from './space.js';

/** Members of a space in the order of joining. */
export const membersOfSpace: Related<SpaceMemberRow> = {
  shape: spaceMemberShape,
  keys: ['spaceId'],
  order: { columns: ['createdAt', 'userId'], direction: 'asc' },
};

/** Spaces of an organization, newest first. */
export const spacesOfOrganization: Related<SpaceRow> = {
  shape: spaceShape,
  keys: ['organizationId'],
  order: { columns: ['id'], direction: 'desc' },
};

const ofOwner = `(t."ownerUserId" = (select id from "User" where handle = $1::citext)
  or t."organizationId" = (select id from "Organization" where slug = $1::citext)) and t.slug = $2::citext`;

/** The space of this id, or of this owner and slug, as the viewer may see it; or null. */
export async function spaceBy(ctx: Ctx, { id, slug }: SpaceBy, at?: Selection): Promise<SpaceRow | null> {
  if (id != null) return load(ctx, spaceShape, id, at);
  const list: List<SpaceRow> = {
    shape: spaceShape,
    name: 'space of owner and slug',
    where: ofOwner,
    values: [slug?.owner, slug?.slug],
    // A user and an organization may share a name; spaces without an organization come first.
    order: { columns: ['organizationId', 'id'], direction: 'desc' },
  };
  const { rows } = await loadList(ctx, list, { first: 1 }, at);
  return rows[0] ?? null;
}

/** One page of the spaces in which the viewer has a role, newest first. */
export async function spacesOfViewer(ctx: Ctx, args: PageArgs, at?: Selection): Promise<Page<SpaceRow>> {
  const { userId, spacesWith } = await roles(ctx);
  const list: List<SpaceRow> = {
    shape: spaceShape,
    name: 'spaces of ids',
    where: 't.id = any($1::text[])',
    values: [spacesWith('VIEWER')],
    order: { columns: ['id'], direction: 'desc' },
  };
  // Cursors hold while roles come and go, so their title does not name the ids.
  const title = `spaces of ${userId}`;
  return readList(ctx, list, windowOf(args, list.order, title), title, at);
}
