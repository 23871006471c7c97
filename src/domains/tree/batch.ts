import { enter } from '../../core/access.js';
import type { Ctx } from '../../core/context.js';
import { AppError, badInput } from '../../core/errors.js';
import { parse } from '../../core/input.js';
import { sqlText } from '../../core/sql.js';
import { type Tx, type Written, write } from '../../core/write.js';
import type { BatchTreeInput, BatchTreeOperation, BatchTreeStatus } from '../../generated/graphql.js';
import { depth as depthRule, maxOperations, NodeInput, type TreeNodeRow, treeNodeShape } from './node.js';
import { type Overlay, openOverlay } from './overlay.js';
import { below, depthOf, maxSegments, parsePath, writablePath } from './path.js';
import { remove } from './store.js';
import { seal } from './value.js';

/** What one operation of a batch did or found. */
export interface BatchTreeResultRow {
  readonly status: BatchTreeStatus;
  readonly path: string;
  readonly exists: boolean;
  readonly value: unknown;
  readonly version: number | null;
  readonly nodes: readonly Pick<TreeNodeRow, 'path' | 'value' | 'version'>[] | null;
  readonly deletedCount: number | null;
}

/** An operation whose arguments have been checked. */
interface Step {
  readonly kind: 'write' | 'delete' | 'read' | 'readTree';
  readonly path: string;
  run(tx: Tx, nodes: Overlay): Partial<BatchTreeResultRow> | Promise<Partial<BatchTreeResultRow>>;
}

const nothing = {
  status: 'APPLIED',
  exists: true,
  value: null,
  version: null,
  nodes: null,
  deletedCount: null,
} as const;

/** Runs up to 25 operations in order, all or nothing; a failure says which one failed. */
export async function batchTree(
  ctx: Ctx,
  { spaceId, operations }: BatchTreeInput,
): Promise<Written<readonly BatchTreeResultRow[]>> {
  if (operations.length < 1 || operations.length > maxOperations)
    throw badInput('operations', `must be 1 to ${maxOperations}`);
  const steps = operations.map((operation, index) =>
    failingAt(index, operations.length, () => stepOf(spaceId, operation)),
  );
  const pathsOf = (...kinds: Step['kind'][]) =>
    steps.filter(({ kind }) => kinds.includes(kind)).map(({ path }) => path);
  const written = pathsOf('write', 'delete');
  const change = async (tx: Tx) => {
    const nodes = await openOverlay(tx, spaceId, { written, read: pathsOf('read') });
    const results: BatchTreeResultRow[] = [];
    for (const [index, step] of steps.entries()) {
      const result = await failingAt(index, steps.length, () => step.run(asOperation(tx, index), nodes));
      results.push({ ...nothing, path: step.path, ...result });
    }
    await nodes.flush(tx);
    return results;
  };
  const subject = { operation: 'BATCH' as const, metadata: { operations: operations.length } };
  // To write is not to read: a key may hold the one scope and lack the other.
  if (written.length < steps.length) await enter(ctx, 'tree.read', { space: spaceId }, subject);
  return write(ctx, written.length === 0 ? 'tree.read' : 'tree.write', { space: spaceId }, change, {
    snapshot: true,
    subject,
  });
}

/** Files what an operation does under the batch in the audit log. */
function asOperation(tx: Tx, index: number): Tx {
  const subject = (operation: string) => ({ operation: 'BATCH' as const, metadata: { index, operation } });
  return {
    ...tx,
    emit: (type, resourceType, id, related, audit) =>
      tx.emit(type, resourceType, id, related, { ...audit, ...subject(audit?.operation ?? 'WRITE') }),
    audit: (name, about) => tx.audit(name, { ...about, ...subject('READ') }),
  };
}

/** Adds to an error which operation it was, and what became of the others. */
function failingAt<T>(index: number, count: number, run: () => T): T {
  const explain = (error: unknown): never => {
    if (!(error instanceof AppError)) throw error;
    const results = Array.from({ length: count }, (_, at) => ({ status: at === index ? 'FAILED' : 'ROLLED_BACK' }));
    const fields = error.details.fields?.map((field) => ({ ...field, path: `operations.${index}.${field.path}` }));
    throw new AppError(error.code, error.message, { ...error.details, ...(fields && { fields }), index, results });
  };
  try {
    const result = run();
    return result instanceof Promise ? (result.catch(explain) as T) : result;
  } catch (error) {
    return explain(error);
  }
}

function stepOf(spaceId: string, { write, delete: removal, read, readTree }: BatchTreeOperation): Step {
  if (write) {
    const { contentType, expectedVersion } = parse(NodeInput, { ...write, spaceId });
    const path = writablePath(write.path);
    const sealed = seal(write.value);
    const value = write.value ?? null;
    return {
      kind: 'write',
      path,
      run: (tx, nodes) => ({
        value,
        version: nodes.write(tx, { spaceId, path, expectedVersion }, sealed, value, contentType),
      }),
    };
  }
  if (removal) {
    const { expectedVersion } = parse(NodeInput, { ...removal, spaceId });
    const path = writablePath(removal.path);
    return {
      kind: 'delete',
      path,
      async run(tx, nodes) {
        await nodes.flush(tx);
        const deletedCount = await remove(tx, { spaceId, path, expectedVersion }, removal.recursive);
        nodes.deleted(path, removal.recursive);
        return { deletedCount };
      },
    };
  }
  if (read) {
    const path = parsePath(read.path);
    if (read.default !== undefined) seal(read.default, 'default');
    return {
      kind: 'read',
      path,
      run(tx, nodes) {
        tx.audit('tree.read', { path, resourceType: treeNodeShape.model });
        const found = nodes.read(path);
        return found ? { value: found.value, version: found.version } : { exists: false, value: read.default ?? null };
      },
    };
  }
  if (readTree) {
    const path = parsePath(readTree.pathPrefix, 'pathPrefix');
    const levels = parse(depthRule, readTree.depth) ?? maxSegments;
    if (readTree.first < 1 || readTree.first > 100) throw badInput('first', 'must be between 1 and 100');
    return {
      kind: 'readTree',
      path,
      async run(tx, nodes) {
        await nodes.flush(tx);
        return readSubtree(tx, spaceId, path, levels, readTree.first);
      },
    };
  }
  throw badInput('operation', 'must be one of write, delete, read, readTree');
}

type Found = Pick<TreeNodeRow, 'path' | 'value' | 'version'>;

const live = sqlText(`"deletedAt" is null`);

// A batch reads inside its own transaction, where its earlier writes are; the role in the space has been asked for already.
async function readSubtree(tx: Tx, spaceId: string, path: string, levels: number, first: number) {
  tx.audit('tree.read', { path, resourceType: treeNodeShape.model });
  const { from, to } = below(path);
  const depths = Array.from({ length: levels }, (_, level) => depthOf(path) + level + 1);
  const nodes = await tx.sql<Found>`select path, value, version from (
      select path, value, version from "TreeNode" where "spaceId" = ${spaceId} and ${live} and path = ${path} union all
      select n.* from unnest(${depths}::int[]) level(depth) cross join lateral (
        select path, value, version from "TreeNode" where "spaceId" = ${spaceId} and ${live}
          and ("TreeNode".depth, path) > (level.depth, ${from}) and ("TreeNode".depth, path) < (level.depth, ${to})
        order by "TreeNode".depth, path limit ${first}) n) t
    order by path limit ${first}`;
  return { exists: nodes.length > 0, nodes };
}
