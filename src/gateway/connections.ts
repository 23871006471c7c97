import { type GraphQLFieldResolver, type GraphQLSchema, isObjectType } from 'graphql';
import type { Ctx } from '../core/context.js';
import type { Edge, Page } from '../core/page.js';

type Resolver<Source> = GraphQLFieldResolver<Source, Ctx>;

const ofConnection: Record<string, Resolver<Page>> = {
  nodes: (page) => page.rows,
  edges: (page) => page.rows.map((row): Edge => ({ page, row })),
  pageInfo: (page) => page,
  totalCount: (page) => page.total(),
};

const ofEdge: Record<string, Resolver<Edge>> = {
  node: (edge) => edge.row,
  cursor: (edge) => edge.page.cursorOf(edge.row),
};

const cursorAt = (page: Page, at: number) => {
  const row = page.rows.at(at);
  return row ? page.cursorOf(row) : null;
};

const ofPageInfo: Record<string, Resolver<Page>> = {
  startCursor: (page) => cursorAt(page, 0),
  endCursor: (page) => page.endCursor ?? cursorAt(page, -1),
};

/** Gives every `…Connection`, `…Edge` and PageInfo the fields that they all have alike; a domain's own resolvers win. */
export function withConnections(schema: GraphQLSchema): GraphQLSchema {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type)) continue;
    const resolvers = type.name.endsWith('Connection')
      ? ofConnection
      : type.name.endsWith('Edge')
        ? ofEdge
        : type.name === 'PageInfo'
          ? ofPageInfo
          : {};
    for (const [name, resolve] of Object.entries(resolvers)) {
      const field = type.getFields()[name];
      if (field && !field.resolve) field.resolve = resolve as GraphQLFieldResolver<unknown, Ctx>;
    }
  }
  return schema;
}
