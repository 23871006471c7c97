import { z } from 'zod';
import { loadPage } from '../../core/pages.js';
import { slug } from '../../core/rules.js';
import { insertPost } from '../../domains/posts/insertion.js';
import { postsOfSpace } from '../../domains/posts/loaders.js';
import { NewPost } from '../../domains/posts/post.js';
import { date, reference } from './format.js';
import { importer } from './importer.js';
import { handleOf, source } from './source.js';

const oldest = { ...postsOfSpace, order: { ...postsOfSpace.order, direction: 'asc' } } as const;

/** Posts, and the drafts that the viewer sees. How often they were read is not theirs to take along. */
export const posts = source({
  kind: 'post',
  type: 'Post',
  scopes: ['posts:read'],
  page: ({ ctx, spaceId }, args) => loadPage(ctx, oldest, [spaceId], args),
  item: async (exporting, post) => ({
    kind: 'post',
    id: post.id,
    slug: post.slug,
    title: post.title,
    content: post.content,
    excerpt: post.excerpt,
    publishedAt: post.publishedAt,
    author: await handleOf(exporting, post.authorId),
    createdAt: post.createdAt,
    updatedAt: post.updatedAt,
  }),
});

const { title, content, excerpt } = NewPost.shape;

export const importPost = importer({
  rules: z.object({
    id: reference,
    slug,
    title,
    content,
    excerpt,
    publishedAt: date.nullable(),
    createdAt: date,
    updatedAt: date,
  }),
  action: 'post.write',
  key: ({ id }) => id,
  add: (tx, given, _, { spaceId }) => insertPost(tx, { ...given, spaceId }),
});
