import { enter } from '../../core/access.js';
import { auditEntry } from '../../core/audit.js';
import type { Ctx } from '../../core/context.js';
import { AppError, notFound, staleVersion } from '../../core/errors.js';
import type { EventType } from '../../core/events.js';
import { follow } from '../../core/follow.js';
import { parse } from '../../core/input.js';
import { mergePatch } from '../../core/json.js';
import type { Page, PageArgs } from '../../core/page.js';
import type { Selection } from '../../core/reading.js';
import { type Tx, type Written, write } from '../../core/write.js';
import type {
  DeleteTreeNodeInput,
  ErrorCode,
  MoveTreeNodeInput,
  NewTreeNodeInput,
  PatchTreeNodeInput,
  RestoreTreeNodeInput,
  SubscriptionTreeChangedArgs,
  WriteTreeNodeInput,
} from '../../generated/graphql.js';
import type { FirstContent } from '../spaces/service.js';
import { changeOf } from './change.js';
import { valueAsOf } from './history.js';
import { nodeAt, subtree } from './loaders.js';
import {
  FirstNodes,
  NodeInput,
  RestoreInput,
  type TreeNodeResultRow,
  type TreeNodeRow,
  treeNodeShape,
} from './node.js';
import { parsePath, writablePath } from './path.js';
import { lockNode, move, put, remove, restore } from './store.js';
import { seal } from './value.js';

/** What one path is asked for. */
export interface NodeQuestion {
  readonly spaceId: string;
  readonly path: string;
  readonly default?: unknown;
  readonly asOf?: Date | null | undefined;
}

/** The value at a path, or the default. */
export async function treeNode(ctx: Ctx, question: NodeQuestion, at?: Selection): Promise<TreeNodeResultRow> {
  const { spaceId, asOf } = question;
  const path = parsePath(question.path);
  // It is answered as it came, so it has to be a value that a node could have.
  if (question.default !== undefined) seal(question.default, 'default');
  const { node, found } = await audited(ctx, spaceId, path, async () => {
    const node = asOf ? null : await nodeAt(ctx, spaceId, path, at);
    return { node, found: asOf ? await valueAsOf(ctx, spaceId, path, asOf) : node };
  });
  if (found) return { spaceId, path, exists: true, isDefault: false, value: found.value, version: found.version, node };
  const isDefault = question.default !== undefined;
  return { spaceId, path, exists: false, isDefault, value: question.default ?? null, version: null, node: null };
}

/** What a subtree is asked for. */
export interface SubtreeQuestion extends PageArgs {
  readonly spaceId: string;
  readonly pathPrefix: string;
  readonly depth?: number | null | undefined;
}

/** One page of a subtree. */
export async function tree(ctx: Ctx, question: SubtreeQuestion, at?: Selection): Promise<Page<TreeNodeRow>> {
  const prefix = parsePath(question.pathPrefix, 'pathPrefix');
  return audited(ctx, question.spaceId, prefix, () =>
    subtree(ctx, question.spaceId, prefix, question.depth, question, at),
  );
}

/** Reads where the viewer may, and notes in the audit log what became of it. */
async function audited<T>(ctx: Ctx, spaceId: string, path: string, read: () => Promise<T>): Promise<T> {
  const scope = { space: spaceId };
  const subject = { path, resourceType: treeNodeShape.model };
  await enter(ctx, 'tree.read', scope, subject);
  const note = (code: ErrorCode | null) => ctx.app.readAudit.add(auditEntry(ctx, 'tree.read', scope, code, subject));
  try {
    const found = await read();
    note(null);
    return found;
  } catch (error) {
    note(error instanceof AppError ? error.code : 'INTERNAL_SERVER_ERROR');
    throw error;
  }
}

export async function writeTreeNode(ctx: Ctx, input: WriteTreeNodeInput): Promise<Written<TreeNodeRow>> {
  const { spaceId, contentType, expectedVersion } = parse(NodeInput, input);
  const path = writablePath(input.path);
  const sealed = seal(input.value);
  return write(
    ctx,
    'tree.write',
    { space: spaceId },
    (tx) => put(tx, { spaceId, path, expectedVersion }, sealed, contentType),
    { subject: { path } },
  );
}

export async function patchTreeNode(ctx: Ctx, input: PatchTreeNodeInput): Promise<Written<TreeNodeRow>> {
  const { spaceId, expectedVersion } = parse(NodeInput, input);
  const path = writablePath(input.path);
  // Before it is merged: the merge trusts its depth.
  seal(input.patch, 'patch');
  const change = async (tx: Tx) => {
    const node = await lockNode(tx, spaceId, path);
    if (!node) throw notFound();
    if (expectedVersion != null && node.version !== expectedVersion) throw staleVersion(path, node.version);
    const sealed = seal(mergePatch(node.value, input.patch), 'patch');
    return put(tx, { spaceId, path, expectedVersion: node.version }, sealed, null);
  };
  return write(ctx, 'tree.write', { space: spaceId }, change, { subject: { path } });
}

export async function deleteTreeNode(
  ctx: Ctx,
  input: DeleteTreeNodeInput,
): Promise<Written<{ deletedCount: number; deletedPath: string }>> {
  const { spaceId, expectedVersion } = parse(NodeInput, input);
  const path = writablePath(input.path);
  const change = async (tx: Tx) => ({
    deletedCount: await remove(tx, { spaceId, path, expectedVersion }, input.recursive),
    deletedPath: path,
  });
  return write(ctx, 'tree.write', { space: spaceId }, change, { subject: { path, operation: 'DELETE' } });
}

export async function moveTreeNode(
  ctx: Ctx,
  input: MoveTreeNodeInput,
): Promise<Written<{ node: TreeNodeRow | null; count: number }>> {
  const { spaceId, expectedVersion } = parse(NodeInput, input);
  const path = writablePath(input.path);
  const toPath = writablePath(input.toPath, 'toPath');
  return write(ctx, 'tree.write', { space: spaceId }, (tx) => move(tx, { spaceId, path, expectedVersion }, toPath), {
    subject: { path },
  });
}

export async function restoreTreeNode(ctx: Ctx, input: RestoreTreeNodeInput): Promise<Written<TreeNodeRow>> {
  const { spaceId, expectedVersion, toVersion } = parse(RestoreInput, input);
  const path = writablePath(input.path);
  return write(
    ctx,
    'tree.write',
    { space: spaceId },
    (tx) => restore(tx, { spaceId, path, expectedVersion }, toVersion),
    { subject: { path } },
  );
}

/** Checks the nodes that a new space begins with; the answer writes them. */
export function firstNodes(nodes: readonly NewTreeNodeInput[]): FirstContent {
  const { tree } = parse(FirstNodes, { tree: nodes });
  const sealed = tree.map(({ path, contentType }, at) => ({
    path: writablePath(path, `tree.${at}.path`),
    contentType,
    sealed: seal(nodes[at]?.value, `tree.${at}.value`),
  }));
  return async (tx, spaceId) => {
    for (const { path, contentType, sealed: value } of sealed)
      await put(tx, { spaceId, path, expectedVersion: 0 }, value, contentType);
  };
}

const changes: readonly EventType[] = ['tree.written', 'tree.deleted', 'tree.moved', 'tree.restored'];

/** Every change at and below a path, as it happens. */
export function followTree(ctx: Ctx, question: Pick<SubscriptionTreeChangedArgs, 'spaceId' | 'pathPrefix' | 'after'>) {
  const { spaceId, pathPrefix, after } = question;
  const prefix = parsePath(pathPrefix, 'pathPrefix');
  return follow(ctx, 'tree.read', { spaceId, types: changes, after }, async (delivery) => {
    const treeChanged = 'event' in delivery ? changeOf(delivery.event, prefix) : null;
    return treeChanged && { treeChanged };
  });
}
