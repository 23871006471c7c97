import { z } from 'zod';
import { loadPage } from '../../core/pages.js';
import { NewComment } from '../../domains/comments/comment.js';
import { insertComment } from '../../domains/comments/insertion.js';
import { commentsOfSpace } from '../../domains/comments/loaders.js';
import { date, reference } from './format.js';
import { importer } from './importer.js';
import { handleOf, source } from './source.js';

/** Comments on what is exported, in the order of writing, so that replies come behind what they reply to; the places of deleted ones too. */
export const comments = source({
  kind: 'comment',
  type: 'Comment',
  scopes: ['comments:read'],
  page: ({ ctx, spaceId }, args) => loadPage(ctx, commentsOfSpace, [spaceId], args),
  async item(exporting, { id, subjectId, parentId, content, deletedAt, authorId, createdAt, updatedAt }) {
    if (exporting.leaves(subjectId)) return null;
    const author = await handleOf(exporting, authorId);
    return {
      kind: 'comment',
      id,
      subjectId,
      parentId,
      content,
      isDeleted: deletedAt !== null,
      author,
      createdAt,
      updatedAt,
    };
  },
});

const rules = z.object({
  id: reference,
  subjectId: reference,
  parentId: reference.nullable(),
  createdAt: date,
  updatedAt: date,
});

export const importComment = importer({
  rules: z.discriminatedUnion('isDeleted', [
    rules.extend({ isDeleted: z.literal(false), content: NewComment.shape.content }),
    rules.extend({ isDeleted: z.literal(true), content: z.literal('') }),
  ]),
  action: 'comment.write',
  key: ({ id }) => id,
  needs: ({ subjectId, parentId }) => (parentId === null ? [subjectId] : [subjectId, parentId]),
  add: (tx, given, ids, { spaceId }) =>
    insertComment(tx, {
      ...given,
      spaceId,
      subjectId: ids.get(given.subjectId) ?? '',
      parentId: given.parentId === null ? null : (ids.get(given.parentId) ?? ''),
    }),
});
