import type { z } from 'zod';
import { newId } from '../../core/ids.js';
import type { Tx } from '../../core/write.js';
import type { NewPost } from './post.js';
import { freeSlug, lockSlugs } from './slug.js';
import { summaryOf } from './summary.js';

/** A post that was somewhere else before; `publishedAt` is null for a draft. */
export type GivenPost = Omit<z.output<typeof NewPost>, 'slug'> & {
  readonly slug: string;
  readonly publishedAt: Date | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
};

/** Adds a post with the dates it had, and with a number behind its slug when that is taken; answers its id. */
export async function insertPost(tx: Tx, post: GivenPost): Promise<string> {
  const { spaceId, title, content, excerpt = null, publishedAt } = post;
  await lockSlugs(tx, spaceId);
  const slug = await freeSlug(tx, spaceId, post.slug);
  const id = newId('post');
  await tx.sql`insert into "Post" (id, "spaceId", "authorId", slug, title, content, excerpt, summary, "isPublished", "publishedAt", "createdAt", "updatedAt")
    values (${id}, ${spaceId}, ${tx.actorId}, ${slug}, ${title}, ${content}, ${excerpt}, ${summaryOf(content)}, ${publishedAt !== null},
      least(${publishedAt}::timestamptz, ${publishedAt && tx.now}), least(${post.createdAt}::timestamptz, ${tx.now}), least(${post.updatedAt}::timestamptz, ${tx.now}))`;
  tx.emit('post.created', 'Post', id, { version: 1 });
  if (publishedAt) tx.emit('post.published', 'Post', id, { version: 1 });
  return id;
}
