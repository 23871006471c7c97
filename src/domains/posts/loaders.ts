import type { Ctx } from '../../core/context.js';
import type { Listed } from '../../core/list-field.js';
import { type List, loadList } from '../../core/lists.js';
import { load } from '../../core/loaders.js';
import type { Order } from '../../core/page.js';
import type { Selection } from '../../core/reading.js';
import type { Related } from '../../core/related.js';
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

/** The posts of a space that pass a filter. */
export function postsOf({ filter, orderBy }: SpacePostsArgs): Listed<PostRow> {
  const { isPublished, authorId } = filter ?? {};
  const ofAuthor = authorId != null;
  const byTime = orderBy === 'PUBLISHED_DESC';
  const list = byTime ? (ofAuthor ? publishedOfAuthor : publishedOfSpace) : ofAuthor ? postsOfAuthor : postsOfSpace;
  const wanted = isPublished == null ? [] : [states[`${isPublished}`]];
  // Drafts have no place among times of publication.
  const where = [...wanted, ...(byTime ? [states.true] : [])].join(' and ');
  const keys = ofAuthor ? ['spaceId', 'authorId'] : ['spaceId'];
  return { list: { ...list, keys, where }, values: ofAuthor ? [authorId] : [] };
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
