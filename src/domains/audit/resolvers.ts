import { load } from '../../core/loaders.js';
import type { Resolvers } from '../../generated/graphql.js';
import { userShape } from '../identity/user.js';
import { auditEvents, explainAccess } from './service.js';

export const resolvers: Resolvers = {
  Query: {
    auditEvents: (_, args, ctx, info) => auditEvents(ctx, args, info),
    explainAccess: (_, { id, action }, ctx) => explainAccess(ctx, id, action),
  },
  AuditEvent: {
    user: (entry, _, ctx, info) => (entry.userId ? load(ctx, userShape, entry.userId, info) : null),
    ipAddress: (entry) => entry.ip,
  },
};
