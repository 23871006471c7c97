import { load } from '../../core/loaders.js';
import { loadPage } from '../../core/pages.js';
import { payload } from '../../core/payload.js';
import type { Resolvers } from '../../generated/graphql.js';
import { userShape } from '../identity/user.js';
import { connectionsOf, maxSessions, maxShown, sessionsOf } from './client-session.js';
import { openClientSession } from './client-sessions.js';
import { events, followEvents } from './service.js';

export const resolvers: Resolvers = {
  Query: {
    events: (_, args, ctx) => events(ctx, { ...args, types: args.types ?? null }),
  },
  Viewer: {
    clientSessions: async ({ userId }, _, ctx, info) =>
      (await loadPage(ctx, sessionsOf, [userId], { first: maxSessions }, info)).rows,
  },
  ClientSession: {
    connections: async ({ id }, _, ctx, info) =>
      (await loadPage(ctx, connectionsOf, [id], { first: maxShown }, info)).rows,
  },
  Event: {
    actor: (event, _, ctx, info) => (event.actorId ? load(ctx, userShape, event.actorId, info) : null),
    occurredAt: (event) => event.createdAt,
  },
  EventDelivery: {
    __resolveType: (delivery) => ('caughtUp' in delivery ? 'CaughtUp' : 'missed' in delivery ? 'Lagged' : 'Event'),
  },
  Mutation: {
    openClientSession: (_, { input }, ctx) =>
      payload(openClientSession(ctx, input), (clientSession, { ticket }) => ({ clientSession, ticket })),
  },
  Subscription: {
    events: { subscribe: (_, args, ctx) => followEvents(ctx, { ...args, types: args.types ?? null }) },
  },
};
