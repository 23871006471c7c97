import type { Ctx } from '../../core/context.js';
import { AppError, badInput, notFound, staleVersion } from '../../core/errors.js';
import { newId } from '../../core/ids.js';
import { parse } from '../../core/input.js';
import { columnsSql } from '../../core/sql.js';
import { type Tx, type Written, write } from '../../core/write.js';
import { writeExisting } from '../../core/write-existing.js';
import type { CreateFolderInput, DeleteFolderInput, MoveFolderInput } from '../../generated/graphql.js';
import { below, isAtOrBelow, maxPathBytes, maxSegments, nameOf, parentOf } from '../tree/path.js';
import { dropFiles } from './deletion.js';
import { folderPath } from './file.js';
import { FolderMove, type FolderRow, folderShape, maxFilesBelow } from './folder.js';
import { lockFolderAt } from './place.js';

const columns = columnsSql(folderShape);

export async function createFolder(ctx: Ctx, input: CreateFolderInput): Promise<Written<FolderRow>> {
  const path = folderPath(input.path);
  const { spaceId } = input;
  return write(ctx, 'file.write', { space: spaceId }, async (tx) => {
    const parentId = await lockFolderAt(tx, spaceId, parentOf(path));
    const [row] =
      await tx.sql<FolderRow>`insert into "Folder" (id, "spaceId", "parentId", path, "parentPath", name, "createdById", "createdAt", "updatedAt")
      values (${newId('folder')}, ${spaceId}, ${parentId}, ${path}, ${parentOf(path)}, ${nameOf(path)}, ${tx.actorId}, ${tx.now}, ${tx.now})
      on conflict ("spaceId", path) do nothing returning ${columns}`;
    if (!row) throw taken();
    tx.emit('folder.created', 'Folder', row.id, { path, version: row.version });
    return row;
  });
}

const taken = () => new AppError('CONFLICT', 'A folder has that path already.');

/** Moves a folder with all below it: three statements, however much that is. */
export async function moveFolder(ctx: Ctx, input: MoveFolderInput): Promise<Written<FolderRow>> {
  const { id, version } = parse(FolderMove, input);
  const toPath = folderPath(input.toPath, 'toPath');
  return writeExisting(ctx, 'file.write', folderShape, id, async (tx, { spaceId }) => {
    await lockFolders(tx, spaceId);
    const folder = await lockVersion(tx, id, version);
    const { path } = folder;
    if (isAtOrBelow(toPath, path)) throw badInput('toPath', 'must be neither at nor below the folder');
    const parentId = await lockFolderAt(tx, spaceId, parentOf(toPath));
    await assertRoom(tx, folder, toPath);
    const { from, to } = below(path);
    // Characters as Postgres counts them.
    const rest = [...path].length + 1;
    await tx.sql`update "Folder" set path = ${toPath} || substr(path, ${rest}), "parentPath" = ${toPath} || substr("parentPath", ${rest})
      where "spaceId" = ${spaceId} and path > ${from} and path < ${to}`;
    await tx.sql`update "File" set path = ${toPath} || substr(path, ${rest}), "parentPath" = ${toPath} || substr("parentPath", ${rest})
      where "spaceId" = ${spaceId} and "deletedAt" is null and path > ${from} and path < ${to}`;
    const [row] =
      await tx.sql<FolderRow>`update "Folder" set path = ${toPath}, "parentPath" = ${parentOf(toPath)}, name = ${nameOf(toPath)}, "parentId" = ${parentId},
      version = version + 1, "updatedAt" = ${tx.now} where id = ${id} returning ${columns}`;
    if (!row) throw notFound();
    tx.emit('folder.moved', 'Folder', id, { path: toPath, fromPath: path, version: row.version });
    return row;
  });
}

/** What became of a deleted folder. */
export interface FolderDeletion {
  readonly deletedFolderId: string;
  readonly deletedFileCount: number;
}

export async function deleteFolder(ctx: Ctx, input: DeleteFolderInput): Promise<Written<FolderDeletion>> {
  const { id, version } = parse(FolderMove, input);
  return writeExisting(ctx, 'file.write', folderShape, id, async (tx, { spaceId }) => {
    await lockFolders(tx, spaceId);
    const { path } = await lockVersion(tx, id, version);
    const { from, to } = below(path);
    // Nothing more comes into them from here on.
    const inner =
      await tx.sql`select id from "Folder" where "spaceId" = ${spaceId} and path > ${from} and path < ${to} for update`;
    const files = await tx.sql<{
      id: string;
    }>`select id from "File" where "spaceId" = ${spaceId} and "deletedAt" is null and path > ${from} and path < ${to}
      order by path limit ${maxFilesBelow + 1} for update`;
    if (files.length > maxFilesBelow) throw badInput('id', `has more than ${maxFilesBelow} files; take smaller parts`);
    if (!input.recursive && files.length + inner.length > 0)
      throw new AppError('CONFLICT', 'The folder is not empty; empty it first, or say recursive.');
    const ids = files.map((file) => file.id);
    if ((await ctx.db.file.count({ where: { id: { in: ids } } })) < ids.length)
      throw new AppError('CONFLICT', 'The folder holds what the viewer may not delete.');
    await dropFiles(tx, spaceId, ids, path);
    await tx.sql`delete from "Folder" where "spaceId" = ${spaceId} and path > ${from} and path < ${to}`;
    await tx.sql`delete from "Folder" where id = ${id}`;
    tx.emit('folder.deleted', 'Folder', id, { path }, { operation: 'DELETE' });
    return { deletedFolderId: id, deletedFileCount: ids.length };
  });
}

/** Whoever moves or deletes folders of a space does so alone: paths of two changes would cross. */
async function lockFolders(tx: Tx, spaceId: string): Promise<void> {
  await tx.sql`select pg_advisory_xact_lock(hashtextextended(${`folders ${spaceId}`}, 0))`;
}

async function lockVersion(tx: Tx, id: string, version: number): Promise<FolderRow> {
  const [folder] = await tx.sql<FolderRow>`select ${columns} from "Folder" where id = ${id} for update`;
  if (!folder) throw notFound();
  if (folder.version !== version) throw staleVersion('The folder', folder.version);
  return folder;
}

/** Throws when something has the path, or a path below the folder would be none any more. */
async function assertRoom(tx: Tx, { spaceId, path }: FolderRow, toPath: string): Promise<void> {
  const [other] = await tx.sql`select id from "Folder" where "spaceId" = ${spaceId} and path = ${toPath}`;
  if (other) throw taken();
  const { from, to } = below(path);
  const [long] = await tx.sql`select path from (
      select path from "Folder" where "spaceId" = ${spaceId} and path > ${from} and path < ${to} union all
      select path from "File" where "spaceId" = ${spaceId} and "deletedAt" is null and path > ${from} and path < ${to}
    ) t where octet_length(path) > ${maxPathBytes - Buffer.byteLength(toPath) + Buffer.byteLength(path)}
      or array_length(string_to_array(path, '/'), 1) - 1 > ${maxSegments - segments(toPath) + segments(path)} limit 1`;
  if (long) throw badInput('toPath', `would make paths of more than ${maxPathBytes} bytes or ${maxSegments} segments`);
}

const segments = (path: string) => path.split('/').length - 1;
