import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { App } from '../core/context.js';
import type { JobRun, Jobs } from '../core/jobs.js';
import { blobKey, type FileVersionRow } from '../domains/files/file.js';
import { versionsUsed } from '../domains/files/last-used.js';
import { removeUnnamed } from './unnamed-blobs.js';

const dayMs = 24 * 60 * 60 * 1_000;
const warmDays = 30;
const coldDays = 90;
const batch = 100;

type Version = Pick<FileVersionRow, 'id' | 'fileId' | 'spaceId' | 'storageTier' | 'lastUsedAt'>;

/** Moves what nobody has read for 30 days to WARM, and for 90 days to COLD: an archive in place of the bytes. */
export async function tierBlobs(app: App, _: Jobs['blobs.tier'], { signal }: JobRun): Promise<void> {
  await versionsUsed(app).flush();
  const now = app.now().getTime();
  await app.database.query(warmSql, [new Date(now - warmDays * dayMs)]);
  const before = new Date(now - coldDays * dayMs);
  for (let after = ''; ; ) {
    const versions = await app.database.query<Version>(idleSql, [before, after, batch]);
    for (const version of versions) {
      await archive(app, version);
      signal.throwIfAborted();
    }
    const last = versions.at(-1);
    if (!last) return;
    after = last.id;
  }
}

const warmSql = `update "FileVersion" set "storageTier" = 'WARM' where "storageTier" = 'HOT' and "lastUsedAt" < $1`;
const idleSql = `select v.id, v."fileId", v."spaceId", v."storageTier", v."lastUsedAt" from "FileVersion" v join "File" f on f.id = v."fileId" and f."deletedAt" is null
  where v."storageTier" = 'WARM' and v."lastUsedAt" < $1 and v.id > $2 order by v.id limit $3`;

/** The archive comes first, then the row that says so, then the bytes go: whatever it is killed at, the row names what is there. */
async function archive(app: App, version: Version): Promise<void> {
  const { blobs, database } = app;
  const plain = blobKey(version);
  const found = await blobs.get(plain);
  // Lost bytes are the sweep's to find.
  if (!found) return;
  const gzip = createGzip();
  const archived = blobKey({ ...version, storageTier: 'COLD' });
  await Promise.all([pipeline(found.body, gzip), blobs.put(archived, gzip)]);
  const isCold = await database.transaction(
    async (query) => {
      const [cold] = await query(coldSql, [version.id, version.lastUsedAt]);
      if (cold && !(await blobs.head(archived))) throw new Error(`The archive of ${version.id} is gone again.`);
      return cold !== undefined;
    },
    { snapshot: false },
  );
  if (isCold) await removeUnnamed(app, plain);
}

// Whoever has read it meanwhile keeps it warm; the archive is swept.
const coldSql = `update "FileVersion" set "storageTier" = 'COLD' where id = $1 and "lastUsedAt" = $2 and "storageTier" = 'WARM' returning id`;
