import { createHash, randomUUID } from 'node:crypto';
import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';
import { PrismaPg } from '@prisma/adapter-pg';
import DataLoader from 'dataloader';
import { GraphQLScalarType } from 'graphql';
import { type Prisma, PrismaClient } from '../../src/generated/prisma/client.js';
import { viewerId } from '../operations.js';

/** The same API as one would write it first: Apollo Server, a Prisma call in each resolver, a DataLoader for each request. */
const typeDefs = `
  scalar JSON
  scalar TreePath
  type TreeNode { id: ID! path: TreePath! value: JSON version: Int! }
  type PageInfo { hasNextPage: Boolean! endCursor: String }
  type TreeNodeConnection { nodes: [TreeNode!]! pageInfo: PageInfo! }
  scalar DateTime
  type User { id: ID! name: String! }
  type Task { id: ID! title: String status: String! progress: Int! createdAt: DateTime! assignee: User }
  type TaskConnection { nodes: [Task!]! }
  type Note { id: ID! title: String! author: User }
  type NoteConnection { nodes: [Note!]! }
  type Space { id: ID! name: String! tasks(first: Int = 20): TaskConnection! notes(first: Int = 20): NoteConnection! }
  type SpaceConnection { nodes: [Space!]! }
  type Viewer { spaces(first: Int = 20): SpaceConnection! }
  input SpaceBy { id: ID }
  type Query {
    viewer: Viewer
    space(by: SpaceBy!): Space
    treeNode(spaceId: ID!, path: TreePath!): TreeNode
    tree(spaceId: ID!, pathPrefix: TreePath!, first: Int = 20, after: String): TreeNodeConnection!
  }
  input WriteTreeNodeInput { spaceId: ID! path: TreePath! value: JSON }
  type WriteTreeNodePayload { treeNode: TreeNode! }
  input BatchWriteInput { path: TreePath! value: JSON }
  input BatchReadInput { path: TreePath! }
  input BatchTreeOperation { write: BatchWriteInput read: BatchReadInput }
  input BatchTreeInput { spaceId: ID! operations: [BatchTreeOperation!]! }
  type BatchTreeResult { status: String! path: TreePath! exists: Boolean! value: JSON version: Int }
  type BatchTreePayload { results: [BatchTreeResult!]! }
  type Mutation {
    writeTreeNode(input: WriteTreeNodeInput!): WriteTreeNodePayload!
    batchTree(input: BatchTreeInput!): BatchTreePayload!
  }
`;

interface Context {
  readonly nodes: DataLoader<{ spaceId: string; path: string }, Prisma.TreeNodeGetPayload<object> | null, string>;
  readonly users: DataLoader<string, Prisma.UserGetPayload<object> | null>;
}

interface Write {
  readonly path: string;
  readonly value: Prisma.InputJsonValue;
}

interface BatchOperation {
  readonly write?: Write | null;
  readonly read?: { readonly path: string } | null;
}

const prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString: process.env['DATABASE_URL'], max: 10 }) });

function contextOf(): Context {
  const load = async (keys: readonly { spaceId: string; path: string }[]) => {
    const found = await prisma.treeNode.findMany({
      where: { OR: keys.map(({ spaceId, path }) => ({ spaceId, path })), deletedAt: null },
    });
    return keys.map(
      ({ spaceId, path }) => found.find((node) => node.spaceId === spaceId && node.path === path) ?? null,
    );
  };
  const loadUsers = async (ids: readonly string[]) => {
    const found = await prisma.user.findMany({ where: { id: { in: [...ids] } } });
    const byId = new Map(found.map((user) => [user.id, user]));
    return ids.map((id) => byId.get(id) ?? null);
  };
  return {
    nodes: new DataLoader(load, { cacheKeyFn: ({ spaceId, path }) => `${spaceId} ${path}` }),
    users: new DataLoader(loadUsers),
  };
}

async function put(tx: Prisma.TransactionClient, spaceId: string, { path, value }: Write) {
  const text = JSON.stringify(value);
  const content = {
    value,
    checksum: createHash('sha256').update(text).digest('hex'),
    sizeBytes: Buffer.byteLength(text),
  };
  const segments = path.split('/').slice(1);
  const place = {
    spaceId,
    path,
    parentPath: `/${segments.slice(0, -1).join('/')}`,
    name: segments.at(-1) ?? '',
    depth: segments.length,
  };
  const before = await tx.treeNode.findFirst({ where: { spaceId, path, deletedAt: null } });
  const node = before
    ? await tx.treeNode.update({
        where: { id: before.id },
        data: { ...content, version: { increment: 1 }, updatedAt: new Date() },
      })
    : await tx.treeNode.create({
        data: { id: `node_${randomUUID()}`, ...place, ...content, contentType: 'application/json' },
      });
  const { id: nodeId, version, contentType } = node;
  await tx.treeNodeVersion.create({
    data: { nodeId, version, spaceId, path, ...content, contentType, operation: 'WRITE' },
  });
  return node;
}

const resolvers = {
  JSON: new GraphQLScalarType({ name: 'JSON' }),
  TreePath: new GraphQLScalarType({ name: 'TreePath' }),
  DateTime: new GraphQLScalarType<Date, string>({
    name: 'DateTime',
    serialize: (value) => (value as Date).toISOString(),
  }),
  Viewer: {
    spaces: async (_: unknown, { first }: { first: number }) => {
      const where = { members: { some: { userId: viewerId } }, deletedAt: null };
      return { nodes: await prisma.space.findMany({ where, orderBy: { id: 'desc' }, take: first }) };
    },
  },
  Space: {
    tasks: async ({ id: spaceId }: { id: string }, { first }: { first: number }) => ({
      nodes: await prisma.task.findMany({
        where: { spaceId },
        orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
        take: first,
      }),
    }),
    notes: async ({ id: spaceId }: { id: string }, { first }: { first: number }) => ({
      nodes: await prisma.note.findMany({ where: { spaceId }, orderBy: { id: 'desc' }, take: first }),
    }),
  },
  Task: {
    assignee: ({ assigneeId }: { assigneeId: string | null }, _: unknown, { users }: Context) =>
      assigneeId && users.load(assigneeId),
  },
  Note: {
    author: ({ authorId }: { authorId: string | null }, _: unknown, { users }: Context) =>
      authorId && users.load(authorId),
  },
  Query: {
    viewer: () => ({}),
    space: (_: unknown, { by: { id } }: { by: { id: string } }) =>
      prisma.space.findFirst({ where: { id, deletedAt: null } }),
    treeNode: (_: unknown, key: { spaceId: string; path: string }, { nodes }: Context) => nodes.load(key),
    tree: async (
      _: unknown,
      { spaceId, pathPrefix, first, after }: { spaceId: string; pathPrefix: string; first: number; after?: string },
    ) => {
      const below = [{ path: pathPrefix }, { path: { startsWith: `${pathPrefix}/` } }];
      const where = { spaceId, deletedAt: null, OR: below, ...(after && { path: { gt: after } }) };
      const found = await prisma.treeNode.findMany({ where, orderBy: { path: 'asc' }, take: first + 1 });
      const nodes = found.slice(0, first);
      return { nodes, pageInfo: { hasNextPage: found.length > first, endCursor: nodes.at(-1)?.path ?? null } };
    },
  },
  Mutation: {
    writeTreeNode: async (_: unknown, { input }: { input: Write & { spaceId: string } }) => ({
      treeNode: await prisma.$transaction((tx) => put(tx, input.spaceId, input)),
    }),
    batchTree: async (
      _: unknown,
      { input: { spaceId, operations } }: { input: { spaceId: string; operations: BatchOperation[] } },
    ) => {
      const results = await prisma.$transaction(async (tx) => {
        const all = [];
        for (const { write, read } of operations) {
          const path = write?.path ?? read?.path ?? '';
          const node = write
            ? await put(tx, spaceId, write)
            : await tx.treeNode.findFirst({ where: { spaceId, path, deletedAt: null } });
          all.push({
            status: 'APPLIED',
            path,
            exists: node !== null,
            value: node?.value ?? null,
            version: node?.version ?? null,
          });
        }
        return all;
      });
      return { results };
    },
  },
};

const server = new ApolloServer<Context>({ typeDefs, resolvers });
await startStandaloneServer(server, {
  listen: { port: Number(process.env['PORT']), host: '127.0.0.1' },
  context: async () => contextOf(),
});
