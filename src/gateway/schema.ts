import { readdirSync, readFileSync } from 'node:fs';
import { makeExecutableSchema } from '@graphql-tools/schema';
import type { GraphQLResolveInfo, GraphQLSchema } from 'graphql';
import type { Ctx } from '../core/context.js';
import { badInput } from '../core/errors.js';
import { typeOfId } from '../core/ids.js';
import type { ListField } from '../core/list-field.js';
import { load } from '../core/loaders.js';
import { nodeShapes, resolvers } from '../domains/all.js';
import { withConnections } from './connections.js';
import { enforceAuth } from './directives/enforce.js';
import { withIdempotency } from './directives/idempotent.js';
import { scalars } from './scalars.js';

/** The SDL of this service, one text per file. */
export function readSdl(directory: URL): string[] {
  return readdirSync(directory)
    .sort()
    .map((file) => readFileSync(new URL(file, directory), 'utf8'));
}

declare module 'graphql' {
  interface GraphQLFieldExtensions<_TSource, _TContext, _TArgs> {
    /** Set on fields that are one page of a list of their row. */
    list?: ListField | undefined;
  }
}

const maxNodes = 100;

function node(id: string, ctx: Ctx, info: GraphQLResolveInfo) {
  const type = typeOfId(id);
  return type ? load(ctx, nodeShapes[type], id, info) : null;
}

const byId = { __resolveType: ({ id }: { id: string }) => typeOfId(id) };

const root = {
  Query: {
    node: (_: unknown, { id }: { id: string }, ctx: Ctx, info: GraphQLResolveInfo) => node(id, ctx, info),
    nodes: (_: unknown, { ids }: { ids: readonly string[] }, ctx: Ctx, info: GraphQLResolveInfo) => {
      if (ids.length > maxNodes) throw badInput('ids', `must be at most ${maxNodes}`);
      return ids.map((id) => node(id, ctx, info));
    },
  },
  Event: {
    resource: ({ resourceId }: { resourceId: string }, _: unknown, ctx: Ctx, info: GraphQLResolveInfo) =>
      node(resourceId, ctx, info),
  },
  SearchHit: {
    node: ({ id }: { id: string }, _: unknown, ctx: Ctx, info: GraphQLResolveInfo) => node(id, ctx, info),
  },
  Node: byId,
  SpaceContent: byId,
  SpaceOwner: byId,
  Linkable: byId,
  Commentable: byId,
};

/** The executable schema: the SDL with the domains' resolvers and everything that its directives promise. */
export function localSchema(typeDefs: readonly string[]): GraphQLSchema {
  const schema = makeExecutableSchema({
    typeDefs: [...typeDefs],
    resolvers: [scalars, root, ...resolvers],
    resolverValidationOptions: { requireResolversToMatchSchema: 'error' },
    updateResolversInPlace: true,
  });
  return enforceAuth(withIdempotency(withConnections(schema)));
}
