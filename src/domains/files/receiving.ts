import { type Readable, Transform } from 'node:stream';
import type { App } from '../../core/context.js';
import { AppError, badInput, notFound } from '../../core/errors.js';
import { assertAddress } from './address.js';
import { fromStore } from './store.js';
import { sizeOfPart, type UploadSessionRow, uploadKey } from './upload.js';

/** A part as it comes in. */
export interface Arriving {
  readonly body: Readable;
  /** What its sender says; null when they do not. */
  readonly length: number | null;
}

/** Takes a part of an upload; answers its number. It counts once all of it is stored and written down. */
export async function receivePart(app: App, id: string, query: URLSearchParams, part: Arriving): Promise<number> {
  assertAddress(app, 'upload', id, query);
  const session = await openSession(app, id);
  const number = Number(query.get('part') ?? 1);
  const size = sizeOfPart(session, number);
  if (size === null) throw badInput('part', 'is not the number of a part');
  if (part.length !== null && part.length !== size) throw wrongSize(part.length, size);
  const upload = { key: uploadKey(session), uploadId: session.multipartId };
  const etag = await fromStore(
    app,
    counting(part.body, size, (counted) => app.blobs.putPart(upload, number, counted)),
  );
  const [noted] = await app.database.query(noteSql, [id, `${number}`, etag, app.now()]);
  if (!noted) throw notFound();
  return number;
}

type Receiving = Pick<UploadSessionRow, 'spaceId' | 'fileId' | 'versionId' | 'sizeBytes'> & {
  readonly multipartId: string;
};

async function openSession(app: App, id: string): Promise<Receiving> {
  const [session] = await app.database.query<Receiving>(openSql, [id, app.now()]);
  if (!session) throw notFound();
  return session;
}

const openSql = `select "spaceId", "fileId", "versionId", "sizeBytes", "multipartId" from "UploadSession" where id = $1 and status = 'OPEN' and "expiresAt" > $2`;
const noteSql = `update "UploadSession" set parts = parts || jsonb_build_object($2::text, $3::text), "updatedAt" = $4 where id = $1 and status = 'OPEN' returning id`;

/** Has a body of so many bytes taken; rejects for one more or one less, and when it breaks off. */
async function counting<T>(body: Readable, size: number, take: (counted: Readable) => Promise<T>): Promise<T> {
  let seen = 0;
  let fault: Error | null = null;
  const counted = new Transform({
    transform(chunk: Buffer, _, done) {
      seen += chunk.length;
      if (seen > size) done(wrongSize(seen, size));
      else done(null, chunk);
    },
    flush(done) {
      done(seen < size ? wrongSize(seen, size) : null);
    },
  });
  counted.once('error', (error) => (fault = error));
  const brokeOff = () => body.readableEnded || counted.destroy(new AppError('BAD_REQUEST', 'The part broke off.'));
  body.once('error', brokeOff).once('close', brokeOff);
  try {
    return await take(body.pipe(counted));
  } catch (error) {
    throw fault ?? error;
  } finally {
    // What is left of the body is not ours to destroy: its sender has to hear the answer.
    body.unpipe(counted);
    counted.destroy();
  }
}

const wrongSize = (found: number, size: number) =>
  found > size
    ? new AppError('PAYLOAD_TOO_LARGE', `The part has ${size} bytes, not ${found} or more.`)
    : new AppError('BAD_REQUEST', `The part has ${size} bytes, not ${found}.`);
