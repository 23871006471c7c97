import type { Tx } from '../../core/write.js';
import { release } from './quota.js';
import { endUploads } from './uploads.js';

/**
 * Hides files for good, and ends the uploads to them, and into the folders at and below `folder`: their room is free at once, their bytes go with the job.
 */
export async function dropFiles(
  tx: Tx,
  spaceId: string,
  ids: readonly string[],
  folder: string | null = null,
): Promise<void> {
  const gone = await tx.sql<{
    id: string;
    version: number;
  }>`update "File" set "deletedAt" = ${tx.now}, "folderId" = null, version = version + 1, "updatedAt" = ${tx.now}
    where id = any(${ids}::text[]) and "deletedAt" is null returning id, version`;
  const [freed] = await tx.sql<{
    bytes: string;
  }>`select coalesce(sum("sizeBytes"), 0)::text as bytes from "FileVersion" where "fileId" = any(${gone.map(({ id }) => id)}::text[])`;
  const reserved = await endUploads(tx, spaceId, ids, folder);
  await release(tx, spaceId, Number(freed?.bytes ?? 0) + reserved);
  for (const { id, version } of gone) tx.emit('file.deleted', 'File', id, { version }, { operation: 'DELETE' });
  tx.job('blobs.delete', { spaceId }, { key: `blobs.delete ${spaceId}` });
}
