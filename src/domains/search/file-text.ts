import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { App } from '../../core/context.js';
import { extractText, hasText, maxFileBytes, TextUnreadable } from '../../platform/text/text.js';
import { blobKey, type FileVersionRow } from '../files/file.js';
import type { SourceText } from './source-text.js';

/** What a file is called and what it says. One that says nothing, or cannot be read, is found by its path. */
export async function fileText(
  row: Readonly<Record<string, unknown>>,
  app: App,
  signal: AbortSignal,
): Promise<SourceText> {
  const [title, mimeType] = [String(row['path']), String(row['mimeType'])];
  if (!hasText(mimeType) || row['currentVersionId'] === null) return { title, body: '' };
  const unreadable = { title, body: '', isUnreadable: true };
  if (Number(row['sizeBytes']) > maxFileBytes) return unreadable;
  try {
    return { title, body: await textOfVersion(app, String(row['currentVersionId']), mimeType, signal) };
  } catch (error) {
    if (error instanceof TextUnreadable) return unreadable;
    throw error;
  }
}

type Version = Pick<FileVersionRow, 'id' | 'fileId' | 'spaceId' | 'storageTier'>;

async function textOfVersion(app: App, id: string, mimeType: string, signal: AbortSignal): Promise<string> {
  const [version] = await app.database.query<Version>(
    'select id, "fileId", "spaceId", "storageTier" from "FileVersion" where id = $1',
    [id],
  );
  const stored = version && (await app.blobs.get(blobKey(version)));
  if (!stored) throw new TextUnreadable('Its bytes are not there.');
  // Versions in cold storage are packed.
  const bytes = version.storageTier === 'COLD' ? unpacked(stored.body) : stored.body;
  const { text } = await extractText(bytes, mimeType, signal);
  return text;
}

function unpacked(packed: Readable): Readable {
  const bytes = createGunzip();
  packed.on('error', (error) => bytes.destroy(error));
  return packed.pipe(bytes);
}
