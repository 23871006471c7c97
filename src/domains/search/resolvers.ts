import type { Resolvers } from '../../generated/graphql.js';
import { shownOf } from './highlights.js';
import { indexStatusOf } from './index-status.js';
import { search } from './service.js';

export const resolvers: Resolvers = {
  Query: {
    search: (_, args, ctx) => search(ctx, args),
  },
  File: {
    embeddingStatus: (file, _, ctx) => indexStatusOf(ctx, file),
  },
  SearchHit: {
    highlights: async (hit, _, ctx) => (await shownOf(ctx, hit))?.highlights ?? [],
  },
};
