import { z } from 'zod';
import { isSoundText } from '../../core/json.js';
import { name, slug, text, version } from '../../core/rules.js';
import { shape } from '../../core/shape.js';
import type { Post as PostModel } from '../../generated/prisma/client.js';
import { userShape } from '../identity/user.js';

const columns = [
  'id',
  'spaceId',
  'authorId',
  'slug',
  'title',
  'content',
  'excerpt',
  'summary',
  'isPublished',
  'publishedAt',
  'viewCount',
  'version',
  'createdAt',
  'updatedAt',
] as const;
export type PostRow = Pick<PostModel, (typeof columns)[number]>;

/** What leaves the database of a post. */
export const postShape = shape<PostRow>({
  model: 'Post',
  key: 'id',
  columns,
  // Whether reading it is a view.
  always: ['id', 'isPublished'],
  fields: { space: ['spaceId'], author: ['authorId'], excerpt: ['excerpt', 'summary'] },
  inJson: { publishedAt: 'instant', createdAt: 'instant', updatedAt: 'instant' },
  along: { author: { column: 'authorId', shape: userShape } },
});

/** In characters; the search column, which is made of it, can hold no more. */
export const maxContent = 100_000;

const content = z
  .string()
  .max(maxContent, `must be at most ${maxContent} characters`)
  .refine(isSoundText, 'must not hold U+0000 or lone surrogates');
// Blanks alone are no excerpt, and one is made.
const excerpt = text(500)
  .nullish()
  .transform((value) => (value === '' ? null : value));

export const NewPost = z.object({ spaceId: z.string(), title: name, content, slug: slug.nullish(), excerpt });

export const PostChange = z.object({
  id: z.string(),
  version,
  title: name.optional(),
  content: content.optional(),
  slug: slug.optional(),
  excerpt,
});

/** Which version of a post is to be published, unpublished or deleted. */
export const PostVersion = z.object({ id: z.string(), version });
