import { load } from '../../core/loaders.js';
import { listField } from '../../core/pages.js';
import { payload } from '../../core/payload.js';
import type { Resolvers } from '../../generated/graphql.js';
import { userShape } from '../identity/user.js';
import { commentShape } from './comment.js';
import { commentsOf, repliesOf } from './loaders.js';
import { createComment, deleteComment, followComments, updateComment } from './service.js';
import { subjectOf } from './subject.js';

const comments = listField(['id'], commentsOf);

export const resolvers: Resolvers = {
  TreeNode: { comments },
  File: { comments },
  Note: { comments },
  Post: { comments },
  Task: { comments },
  Comment: {
    subject: ({ subjectId }, _, ctx, info) => subjectOf(ctx, subjectId, info),
    parent: ({ parentId }, _, ctx, info) => (parentId ? load(ctx, commentShape, parentId, info) : null),
    author: ({ authorId }, _, ctx, info) => (authorId ? load(ctx, userShape, authorId, info) : null),
    isDeleted: ({ deletedAt }) => deletedAt !== null,
    replies: listField(['id'], repliesOf),
  },
  CommentChange: {
    comment: ({ commentId }, _, ctx, info) => load(ctx, commentShape, commentId, info),
  },
  Mutation: {
    createComment: (_, { input }, ctx) => payload(createComment(ctx, input), (comment) => ({ comment })),
    updateComment: (_, { input }, ctx) => payload(updateComment(ctx, input), (comment) => ({ comment })),
    deleteComment: (_, { input }, ctx) => payload(deleteComment(ctx, input), (deletion) => deletion),
  },
  Subscription: {
    commentsChanged: { subscribe: (_, args, ctx) => followComments(ctx, args) },
  },
};
