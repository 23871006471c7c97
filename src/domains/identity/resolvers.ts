import { load, loadExisting } from '../../core/loaders.js';
import { loadPage } from '../../core/pages.js';
import { payload } from '../../core/payload.js';
import type { Resolvers } from '../../generated/graphql.js';
import { maxKeys } from './api-key.js';
import { createApiKey, revokeApiKey, rotateApiKey } from './api-keys.js';
import { deleteUser, type Leave } from './delete-user.js';
import { apiKeysOf, readsAsSelf } from './loaders.js';
import { emailOf, updateProfile, user } from './profile.js';
import { revokeSession, sessions } from './sessions.js';
import { profileShape, userShape } from './user.js';

/** `leave` is what newer domains do when someone closes their account. */
export const resolvers = (leave: Leave): Resolvers => ({
  Query: {
    viewer: (_, __, { viewer }) => (viewer?.userId ? { userId: viewer.userId } : null),
    user: (_, { by }, ctx, info) => user(ctx, by, info),
  },
  Viewer: {
    user: ({ userId }, _, ctx, info) => loadExisting(ctx, userShape, userId, info),
    scopes: (_, __, { viewer }) => (viewer?.scopes ? [...viewer.scopes] : null),
    apiKeys: async ({ userId }, _, ctx, info) =>
      (await loadPage(ctx, apiKeysOf, [userId], { first: maxKeys }, info)).rows,
    sessions: (_, __, ctx) => sessions(ctx),
  },
  User: {
    email: (user, _, ctx) => emailOf(ctx, user),
    profile: ({ id }, _, ctx, info) => load(ctx, profileShape, id, info),
  },
  Profile: {
    preferences: ({ userId, preferences }, _, ctx) => (readsAsSelf(ctx, userId) ? preferences : null),
    lastLoginAt: ({ userId, lastLoginAt }, _, ctx) => (readsAsSelf(ctx, userId) ? lastLoginAt : null),
  },
  AuthSession: {
    id: ({ sessionId }) => sessionId,
    current: ({ sessionId }, _, { viewer }) => viewer?.sessionId === sessionId,
    ipAddress: ({ address }) => address,
  },
  Mutation: {
    updateProfile: (_, { input }, ctx) => payload(updateProfile(ctx, input), (user) => ({ user })),
    deleteUser: (_, { input }, ctx) => payload(deleteUser(ctx, input, leave), (deletedUserId) => ({ deletedUserId })),
    createApiKey: (_, { input }, ctx) =>
      payload(createApiKey(ctx, input), (apiKey, { secret }) => ({ apiKey, secret })),
    rotateApiKey: (_, { input }, ctx) =>
      payload(rotateApiKey(ctx, input), (apiKey, { secret }) => ({ apiKey, secret })),
    revokeApiKey: (_, { input }, ctx) =>
      payload(revokeApiKey(ctx, input), (apiKey) => ({ apiKey, revokedApiKeyId: apiKey.id })),
    revokeSession: (_, { input }, ctx) =>
      payload(revokeSession(ctx, input), (revokedSessionId) => ({ revokedSessionId })),
  },
});
