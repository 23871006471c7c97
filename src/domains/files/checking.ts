import { createHash } from 'node:crypto';
import type { App } from '../../core/context.js';
import { AppError, badInput } from '../../core/errors.js';
import { typeFault } from './media-type.js';
import { fromStore } from './store.js';
import { type UploadSessionRow, uploadKey } from './upload.js';

/** What it takes to know most types by. */
const headBytes = 4_100;

/** Makes one object of the parts and reads it; answers what is wrong with it, or null. */
export async function compose(app: App, session: UploadSessionRow): Promise<AppError | null> {
  const key = uploadKey(session);
  const parts = Object.entries(session.parts).map(([number, etag]) => ({ number: Number(number), etag }));
  await fromStore(app, app.blobs.completeMultipart({ key, uploadId: session.multipartId ?? '' }, parts));
  const found = await fromStore(app, app.blobs.get(key));
  if (!found) throw new AppError('SERVICE_UNAVAILABLE', 'The file is not there yet; try again.', { retryable: true });
  const hash = createHash('sha256');
  let head = Buffer.alloc(0);
  let size = 0;
  const read = async () => {
    for await (const chunk of found.body as AsyncIterable<Buffer>) {
      size += chunk.length;
      hash.update(chunk);
      if (head.length < headBytes) head = Buffer.concat([head, chunk.subarray(0, headBytes - head.length)]);
    }
  };
  await fromStore(app, read());
  if (size !== Number(session.sizeBytes)) return badInput('sizeBytes', `is ${size} in truth`);
  if (hash.digest('hex') !== session.checksum) return badInput('checksum', 'is not that of the bytes');
  return typeFault(session.mimeType, head);
}
