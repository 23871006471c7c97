import { AppError, badInput, notFound, staleVersion } from '../../core/errors.js';
import { newId } from '../../core/ids.js';
import { columnsSql, sqlText } from '../../core/sql.js';
import type { Tx } from '../../core/write.js';
import { defaultContentType, maxSubtree, type TreeNodeRow, treeNodeShape } from './node.js';
import { below, depthOf, isAtOrBelow, nameOf, parentOf, rebase, reserved } from './path.js';
import type { Sealed } from './value.js';

const columns = columnsSql(treeNodeShape);

// Versions of a node never go back in time, whatever the clocks of the processes say: `greatest` in each statement below.

/** Copies the nodes that the statement before it, `changed`, answers into the history. */
const history = (operation: 'WRITE' | 'DELETE' | 'RESTORE' | 'MOVE') =>
  sqlText(`kept as (insert into "TreeNodeVersion" ("nodeId", version, "spaceId", path, value, "contentType", checksum, "sizeBytes", operation, "authorId", "createdAt")
    select id, version, "spaceId", path, value, "contentType", checksum, "sizeBytes", '${operation}'::"TreeOperation", "updatedById", "updatedAt" from changed)`);
const asWrite = history('WRITE');
const asDelete = history('DELETE');
const asRestore = history('RESTORE');
const asMove = history('MOVE');

/** A node of a space, and the version it must have. */
export interface Target {
  readonly spaceId: string;
  readonly path: string;
  /** 0: nothing may exist. Null: whatever. */
  readonly expectedVersion?: number | null | undefined;
}

/** Writes a sealed value; CONFLICT unless the node has the expected version. */
export async function put(
  tx: Tx,
  target: Target,
  sealed: Sealed,
  contentType: string | null | undefined,
): Promise<TreeNodeRow> {
  const { spaceId, path, expectedVersion } = target;
  const [row] = expectedVersion
    ? await update(tx, target, sealed, contentType)
    : await upsert(tx, target, sealed, contentType);
  if (!row) throw staleVersion(path, await versionAt(tx, spaceId, path));
  tx.emit('tree.written', 'TreeNode', row.id, { path, version: row.version });
  return row;
}

function upsert(
  tx: Tx,
  { spaceId, path, expectedVersion }: Target,
  { text, sizeBytes, checksum }: Sealed,
  contentType: string | null | undefined,
) {
  return tx.sql<TreeNodeRow>`with changed as (
      insert into "TreeNode" as t (id, "spaceId", path, "parentPath", name, depth, value, "contentType", checksum, "sizeBytes", "createdById", "updatedById", "createdAt", "updatedAt")
      values (${newId('node')}, ${spaceId}, ${path}, ${parentOf(path)}, ${nameOf(path)}, ${depthOf(path)}, ${text}::json,
        ${contentType ?? defaultContentType}, ${checksum}, ${sizeBytes}, ${tx.actorId}, ${tx.actorId}, ${tx.now}, ${tx.now})
      on conflict ("spaceId", path) where "deletedAt" is null do update set value = excluded.value, "contentType" = coalesce(${contentType ?? null}::text, t."contentType"),
        checksum = excluded.checksum, "sizeBytes" = excluded."sizeBytes", version = t.version + 1, "updatedById" = excluded."updatedById", "updatedAt" = greatest(t."updatedAt", excluded."updatedAt")
        where ${expectedVersion ?? null}::int is null
      returning *
    ), ${asWrite} select ${columns} from changed`;
}

// The version in `where` makes the check and the change one statement: of two writers, one gets CONFLICT.
function update(
  tx: Tx,
  { spaceId, path, expectedVersion }: Target,
  { text, sizeBytes, checksum }: Sealed,
  contentType: string | null | undefined,
) {
  return tx.sql<TreeNodeRow>`with changed as (
      update "TreeNode" set value = ${text}::json, "contentType" = coalesce(${contentType ?? null}::text, "contentType"), checksum = ${checksum}, "sizeBytes" = ${sizeBytes},
        version = version + 1, "updatedById" = ${tx.actorId}, "updatedAt" = greatest("updatedAt", ${tx.now})
      where "spaceId" = ${spaceId} and path = ${path} and "deletedAt" is null and version = ${expectedVersion}
      returning *
    ), ${asWrite} select ${columns} from changed`;
}

/** The node at a path, locked against other writers until the change commits. */
export async function lockNode(tx: Tx, spaceId: string, path: string): Promise<TreeNodeRow | null> {
  const [row] =
    await tx.sql<TreeNodeRow>`select ${columns} from "TreeNode" where "spaceId" = ${spaceId} and path = ${path} and "deletedAt" is null for update`;
  return row ?? null;
}

type Locked = Pick<TreeNodeRow, 'id' | 'path' | 'version'>;

/** Deletes the node, with `recursive` all below it; answers how many. What is reserved stays. */
export async function remove(tx: Tx, target: Target, recursive: boolean): Promise<number> {
  const { spaceId, path } = target;
  const found = recursive
    ? await lockSubtree(tx, spaceId, path)
    : [await lockNode(tx, spaceId, path)].filter((node) => node !== null);
  assertVersion(target, found);
  const doomed = found.filter((node) => !isAtOrBelow(node.path, reserved));
  if (doomed.length === 0) throw notFound();
  if (!recursive && (await isAnythingBelow(tx, spaceId, path)))
    throw new AppError('CONFLICT', `${path} has nodes below it; delete them first, or say recursive.`);
  const rows = await tx.sql<Locked>`with changed as (
      update "TreeNode" set "deletedAt" = ${tx.now}, version = version + 1, "updatedById" = ${tx.actorId}, "updatedAt" = greatest("updatedAt", ${tx.now})
      where id = any(${doomed.map(({ id }) => id)}) returning *
    ), ${asDelete} select id, path, version from changed order by path`;
  for (const row of rows)
    tx.emit('tree.deleted', 'TreeNode', row.id, { path: row.path, version: row.version }, { operation: 'DELETE' });
  return rows.length;
}

/** Moves the node and all below it; answers the node that is at `toPath` now, and how many moved. */
export async function move(
  tx: Tx,
  target: Target,
  toPath: string,
): Promise<{ node: TreeNodeRow | null; count: number }> {
  const { spaceId, path } = target;
  if (isAtOrBelow(toPath, path)) throw badInput('toPath', 'must be neither at nor below path');
  const found = await lockSubtree(tx, spaceId, path);
  assertVersion(target, found);
  if (found.length === 0) throw notFound();
  if ((await lockNode(tx, spaceId, toPath)) || (await isAnythingBelow(tx, spaceId, toPath)))
    throw new AppError('CONFLICT', `Something exists at or below ${toPath}.`);
  const paths = found.map((node) => rebase(node.path, path, toPath));
  const rows = await tx.sql<TreeNodeRow & { fromPath: string }>`with changed as (
      update "TreeNode" t set path = m.path, "parentPath" = m.parent, name = m.name, depth = m.depth, version = t.version + 1, "updatedById" = ${tx.actorId}, "updatedAt" = greatest(t."updatedAt", ${tx.now})
      from unnest(${found.map(({ id }) => id)}::text[], ${paths}::text[], ${paths.map(parentOf)}::text[], ${paths.map(nameOf)}::text[], ${paths.map(depthOf)}::int[],
        ${found.map((node) => node.path)}::text[]) as m (id, path, parent, name, depth, "fromPath")
      where t.id = m.id returning t.*, m."fromPath"
    ), ${asMove} select ${columns}, "fromPath" from changed order by path`;
  for (const row of rows)
    tx.emit('tree.moved', 'TreeNode', row.id, { path: row.path, fromPath: row.fromPath, version: row.version });
  return { node: rows.find((row) => row.path === toPath) ?? null, count: rows.length };
}

/** Makes an earlier version the latest, or brings back what was deleted last at this path. */
export async function restore(tx: Tx, target: Target, toVersion: number | null | undefined): Promise<TreeNodeRow> {
  const { spaceId, path, expectedVersion } = target;
  const [node] = await tx.sql<{
    id: string;
    version: number;
    deleted: boolean;
  }>`select id, version, "deletedAt" is not null as deleted from "TreeNode"
    where "spaceId" = ${spaceId} and "parentPath" = ${parentOf(path)} and name = ${nameOf(path)} order by "deletedAt" desc nulls first limit 1 for update`;
  if (!node) throw notFound();
  if (!node.deleted && toVersion == null) throw badInput('toVersion', 'must be given for a node that is not deleted');
  if (expectedVersion != null && node.version !== expectedVersion) throw staleVersion(path, node.version);
  const [row] = await tx.sql<TreeNodeRow>`with changed as (
      update "TreeNode" t set value = v.value, "contentType" = v."contentType", checksum = v.checksum, "sizeBytes" = v."sizeBytes", "deletedAt" = null,
        version = t.version + 1, "updatedById" = ${tx.actorId}, "updatedAt" = greatest(t."updatedAt", ${tx.now})
      from "TreeNodeVersion" v where t.id = ${node.id} and v."nodeId" = t.id and v.version = ${toVersion ?? node.version} returning t.*
    ), ${asRestore} select ${columns} from changed`;
  if (!row) throw badInput('toVersion', 'is not a version of this node');
  tx.emit('tree.restored', 'TreeNode', row.id, { path, version: row.version });
  return row;
}

async function isAnythingBelow(tx: Tx, spaceId: string, path: string): Promise<boolean> {
  const { from, to } = below(path);
  const [one] =
    await tx.sql`select id from "TreeNode" where "spaceId" = ${spaceId} and "deletedAt" is null and path > ${from} and path < ${to} limit 1`;
  return one !== undefined;
}

/** The node and all below it, by path, locked; BAD_USER_INPUT when they are too many for one change. */
async function lockSubtree(tx: Tx, spaceId: string, path: string): Promise<Locked[]> {
  const { from, to } = below(path);
  const rows = await tx.sql<Locked>`with itself as (
      select id, path, version from "TreeNode" where "spaceId" = ${spaceId} and "deletedAt" is null and path = ${path} for update
    ), below as (
      select id, path, version from "TreeNode" where "spaceId" = ${spaceId} and "deletedAt" is null and path > ${from} and path < ${to} order by path limit ${maxSubtree + 1} for update
    ) select * from itself union all select * from below`;
  if (rows.length > maxSubtree) throw badInput('path', `has more than ${maxSubtree} nodes; take smaller parts`);
  return rows;
}

function assertVersion({ path, expectedVersion }: Target, found: readonly { path: string; version: number }[]): void {
  if (expectedVersion == null) return;
  const version = found.find((node) => node.path === path)?.version ?? 0;
  if (version !== expectedVersion) throw staleVersion(path, version);
}

async function versionAt(tx: Tx, spaceId: string, path: string): Promise<number> {
  const [row] = await tx.sql<{
    version: number;
  }>`select version from "TreeNode" where "spaceId" = ${spaceId} and path = ${path} and "deletedAt" is null`;
  return row?.version ?? 0;
}
