import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { App } from '../../core/context.js';
import { blobKey, type FileVersionRow } from './file.js';
import { fromStore } from './store.js';

type Version = Pick<FileVersionRow, 'id' | 'fileId' | 'spaceId' | 'storageTier'>;

/** The bytes of a version that the caller has seen, also of a cold one, for code that goes through them; null when they are lost. */
export async function openBytes(app: App, version: Version): Promise<Readable | null> {
  const found = await fromStore(app, app.blobs.get(blobKey(version)));
  if (!found || version.storageTier !== 'COLD') return found?.body ?? null;
  const unpacked = createGunzip();
  // Whoever reads hears of a failure on either side.
  pipeline(found.body, unpacked, (error) => error && unpacked.destroy(error));
  return unpacked;
}

/** Whether the bytes of a version are there. */
export async function hasBytes(app: App, version: Version): Promise<boolean> {
  return (await fromStore(app, app.blobs.head(blobKey(version)))) !== null;
}
