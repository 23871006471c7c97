import type { Tx } from '../../core/write.js';
import { writablePath } from './path.js';
import { put } from './store.js';
import { seal } from './value.js';

/** A node that was somewhere else before. */
export interface GivenNode {
  readonly spaceId: string;
  readonly path: string;
  readonly value: unknown;
  readonly contentType: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** Adds a node where nothing is, with the dates it had; its history begins now. Answers its id. */
export async function insertNode(tx: Tx, node: GivenNode): Promise<string> {
  const { spaceId, contentType, createdAt, updatedAt } = node;
  const path = writablePath(node.path);
  const { id } = await put(tx, { spaceId, path, expectedVersion: 0 }, seal(node.value), contentType);
  await tx.sql`update "TreeNode" set "createdAt" = least(${createdAt}::timestamptz, ${tx.now}), "updatedAt" = least(${updatedAt}::timestamptz, ${tx.now}) where id = ${id}`;
  return id;
}
