import { z } from 'zod';
import { insertNode } from '../../domains/tree/insertion.js';
import { subtree } from '../../domains/tree/loaders.js';
import { isAtOrBelow, reserved } from '../../domains/tree/path.js';
import { date, reference } from './format.js';
import { importer } from './importer.js';
import { source } from './source.js';

/** Nodes of the tree by path, without their history. What is reserved belongs to the system that keeps it. */
export const nodes = source({
  kind: 'node',
  type: 'TreeNode',
  scopes: ['tree:read'],
  page: ({ ctx, spaceId }, args) => subtree(ctx, spaceId, '/', null, args),
  item: (_, { id, path, value, contentType, createdAt, updatedAt }) =>
    isAtOrBelow(path, reserved) ? null : { kind: 'node', id, path, value, contentType, createdAt, updatedAt },
});

export const importNode = importer({
  rules: z.object({
    id: reference,
    path: z.string(),
    value: z.unknown(),
    contentType: z.string().max(255),
    createdAt: date,
    updatedAt: date,
  }),
  action: 'tree.write',
  key: ({ id }) => id,
  add: (tx, given, _, { spaceId }) => insertNode(tx, { ...given, spaceId }),
});
