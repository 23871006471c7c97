import { load } from '../../core/loaders.js';
import type { Resolvers } from '../../generated/graphql.js';
import { userShape } from '../identity/user.js';
import { events, followEvents } from './service.js';

export const resolvers: Resolvers = {
  Query: {
    events: (_, args, ctx) => events(ctx, { ...args, types: args.types ?? null }),
  },
  Event: {
    actor: (event, _, ctx, info) => (event.actorId ? load(ctx, userShape, event.actorId, info) : null),
    occurredAt: (event) => event.createdAt,
  },
  EventDelivery: {
    __resolveType: (delivery) => ('caughtUp' in delivery ? 'CaughtUp' : 'missed' in delivery ? 'Lagged' : 'Event'),
  },
  Subscription: {
    events: { subscribe: (_, args, ctx) => followEvents(ctx, { ...args, types: args.types ?? null }) },
  },
};
