import type { Ctx } from '../../core/context.js';
import { type List, loadList } from '../../core/lists.js';
import { load, loadPage, type Related } from '../../core/loaders.js';
import type { Order, Page } from '../../core/page.js';
import type { Selection } from '../../core/shape.js';
import type { PostBy, SpacePostsArgs } from '../../generated/graphql.js';
import { type PostRow, postShape } from './post.js';

const created: Order = { columns: ['id'], direction: 'desc' };
const published: Order = { columns: ['publishedAt', 'id'], direction: 'desc' };

/** Posts of a space, the latest made first. */
export const postsOfSpace: Related<PostRow> = { shape: postShape, keys: ['spaceId'], order: created };

/** Posts of one author in a space, the latest made first. */
export const postsOfAuthor: Related<PostRow> = { shape: postShape, keys: ['authorId', 'spaceId'], order: created };

/** Published posts of a space, the latest published first. */
export const publishedOfSpace: Related<PostRow> = { ...postsOfSpace, order: published };

/** Published posts of one author in a space, the latest published first. */
export const publishedOfAuthor: Related<PostRow> = { ...postsOfAuthor, order: published };

const states = { true: 't."isPublished"', false: 'not t."isPublished"' } as const;

/** One page of a space's posts; those of all spaces of one moment take one statement. */
export function postsOf(ctx: Ctx, spaceId: string, args: SpacePostsArgs, at?: Selection): Promise<Page<PostRow>> {
  const { isPublished, authorId } = args.filter ?? {};
  const ofAuthor = authorId != null;
  const byTime = args.orderBy === 'PUBLISHED_DESC';
  const list = byTime ? (ofAuthor ? publishedOfAuthor : publishedOfSpace) : ofAuthor ? postsOfAuthor : postsOfSpace;
  const wanted = isPublished == null ? [] : [states[`${isPublished}`]];
  // Drafts have no place among times of publication.
  const where = [...wanted, ...(byTime ? [states.true] : [])].join(' and ');
  return loadPage(ctx, { ...list, where }, ofAuthor ? [authorId, spaceId] : [spaceId], args, at);
}

/** The post of this id, or of this space and slug, as the viewer may see it; or null. */
export async function postBy(ctx: Ctx, { id, slug }: PostBy, at?: Selection): Promise<PostRow | null> {
  if (id != null) return load(ctx, postShape, id, at);
  const list: List<PostRow> = {
    shape: postShape,
    name: 'post of space and slug',
    where: 't."spaceId" = $1 and t.slug = $2',
    values: [slug?.spaceId, slug?.slug],
    order: created,
    ...(slug && { within: slug.spaceId }),
  };
  const { rows } = await loadList(ctx, list, { first: 1 }, at);
  return rows[0] ?? null;
}
