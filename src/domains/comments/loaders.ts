import type { Related } from '../../core/related.js';
import { type CommentRow, commentShape } from './comment.js';

/** Comments on a subject that are no replies, in the order of writing. */
export const commentsOf: Related<CommentRow> = {
  shape: commentShape,
  keys: ['subjectId'],
  order: { columns: ['createdAt', 'id'], direction: 'asc' },
  where: 't."parentId" is null',
};

/** Replies to a comment, in the order of writing. */
export const repliesOf: Related<CommentRow> = {
  shape: commentShape,
  keys: ['parentId'],
  order: { columns: ['createdAt', 'id'], direction: 'asc' },
};

/** All comments in a space, the first made first. */
export const commentsOfSpace: Related<CommentRow> = {
  shape: commentShape,
  keys: ['spaceId'],
  order: { columns: ['id'], direction: 'asc' },
};
