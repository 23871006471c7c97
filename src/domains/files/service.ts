import { auditEntry } from '../../core/audit.js';
import type { Ctx } from '../../core/context.js';
import { badInput } from '../../core/errors.js';
import type { EventType } from '../../core/events.js';
import { follow } from '../../core/follow.js';
import { parse } from '../../core/input.js';
import { loadExisting } from '../../core/loaders.js';
import { columnsSql, sqlText } from '../../core/sql.js';
import { unchanged } from '../../core/versions.js';
import type { Tx, Written } from '../../core/write.js';
import { writeExisting } from '../../core/write-existing.js';
import type {
  DeleteFileInput,
  MoveFileInput,
  RestoreFileVersionInput,
  SubscriptionFileChangedArgs,
  UpdateFileInput,
} from '../../generated/graphql.js';
import { parsePath } from '../tree/path.js';
import { contentUrl, type Reading } from './address.js';
import type { FileChangeRow } from './change.js';
import { dropFiles } from './deletion.js';
import { FileChange, type FileRow, type FileVersionRow, fileName, fileShape, pathIn, VersionChoice } from './file.js';
import { assertShares, writeContent } from './permission.js';
import { assertFree, lockFolderAt } from './place.js';

const columns = columnsSql(fileShape);

/** Where to read a version; that it was asked for goes into the audit log. */
export function urlOf(
  ctx: Ctx,
  { fileId, spaceId }: Pick<FileVersionRow, 'fileId' | 'spaceId'>,
  id: string,
  how: Reading,
) {
  const url = contentUrl(ctx.app, id, how);
  const subject = { resourceType: 'File', resourceId: fileId };
  ctx.app.readAudit.add(auditEntry(ctx, 'file.read', { space: spaceId }, null, subject));
  return url;
}

/** Changes the fields that are given; CONFLICT for another version. */
export async function updateFile(ctx: Ctx, input: UpdateFileInput): Promise<Written<FileRow>> {
  const { id, version, visibility } = parse(FileChange, input);
  const name = input.name == null ? undefined : fileName(input.name);
  const doing = visibility === undefined ? 'file.write' : 'file.share';
  return writeExisting(ctx, doing, fileShape, id, async (tx, file) => {
    if (visibility !== undefined) await assertShares(ctx, file);
    const row = await changed(tx, { id, version }, { name, visibility }, 'name');
    tx.emit('file.updated', 'File', id, { version: row.version });
    return row;
  });
}

/** Moves a file to another folder of its space. */
export async function moveFile(ctx: Ctx, input: MoveFileInput): Promise<Written<FileRow>> {
  const { id, version } = parse(FileChange, input);
  const parentPath = parsePath(input.toFolderPath, 'toFolderPath');
  return writeExisting(ctx, 'file.write', fileShape, id, async (tx, { spaceId }) => {
    const folderId = await lockFolderAt(tx, spaceId, parentPath);
    const row = await changed(tx, { id, version }, { folderId, parentPath }, 'toFolderPath');
    tx.emit('file.moved', 'File', id, { version: row.version });
    return row;
  });
}

type Changes = { [Column in 'name' | 'folderId' | 'parentPath' | 'visibility']?: FileRow[Column] | undefined };

/** Changes what a file is called, where it is and who sees it; its path follows. `argument` is what makes it too long. */
async function changed(
  tx: Tx,
  { id, version }: Pick<FileRow, 'id' | 'version'>,
  changes: Changes,
  argument: string,
): Promise<FileRow> {
  // Held, so that its folder does not move meanwhile.
  const [file] =
    await tx.sql<FileRow>`select ${columns} from "File" where id = ${id} and version = ${version} and "deletedAt" is null for update`;
  if (!file) throw await unchanged(tx, fileShape, id);
  const { name = file.name, folderId = file.folderId, parentPath = file.parentPath } = changes;
  const visibility = changes.visibility ?? file.visibility;
  const path = pathIn(parentPath, name, argument);
  if (path !== file.path || visibility !== file.visibility) await assertFree(tx, file.spaceId, path, id);
  const [row] =
    await tx.sql<FileRow>`update "File" set name = ${name}, path = ${path}, "folderId" = ${folderId}, "parentPath" = ${parentPath},
      visibility = ${visibility}::"Visibility", version = version + 1, "updatedAt" = ${tx.now} where id = ${id} and version = ${version} returning ${columns}`;
  if (!row) throw new Error('A file that was held was not changed.');
  return row;
}

/** Deletes a file with all its versions. */
export async function deleteFile(ctx: Ctx, { id, version }: DeleteFileInput): Promise<Written<string>> {
  return writeExisting(ctx, 'file.write', fileShape, id, async (tx, { spaceId }) => {
    const [row] =
      await tx.sql`select id from "File" where id = ${id} and version = ${version} and "deletedAt" is null for update`;
    if (!row) throw await unchanged(tx, fileShape, id);
    await dropFiles(tx, spaceId, [id]);
    return id;
  });
}

const fileColumns = sqlText(fileShape.columns.map((column) => `"File"."${column}"`).join(', '));

/** Makes an earlier version the current one. */
export async function restoreFileVersion(ctx: Ctx, input: RestoreFileVersionInput): Promise<Written<FileRow>> {
  const { id, version, number } = parse(VersionChoice, input);
  return writeContent(ctx, await loadExisting(ctx, fileShape, id), async (tx) => {
    const [chosen] = await tx.sql`select id from "FileVersion" where "fileId" = ${id} and number = ${number} for share`;
    if (!chosen) throw badInput('number', 'is not that of a version of this file');
    const [row] =
      await tx.sql<FileRow>`update "File" set "currentVersionId" = v.id, "mimeType" = v."mimeType", "sizeBytes" = v."sizeBytes", checksum = v.checksum,
        status = 'READY', version = "File".version + 1, "updatedAt" = ${tx.now}
      from "FileVersion" v where "File".id = ${id} and "File".version = ${version} and "File"."deletedAt" is null and v."fileId" = ${id} and v.number = ${number}
      returning ${fileColumns}`;
    if (!row) throw await unchanged(tx, fileShape, id);
    tx.emit('file.ready', 'File', id, { version: row.version });
    return row;
  });
}

const changes: readonly EventType[] = [
  'file.ready',
  'file.updated',
  'file.moved',
  'file.deleted',
  'folder.created',
  'folder.moved',
  'folder.deleted',
];

/** Every change of a file that the viewer may see, and of a folder, as it happens. */
export function followFiles(ctx: Ctx, { spaceId, after }: SubscriptionFileChangedArgs) {
  return follow<{ fileChanged: FileChangeRow }>(
    ctx,
    'file.read',
    { spaceId, types: changes, after },
    async (delivery) => {
      if (!('event' in delivery)) return null;
      const { cursor, type, resourceId } = delivery.event;
      return { fileChanged: { cursor, type, resourceId } };
    },
  );
}
