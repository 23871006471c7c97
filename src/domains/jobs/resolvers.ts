import { payload } from '../../core/payload.js';
import type { Resolvers } from '../../generated/graphql.js';
import { longestError } from './failed-job.js';
import { failedJobs, replayJobs } from './service.js';

export const resolvers: Resolvers = {
  Space: {
    failedJobs: ({ id }, _, ctx) => failedJobs(ctx, id),
  },
  FailedJob: {
    attempts: ({ attempt }) => attempt,
    error: ({ lastError }) => lastError?.slice(0, longestError) ?? null,
  },
  Mutation: {
    replayJobs: (_, { input }, ctx) => payload(replayJobs(ctx, input), (replayedCount) => ({ replayedCount })),
  },
};
