import type { App } from '../core/context.js';
import { blobKey, type FileVersionRow } from '../domains/files/file.js';

type Version = Pick<FileVersionRow, 'id' | 'fileId' | 'spaceId' | 'storageTier'>;

/**
 * Removes a blob of a version that its row does not name; answers whether it did. Under the lock of the row: whoever makes the row name another blob makes
 * sure, under the same lock, that this one is there. Uploads are looked at first: one that has ended meanwhile has left its row.
 */
export function removeUnnamed({ database, blobs }: App, key: string): Promise<boolean> {
  const id = key.slice(key.lastIndexOf('/') + 1).replace(/\.gz$/, '');
  return database.transaction(
    async (query) => {
      const [upload] = await query(uploadSql, [id]);
      if (upload) return false;
      const [version] = await query<Version>(versionSql, [id]);
      if (version && blobKey(version) === key) return false;
      await blobs.remove([key]);
      return true;
    },
    { snapshot: false },
  );
}

const uploadSql = `select id from "UploadSession" where "versionId" = $1 and status in ('OPEN', 'CHECKING')`;
const versionSql = 'select id, "fileId", "spaceId", "storageTier" from "FileVersion" where id = $1 for update';
