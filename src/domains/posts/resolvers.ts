import { load, loadExisting } from '../../core/loaders.js';
import { listField } from '../../core/pages.js';
import { payload } from '../../core/payload.js';
import type { Resolvers } from '../../generated/graphql.js';
import { userShape } from '../identity/user.js';
import { linksOf } from '../knowledge/loaders.js';
import { spaceShape } from '../spaces/space.js';
import { postsOf } from './loaders.js';
import { createPost, deletePost, type Forget, post, publishPost, unpublishPost, updatePost } from './service.js';

/** `forget` is what newer domains do when a post is deleted. */
export const resolvers = (forget: Forget): Resolvers => ({
  Query: {
    post: (_, { by }, ctx, info) => post(ctx, by, info),
  },
  Space: {
    posts: listField(['id'], postsOf),
  },
  Post: {
    space: ({ spaceId }, _, ctx, info) => loadExisting(ctx, spaceShape, spaceId, info),
    excerpt: ({ excerpt, summary }) => excerpt ?? summary,
    author: ({ authorId }, _, ctx, info) => (authorId ? load(ctx, userShape, authorId, info) : null),
    links: listField(['id'], linksOf),
  },
  Mutation: {
    createPost: (_, { input }, ctx) => payload(createPost(ctx, input), (post) => ({ post })),
    updatePost: (_, { input }, ctx) => payload(updatePost(ctx, input), (post) => ({ post })),
    publishPost: (_, { input }, ctx) => payload(publishPost(ctx, input), (post) => ({ post })),
    unpublishPost: (_, { input }, ctx) => payload(unpublishPost(ctx, input), (post) => ({ post })),
    deletePost: (_, { input }, ctx) => payload(deletePost(ctx, input, forget), (deletedPostId) => ({ deletedPostId })),
  },
});
