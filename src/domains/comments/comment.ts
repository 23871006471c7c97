import { z } from 'zod';
import { isSoundText } from '../../core/json.js';
import { version } from '../../core/rules.js';
import { shape } from '../../core/shape.js';
import type { Comment as CommentModel } from '../../generated/prisma/client.js';
import { userShape } from '../identity/user.js';

const columns = [
  'id',
  'spaceId',
  'subjectId',
  'parentId',
  'authorId',
  'content',
  'depth',
  'version',
  'deletedAt',
  'createdAt',
  'updatedAt',
] as const;
export type CommentRow = Pick<CommentModel, (typeof columns)[number]>;

/** What leaves the database of a comment. */
export const commentShape = shape<CommentRow>({
  model: 'Comment',
  key: 'id',
  columns,
  always: ['id'],
  fields: {
    subject: ['subjectId'],
    parent: ['parentId'],
    author: ['authorId'],
    isDeleted: ['deletedAt'],
  },
  inJson: { deletedAt: 'instant', createdAt: 'instant', updatedAt: 'instant' },
  along: { author: { column: 'authorId', shape: userShape } },
});

/** How many comments can be above one. */
export const maxDepth = 8;
const maxContent = 10_000;

const content = z
  .string()
  .max(maxContent, `must be at most ${maxContent} characters`)
  .refine((value) => value.trim() !== '', 'must not be empty')
  .refine(isSoundText, 'must not hold U+0000 or lone surrogates');

export const NewComment = z.object({ subjectId: z.string(), parentId: z.string().nullish(), content });
export const CommentChange = z.object({ id: z.string(), version, content });
export const CommentVersion = z.object({ id: z.string(), version });
