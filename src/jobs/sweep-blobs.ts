import type { App } from '../core/context.js';
import type { JobRun, Jobs } from '../core/jobs.js';
import { behind } from '../core/operation.js';
import { commit } from '../core/write.js';
import { blobKey, type FileVersionRow } from '../domains/files/file.js';
import { type UploadSessionRow, uploadHours } from '../domains/files/upload.js';
import { endUpload } from '../domains/files/uploads.js';
import type { BlobInfo } from '../platform/blobs/blobs.js';
import { removeUnnamed } from './unnamed-blobs.js';

const hourMs = 60 * 60 * 1_000;
/** An hour more than an upload can take: what is older and has no name will never get one. */
const orphanMs = (uploadHours + 1) * hourMs;
/** As long as the event log can tell of a deletion, and a day. */
const tombstoneMs = 8 * 24 * hourMs;
const pageSize = 500;

/** Ends expired uploads, removes bytes without a row, and marks files whose bytes are lost. */
export async function sweepBlobs(app: App, _: Jobs['blobs.sweep'], { signal }: JobRun): Promise<void> {
  const now = app.now().getTime();
  await endExpired(app);
  const before = new Date(now - orphanMs);
  await app.blobs.removeStale(before);
  await compare(app, before, signal);
  await app.database.query(tombstonesSql, [new Date(now - tombstoneMs)]);
  await app.database.query(endedSql, [app.now()]);
}

const tombstonesSql = `delete from "File" f where "deletedAt" < $1 and not exists (select from "FileVersion" v where v."fileId" = f.id)`;

const endedSql = `delete from "UploadSession" where "expiresAt" < $1 and (status = 'COMPLETED' or (status in ('REJECTED', 'ABORTED') and "multipartId" is null))`;

type Expired = Pick<UploadSessionRow, 'id' | 'spaceId' | 'sizeBytes'>;

async function endExpired(app: App): Promise<void> {
  for (;;) {
    const expired = await app.database.query<Expired>(expiredSql, [app.now(), pageSize]);
    for (const session of expired)
      await commit(behind(app), 'file.write', { space: session.spaceId }, null, async (tx) => {
        if (!(await endUpload(tx, session, 'ABORTED')))
          tx.audit('file.write', { resourceType: 'UploadSession', resourceId: session.id });
      });
    if (expired.length < pageSize) return;
  }
}

const expiredSql = `select id, "spaceId", "sizeBytes" from "UploadSession" where status in ('OPEN', 'CHECKING') and "expiresAt" <= $1 order by "expiresAt" limit $2`;

type Version = Pick<FileVersionRow, 'id' | 'fileId' | 'spaceId' | 'storageTier' | 'createdAt'>;

/** Goes through all blobs and all versions side by side, both in the order of their keys: neither is ever held whole. */
async function compare(app: App, before: Date, signal: AbortSignal): Promise<void> {
  const [blobs, versions] = [allBlobs(app), allVersions(app)];
  let [blob, version] = [(await blobs.next()).value, (await versions.next()).value];
  while (blob || version) {
    signal.throwIfAborted();
    const key = version && blobKey(version);
    if (blob && (key === undefined || blob.key < key)) {
      if (blob.storedAt < before && (await removeUnnamed(app, blob.key)))
        app.log.info('A blob without a file is removed.', { key: blob.key });
      blob = (await blobs.next()).value;
    } else if (version && (!blob || key === undefined || key < blob.key)) {
      if (version.createdAt < before) await markLost(app, version);
      version = (await versions.next()).value;
    } else {
      blob = (await blobs.next()).value;
      version = (await versions.next()).value;
    }
  }
}

async function* allBlobs({ blobs }: App): AsyncGenerator<BlobInfo, undefined> {
  let from: string | null = null;
  do {
    const page: Awaited<ReturnType<typeof blobs.list>> = await blobs.list('spaces/', pageSize, from);
    yield* page.blobs;
    from = page.next;
  } while (from !== null);
}

async function* allVersions({ database }: App): AsyncGenerator<Version, undefined> {
  let after: readonly string[] = ['', '', ''];
  for (;;) {
    const page = await database.query<Version>(versionsSql, [...after, pageSize]);
    yield* page;
    const last = page.at(-1);
    if (!last) return;
    after = [last.spaceId, last.fileId, last.id];
  }
}

const versionsSql = `select id, "fileId", "spaceId", "storageTier", "createdAt" from "FileVersion"
  where ("spaceId", "fileId", id) > ($1, $2, $3) order by "spaceId", "fileId", id limit $4`;

/** Says of a file that its bytes are lost, when they still are. */
async function markLost(app: App, { id, fileId, spaceId }: Version): Promise<void> {
  const [known] = await app.database.query(lostSql, [fileId, id]);
  if (!known) return;
  await commit(behind(app), 'file.write', { space: spaceId }, null, async (tx) => {
    const [file] =
      await tx.sql`select id from "File" where id = ${fileId} and "currentVersionId" = ${id} and "deletedAt" is null
      and status <> 'FAILED' for no key update`;
    // Held, it stays in its tier.
    const [version] =
      await tx.sql<Version>`select id, "fileId", "spaceId", "storageTier" from "FileVersion" where id = ${id} for update`;
    if (!file || !version || (await app.blobs.head(blobKey(version))))
      return tx.audit('file.write', { resourceType: 'File', resourceId: fileId });
    app.log.error('The bytes of a file are lost.', { fileId, versionId: id });
    const [failed] = await tx.sql<{
      version: number;
    }>`update "File" set status = 'FAILED', version = version + 1, "updatedAt" = ${tx.now} where id = ${fileId} returning version`;
    tx.emit('file.updated', 'File', fileId, { version: failed?.version ?? 1 });
  });
}

const lostSql = `select id from "File" where id = $1 and "currentVersionId" = $2 and "deletedAt" is null and status <> 'FAILED'`;
