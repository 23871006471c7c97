import { newId } from '../../core/ids.js';
import { columnsSql } from '../../core/sql.js';
import type { Tx } from '../../core/write.js';
import type { Visibility } from '../../generated/graphql.js';
import { nameOf, parentOf } from '../tree/path.js';
import { type FileRow, fileShape, pathIn } from './file.js';
import { assertFree, lockFolderAt, nameTaken } from './place.js';
import { reserve } from './quota.js';
import type { StoredBytes } from './storing.js';

const columns = columnsSql(fileShape);

/** A version whose bytes are stored. */
export interface NewVersion extends StoredBytes {
  readonly id: string;
  readonly number: number;
  readonly mimeType: string;
  readonly createdAt: Date;
}

/** A file whose bytes are stored. */
export interface NewFile {
  readonly id: string;
  readonly spaceId: string;
  /** The path of its folder. */
  readonly folder: string;
  readonly name: string;
  readonly visibility: Visibility;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** One at least. */
  readonly versions: readonly NewVersion[];
  readonly current: NewVersion;
}

/** Adds a file with its versions; it is the actor's. Its room is taken here, dates lie in the past or are now. */
export async function insertFile(tx: Tx, file: NewFile): Promise<FileRow> {
  const { id, spaceId, folder, name, visibility, current, versions } = file;
  const folderId = await lockFolderAt(tx, spaceId, folder);
  const path = pathIn(folder, name);
  await assertFree(tx, spaceId, path, id);
  const bytes = versions.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const [row] =
    await tx.sql<FileRow>`insert into "File" (id, "spaceId", "folderId", "ownerId", path, "parentPath", name, "mimeType", "sizeBytes", checksum, visibility,
      "currentVersionId", "createdAt", "updatedAt")
    values (${id}, ${spaceId}, ${folderId}, ${tx.actorId}, ${path}, ${folder}, ${name}, ${current.mimeType}, ${current.sizeBytes}::bigint,
      ${current.checksum}, ${visibility}::"Visibility", ${current.id}, least(${file.createdAt}::timestamptz, ${tx.now}), least(${file.updatedAt}::timestamptz, ${tx.now}))
    on conflict do nothing returning ${columns}`;
  if (!row) throw nameTaken();
  await tx.sql`insert into "FileVersion" (id, "fileId", "spaceId", number, "mimeType", "sizeBytes", checksum, "lastUsedAt", "uploadedById", "createdAt")
    select v.id, ${id}, ${spaceId}, v.number, v."mimeType", v."sizeBytes", v.checksum, ${tx.now}, ${tx.actorId}, least(v."createdAt", ${tx.now})
    from json_to_recordset(${JSON.stringify(versions)}::json) as v (id text, number int, "mimeType" text, "sizeBytes" bigint, checksum text, "createdAt" timestamptz)`;
  await reserve(tx, spaceId, bytes);
  tx.emit('file.ready', 'File', id, { version: row.version });
  return row;
}

/** A folder that was somewhere else before. */
export interface GivenFolder {
  readonly spaceId: string;
  readonly path: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** Adds a folder whose parent is there; answers its id, also that of one which is there already. */
export async function insertFolder(tx: Tx, { spaceId, path, createdAt, updatedAt }: GivenFolder): Promise<string> {
  const parentId = await lockFolderAt(tx, spaceId, parentOf(path));
  const id = newId('folder');
  const [row] = await tx.sql<{
    version: number;
  }>`insert into "Folder" (id, "spaceId", "parentId", path, "parentPath", name, "createdById", "createdAt", "updatedAt")
    values (${id}, ${spaceId}, ${parentId}, ${path}, ${parentOf(path)}, ${nameOf(path)}, ${tx.actorId}, least(${createdAt}::timestamptz, ${tx.now}), least(${updatedAt}::timestamptz, ${tx.now}))
    on conflict ("spaceId", path) do nothing returning version`;
  if (row) {
    tx.emit('folder.created', 'Folder', id, { path, version: row.version });
    return id;
  }
  const [known] = await tx.sql<{ id: string }>`select id from "Folder" where "spaceId" = ${spaceId} and path = ${path}`;
  tx.audit('file.write', { resourceType: 'Folder', resourceId: known?.id ?? null });
  return known?.id ?? '';
}
