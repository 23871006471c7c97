import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { App } from '../../core/context.js';
import { AppError } from '../../core/errors.js';
import { blobKey } from './file.js';
import { typeFault } from './media-type.js';
import { fromStore } from './store.js';
import { maxFileBytes } from './upload.js';

/** Which version bytes are of, and what they are said to be. */
export interface NewBytes {
  readonly spaceId: string;
  readonly fileId: string;
  readonly versionId: string;
  readonly mimeType: string;
}

/** What is known of bytes once they are stored. */
export interface StoredBytes {
  readonly sizeBytes: number;
  /** SHA-256, hexadecimal. */
  readonly checksum: string;
}

/** What it takes to know most types by. */
const headBytes = 4_100;
const keyOf = ({ spaceId, fileId, versionId }: NewBytes) =>
  blobKey({ spaceId, fileId, id: versionId, storageTier: 'HOT' });

/** Stores the bytes of a version that has no row yet, as they come. Rejects with the body's error when that fails. */
export async function storeBytes(app: App, version: NewBytes, body: AsyncIterable<Buffer>): Promise<StoredBytes> {
  const hash = createHash('sha256');
  let head = Buffer.alloc(0);
  let sizeBytes = 0;
  let fault: unknown = null;
  async function* counted() {
    try {
      for await (const chunk of body) {
        sizeBytes += chunk.length;
        if (sizeBytes > maxFileBytes) throw new AppError('PAYLOAD_TOO_LARGE', 'A file has at most 5 GiB.');
        hash.update(chunk);
        if (head.length < headBytes) head = Buffer.concat([head, chunk.subarray(0, headBytes - head.length)]);
        yield chunk;
      }
    } catch (error) {
      fault = error;
      throw error;
    }
  }
  // What the body has to say of its failure is not the store's.
  const put = app.blobs.put(keyOf(version), Readable.from(counted(), { objectMode: false })).catch((error: unknown) => {
    if (fault === null) throw error;
  });
  await fromStore(app, put);
  if (fault !== null) throw fault;
  const misnamed = await typeFault(version.mimeType, head);
  if (misnamed) throw misnamed;
  return { sizeBytes, checksum: hash.digest('hex') };
}

/** Removes bytes that came to have no row. What cannot be reached now is swept later. */
export async function dropBytes(app: App, versions: readonly NewBytes[]): Promise<void> {
  try {
    await app.blobs.remove(versions.map(keyOf));
  } catch (error) {
    app.log.warn('Bytes without a file stay until they are swept.', { error });
  }
}
