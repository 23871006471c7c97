import { createHash } from 'node:crypto';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import type { App } from '../core/context.js';
import type { Jobs } from '../core/jobs.js';
import { behind } from '../core/operation.js';
import { commit } from '../core/write.js';
import { blobKey, type FileVersionRow } from '../domains/files/file.js';
import { removeUnnamed } from './unnamed-blobs.js';

type Version = Pick<FileVersionRow, 'id' | 'fileId' | 'spaceId' | 'checksum' | 'storageTier'>;

/** Unpacks a version next to its archive, and removes the archive once the database says that the version is there. */
export async function restoreBlob(app: App, { versionId }: Jobs['blobs.restore']): Promise<void> {
  const [version] = await app.database.query<Version>(
    'select id, "fileId", "spaceId", checksum, "storageTier" from "FileVersion" where id = $1',
    [versionId],
  );
  if (version?.storageTier !== 'COLD') return;
  const [archive, plain] = [blobKey(version), blobKey({ ...version, storageTier: 'HOT' })];
  const packed = await app.blobs.get(archive);
  if (!packed) throw new Error(`The archive of ${versionId} is not there.`);
  const { hashed, digest } = hashing();
  await Promise.all([pipeline(packed.body, createGunzip(), hashed), app.blobs.put(plain, hashed)]);
  if (digest() !== version.checksum) throw new Error(`The archive of ${versionId} does not hold what it should.`);
  await commit(behind(app), 'file.read', { space: version.spaceId }, null, async (tx) => {
    const [file] = await tx.sql<{
      version: number;
    }>`update "File" set status = 'READY', version = version + 1, "updatedAt" = ${tx.now}
      where id = ${version.fileId} and "currentVersionId" = ${versionId} and status = 'RESTORING' returning version`;
    await tx.sql`update "FileVersion" set "storageTier" = 'HOT', "lastUsedAt" = ${tx.now} where id = ${versionId} and "storageTier" = 'COLD'`;
    // Until here they had no name, and might have been swept.
    if (!(await app.blobs.head(plain))) throw new Error(`The bytes of ${versionId} are gone again.`);
    if (file) tx.emit('file.updated', 'File', version.fileId, { version: file.version });
    else tx.audit('file.read', { resourceType: 'File', resourceId: version.fileId });
  });
  await removeUnnamed(app, archive);
}

function hashing() {
  const hash = createHash('sha256');
  const hashed = new Transform({
    transform(chunk: Buffer, _, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  return { hashed, digest: () => hash.digest('hex') };
}
