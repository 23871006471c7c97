import { z } from 'zod';
import { shape } from '../../core/shape.js';
import type {
  TreeNode as TreeNodeModel,
  TreeNodeVersion as TreeNodeVersionModel,
} from '../../generated/prisma/client.js';
import { userShape } from '../identity/user.js';

const columns = [
  'id',
  'spaceId',
  'path',
  'name',
  'depth',
  'value',
  'contentType',
  'checksum',
  'sizeBytes',
  'version',
  'createdById',
  'updatedById',
  'createdAt',
  'updatedAt',
] as const;
/** `value` is the value itself or, where a loader read it, its text. */
export type TreeNodeRow = Omit<Pick<TreeNodeModel, (typeof columns)[number]>, 'value'> & { readonly value: unknown };

/** What leaves the database of a node. */
export const treeNodeShape = shape<TreeNodeRow>({
  model: 'TreeNode',
  key: 'id',
  columns,
  always: ['id'],
  fields: {
    space: ['spaceId'],
    createdBy: ['createdById'],
    updatedBy: ['updatedById'],
    parent: ['spaceId', 'path'],
    children: ['spaceId', 'path'],
    versions: ['id'],
    comments: ['id'],
  },
  gone: 'deletedAt',
  inJson: { value: 'never', createdAt: 'instant', updatedAt: 'instant' },
  along: {
    createdBy: { column: 'createdById', shape: userShape },
    updatedBy: { column: 'updatedById', shape: userShape },
  },
});

const versionColumns = [
  'nodeId',
  'version',
  'spaceId',
  'path',
  'value',
  'contentType',
  'checksum',
  'sizeBytes',
  'operation',
  'authorId',
  'createdAt',
] as const;
export type TreeNodeVersionRow = Omit<Pick<TreeNodeVersionModel, (typeof versionColumns)[number]>, 'value'> & {
  readonly value: unknown;
};

export const treeNodeVersionShape = shape<TreeNodeVersionRow>({
  model: 'TreeNodeVersion',
  columns: versionColumns,
  always: ['nodeId', 'version'],
  fields: { author: ['authorId'] },
  inJson: { value: 'never', createdAt: 'instant' },
  along: { author: { column: 'authorId', shape: userShape } },
});

/** What there is at a path. */
export interface TreeNodeResultRow {
  readonly spaceId: string;
  readonly path: string;
  readonly exists: boolean;
  readonly isDefault: boolean;
  readonly value: unknown;
  readonly version: number | null;
  readonly node: TreeNodeRow | null;
}

export const largestPage = 1_000;
export const maxSubtree = 10_000;
export const maxOperations = 25;
export const maxFirstNodes = 25;
export const defaultContentType = 'application/json';

const expectedVersion = z.int().min(0).nullish();
const contentType = z
  .string()
  .max(127)
  .regex(/^[\w.+-]+\/[\w.+-]+([ \t]*;[ \t]*[\w.+-]+=("[ !#-[\]-~]*"|[\w.+-]+))*$/, 'must be a media type')
  .nullish();

/** A space's first content. */
export const FirstNodes = z.object({ tree: z.array(z.object({ path: z.string(), contentType })).max(maxFirstNodes) });
/** The rules of everything that names a node; paths and values have their own. */
export const NodeInput = z.object({ spaceId: z.string(), path: z.string(), expectedVersion, contentType });
export const RestoreInput = NodeInput.extend({ toVersion: z.int().min(1).nullish() });
export const depth = z.int().min(0).max(32).nullish();
