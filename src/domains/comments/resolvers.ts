import type { Ctx } from '../../core/context.js';
import { load, loadPage } from '../../core/loaders.js';
import type { PageArgs } from '../../core/page.js';
import { payload } from '../../core/payload.js';
import type { Selection } from '../../core/shape.js';
import type { Resolvers } from '../../generated/graphql.js';
import { userShape } from '../identity/user.js';
import { commentShape } from './comment.js';
import { commentsOf, repliesOf } from './loaders.js';
import { createComment, deleteComment, followComments, updateComment } from './service.js';
import { type CommentableRow, subjectOf } from './subject.js';

const comments = ({ id }: CommentableRow, args: PageArgs, ctx: Ctx, info: Selection) =>
  loadPage(ctx, commentsOf, [id], args, info);

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
    replies: ({ id }, args, ctx, info) => loadPage(ctx, repliesOf, [id], args, info),
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
