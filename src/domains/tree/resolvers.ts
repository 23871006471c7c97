import { load, loadExisting } from '../../core/loaders.js';
import { listField } from '../../core/pages.js';
import { payload } from '../../core/payload.js';
import type { Resolvers } from '../../generated/graphql.js';
import { userShape } from '../identity/user.js';
import { spaceShape } from '../spaces/space.js';
import { batchTree } from './batch.js';
import { childrenOf, nodeAt, versionsOf } from './loaders.js';
import { treeNodeShape } from './node.js';
import { parentOf } from './path.js';
import {
  deleteTreeNode,
  followTree,
  moveTreeNode,
  patchTreeNode,
  restoreTreeNode,
  tree,
  treeNode,
  writeTreeNode,
} from './service.js';

export const resolvers: Resolvers = {
  Query: {
    treeNode: (_, args, ctx, info) => treeNode(ctx, args, info),
    tree: (_, args, ctx, info) => tree(ctx, args, info),
  },
  Space: {
    tree: (space, args, ctx, info) =>
      tree(ctx, { ...args, spaceId: space.id, pathPrefix: args.pathPrefix ?? '/' }, info),
  },
  TreeNode: {
    space: (node, _, ctx, info) => loadExisting(ctx, spaceShape, node.spaceId, info),
    createdBy: (node, _, ctx, info) => (node.createdById ? load(ctx, userShape, node.createdById, info) : null),
    updatedBy: (node, _, ctx, info) => (node.updatedById ? load(ctx, userShape, node.updatedById, info) : null),
    parent: (node, _, ctx, info) => (node.path === '/' ? null : nodeAt(ctx, node.spaceId, parentOf(node.path), info)),
    children: listField(['spaceId', 'path'], childrenOf),
    versions: listField(['id'], versionsOf),
  },
  TreeNodeVersion: {
    author: (version, _, ctx, info) => (version.authorId ? load(ctx, userShape, version.authorId, info) : null),
  },
  TreeNodeResult: {
    children: listField(['spaceId', 'path'], childrenOf),
  },
  TreeChange: {
    node: (change, _, ctx, info) => load(ctx, treeNodeShape, change.nodeId, info),
  },
  Mutation: {
    writeTreeNode: (_, { input }, ctx) => payload(writeTreeNode(ctx, input), (treeNode) => ({ treeNode })),
    patchTreeNode: (_, { input }, ctx) => payload(patchTreeNode(ctx, input), (treeNode) => ({ treeNode })),
    deleteTreeNode: (_, { input }, ctx) => payload(deleteTreeNode(ctx, input), (deletion) => deletion),
    moveTreeNode: (_, { input }, ctx) =>
      payload(moveTreeNode(ctx, input), ({ node, count }) => ({ treeNode: node, movedCount: count })),
    restoreTreeNode: (_, { input }, ctx) => payload(restoreTreeNode(ctx, input), (treeNode) => ({ treeNode })),
    batchTree: (_, { input }, ctx) => payload(batchTree(ctx, input), (results) => ({ results })),
  },
  Subscription: {
    treeChanged: { subscribe: (_, args, ctx) => followTree(ctx, args) },
  },
};
