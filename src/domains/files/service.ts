import { auditEntry } from '../../core/audit.js';
import type { Ctx } from '../../core/context.js';
import { badInput } from '../../core/errors.js';
import type { EventType } from '../../core/events.js';
import { follow } from '../../core/follow.js';
import { parse } from '../../core/input.js';
import { loadExisting } from '../../core/loaders.js';
import { columnsSql, sqlText } from '../../core/sql.js';
import { unchanged } from '../../core/versions.js';
import { type Tx, type Written, write } from '../../core/write.js';
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
import { FileChange, type FileRow, type FileVersionRow, fileName, fileShape, VersionChoice } from './file.js';
import { assertShares, writeContent } from './permission.js';
import { lockFolderAt } from './place.js';

const columns = columnsSql(fileShape);

/** The file as the viewer sees it, or NOT_FOUND. */
async function seen(ctx: Ctx, id: string): Promise<FileRow> {
  return loadExisting(ctx, fileShape, id);
}

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

// In the row's own folder, which may have moved since the row was seen.
const pathSql = (name: string) =>
  sqlText(`case "parentPath" when '/' then '/' || ${name} else "parentPath" || '/' || ${name} end`);
const newPath = pathSql('coalesce(renamed.name, "File".name)');

/** Changes the fields that are given; CONFLICT for another version. */
export async function updateFile(ctx: Ctx, input: UpdateFileInput): Promise<Written<FileRow>> {
  const { id, version, visibility } = parse(FileChange, input);
  const name = input.name == null ? null : fileName(input.name);
  const file = await seen(ctx, id);
  const change = async (tx: Tx) => {
    if (visibility !== undefined) await assertShares(ctx, file);
    const [row] = await tx.sql<FileRow>`update "File" set name = coalesce(renamed.name, "File".name), path = ${newPath},
        visibility = coalesce(${visibility ?? null}::"Visibility", visibility), version = version + 1, "updatedAt" = ${tx.now}
      from (select ${name}::text collate "C" as name) renamed where id = ${id} and version = ${version} and "deletedAt" is null
      returning ${fileColumns}`;
    if (!row) throw await unchanged(tx, fileShape, id);
    parsePath(row.path, 'name');
    tx.emit('file.updated', 'File', id, { version: row.version });
    return row;
  };
  return write(ctx, visibility === undefined ? 'file.write' : 'file.share', { space: file.spaceId }, change);
}

const fileColumns = sqlText(fileShape.columns.map((column) => `"File"."${column}"`).join(', '));

/** Moves a file to another folder of its space. */
export async function moveFile(ctx: Ctx, input: MoveFileInput): Promise<Written<FileRow>> {
  const { id, version } = parse(FileChange, input);
  const folder = parsePath(input.toFolderPath, 'toFolderPath');
  const { spaceId } = await seen(ctx, id);
  return write(ctx, 'file.write', { space: spaceId }, async (tx) => {
    const folderId = await lockFolderAt(tx, spaceId, folder);
    const [row] =
      await tx.sql<FileRow>`update "File" set "folderId" = ${folderId}, "parentPath" = ${folder}, path = ${folder === '/' ? '/' : `${folder}/`} || name,
        version = version + 1, "updatedAt" = ${tx.now}
      where id = ${id} and version = ${version} and "deletedAt" is null returning ${columns}`;
    if (!row) throw await unchanged(tx, fileShape, id);
    parsePath(row.path, 'toFolderPath');
    tx.emit('file.moved', 'File', id, { version: row.version });
    return row;
  });
}

/** Deletes a file with all its versions. */
export async function deleteFile(ctx: Ctx, { id, version }: DeleteFileInput): Promise<Written<string>> {
  const { spaceId } = await seen(ctx, id);
  return write(ctx, 'file.write', { space: spaceId }, async (tx) => {
    const [row] =
      await tx.sql`select id from "File" where id = ${id} and version = ${version} and "deletedAt" is null for update`;
    if (!row) throw await unchanged(tx, fileShape, id);
    await dropFiles(tx, spaceId, [id]);
    return id;
  });
}

/** Makes an earlier version the current one. */
export async function restoreFileVersion(ctx: Ctx, input: RestoreFileVersionInput): Promise<Written<FileRow>> {
  const { id, version, number } = parse(VersionChoice, input);
  return writeContent(ctx, await seen(ctx, id), async (tx) => {
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
