import type { App } from '../core/context.js';
import type { JobRun, Jobs } from '../core/jobs.js';
import { blobsOfFile, blobsOfSpace } from '../domains/files/file.js';
import { type UploadSessionRow, uploadKey } from '../domains/files/upload.js';

const batch = 50;
const pageSize = 500;

/** Removes bytes that nothing names any more, then what remembers them. What fails is tried again. */
export async function deleteBlobs(app: App, { spaceId }: Jobs['blobs.delete'], { signal }: JobRun): Promise<void> {
  const [space] = await app.database.query('select id from "Space" where id = $1', [spaceId]);
  if (!space) return removeAll(app, blobsOfSpace(spaceId), signal);
  while (await removeFiles(app, spaceId, signal)) signal.throwIfAborted();
  while (await removeUploads(app, spaceId)) signal.throwIfAborted();
}

/** Removes every blob under a prefix. */
async function removeAll({ blobs }: App, prefix: string, signal: AbortSignal): Promise<void> {
  for (;;) {
    const page = await blobs.list(prefix, pageSize);
    if (page.blobs.length === 0) return;
    await blobs.remove(page.blobs.map(({ key }) => key));
    signal.throwIfAborted();
  }
}

async function removeFiles(app: App, spaceId: string, signal: AbortSignal): Promise<boolean> {
  const files = await app.database.query<{ id: string }>(deletedSql, [spaceId, batch]);
  for (const { id } of files) await removeAll(app, blobsOfFile({ spaceId, id }), signal);
  await app.database.query('delete from "FileVersion" where "fileId" = any($1::text[])', [files.map(({ id }) => id)]);
  return files.length > 0;
}

const deletedSql = `select id from "File" f where "spaceId" = $1 and "deletedAt" is not null
  and exists (select from "FileVersion" v where v."fileId" = f.id) limit $2`;

type Ended = Pick<UploadSessionRow, 'id' | 'spaceId' | 'fileId' | 'versionId'> & { readonly multipartId: string };

async function removeUploads({ database, blobs }: App, spaceId: string): Promise<boolean> {
  const ended = await database.query<Ended>(endedSql, [spaceId, batch]);
  for (const session of ended) {
    const key = uploadKey(session);
    await blobs.abortMultipart({ key, uploadId: session.multipartId });
    await blobs.remove([key]);
  }
  await database.query('update "UploadSession" set "multipartId" = null where id = any($1::text[])', [
    ended.map(({ id }) => id),
  ]);
  return ended.length > 0;
}

const endedSql = `select id, "spaceId", "fileId", "versionId", "multipartId" from "UploadSession"
  where "spaceId" = $1 and status in ('REJECTED', 'ABORTED') and "multipartId" is not null limit $2`;
