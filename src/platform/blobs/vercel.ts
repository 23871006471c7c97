import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import {
  BlobError,
  BlobNotFoundError,
  completeMultipartUpload,
  createMultipartUpload,
  del,
  head,
  list,
  uploadPart,
} from '@vercel/blob';
import { breaker } from '../breaker.js';
import {
  assertKey,
  type BlobInfo,
  type Blobs,
  BlobsUnavailable,
  type ByteRange,
  type Multipart,
  NoSuchUpload,
  type Part,
} from './blobs.js';
import { whileTaken, within } from './patience.js';

/** How long the store may take to answer; for one object of many parts, longer by so much for each. */
const answerMs = 5_000;
const partMs = 500;
/** How long it may leave bytes that are there for it. */
const takeMs = 10_000;
const sliceBytes = 8 * 1024 * 1024;

type Head = Awaited<ReturnType<typeof head>>;

/**
 * Objects in a private store of Vercel Blob. Its addresses never leave the gateway. VERCEL_BLOB_API_URL, which the client reads itself, leads to another
 * server of the same protocol.
 */
export function vercelBlobs(token: string): Blobs {
  const writing = { access: 'private', token, addRandomSuffix: false, allowOverwrite: true } as const;
  const guard = breaker((cause) => new BlobsUnavailable('The blob store is unavailable.', { cause }));
  const ask = <T>(work: (abortSignal: AbortSignal) => Promise<T>, ms = answerMs) => guard.call(() => within(ms, work));

  /** Has a body taken. When the body fails, that is why, whatever the client makes of it, and no trouble of the store's. */
  async function give<T>(body: Readable, work: (body: Readable, abortSignal: AbortSignal) => Promise<T>): Promise<T> {
    const fault: { reason?: Error } = {};
    body.once('error', (reason) => (fault.reason = reason));
    const given = await guard.call(async () => {
      try {
        return { value: await whileTaken(takeMs, body, work) };
      } catch (error) {
        if (fault.reason) return null;
        throw error;
      }
    });
    if (given) return given.value;
    throw fault.reason;
  }

  const find = (key: string): Promise<Head | null> =>
    ask((abortSignal) => unlessGone(head(key, { token, abortSignal })));

  const infoOf = ({ pathname, size, uploadedAt }: Pick<Head, 'pathname' | 'size' | 'uploadedAt'>): BlobInfo => ({
    key: pathname,
    sizeBytes: size,
    storedAt: uploadedAt,
  });

  async function infoAt(key: string): Promise<BlobInfo | null> {
    assertKey(key);
    const found = await find(key);
    return found && infoOf(found);
  }

  async function beginMultipart(key: string): Promise<string> {
    assertKey(key);
    return (await ask((abortSignal) => createMultipartUpload(key, { ...writing, abortSignal }))).uploadId;
  }

  async function putPart({ key, uploadId }: Multipart, partNumber: number, body: Readable): Promise<string> {
    const part = { ...writing, key, uploadId, partNumber };
    const stored = await give(body, (sound, abortSignal) =>
      unlessGone(uploadPart(key, sound, { ...part, abortSignal })),
    );
    if (!stored) throw new NoSuchUpload();
    return stored.etag;
  }

  /** False when the store knows no such upload. */
  async function complete({ key, uploadId }: Multipart, parts: readonly Part[]): Promise<boolean> {
    const inOrder = [...parts].sort((a, b) => a.number - b.number);
    const named = inOrder.map(({ number, etag }) => ({ partNumber: number, etag }));
    const options = { ...writing, key, uploadId };
    const made = await ask(
      (abortSignal) => unlessGone(completeMultipartUpload(key, named, { ...options, abortSignal })),
      answerMs + partMs * parts.length,
    );
    return made !== null;
  }

  return {
    head: infoAt,
    async put(key, body) {
      // The client's own way to send parts holds sixteen of them in memory.
      const upload = { key, uploadId: await beginMultipart(key) };
      const parts: Part[] = [];
      for await (const slice of slicesOf(body, sliceBytes)) {
        const number = parts.length + 1;
        parts.push({ number, etag: await putPart(upload, number, slice) });
      }
      await complete(upload, parts);
      const info = await infoAt(key);
      if (!info) throw new Error(`${key} is gone right after it was stored.`);
      return info;
    },
    async get(key, range) {
      assertKey(key);
      const found = await find(key);
      if (!found) return null;
      const response = await ask((signal) => read(found.url, { headers: headersFor(token, range), signal }));
      return response && { ...infoOf(found), body: Readable.fromWeb(response as ReadableStream) };
    },
    async remove(keys) {
      keys.forEach(assertKey);
      if (keys.length > 0) await ask((abortSignal) => del([...keys], { token, abortSignal }));
    },
    async list(prefix, limit, from = null) {
      const cursor = from !== null && { cursor: from };
      const page = await ask((abortSignal) => list({ token, prefix, limit, ...cursor, abortSignal }));
      return { blobs: page.blobs.map(infoOf), next: (page.hasMore && page.cursor) || null };
    },
    beginMultipart,
    putPart,
    async completeMultipart(upload, parts) {
      if (await find(upload.key)) return;
      if (await complete(upload, parts)) return;
      // Someone else has completed it meanwhile, or the store has forgotten it.
      if (!(await find(upload.key))) throw new NoSuchUpload();
    },
    // The store has no call for it: it forgets parts that are not completed by itself.
    async abortMultipart() {},
    async removeStale() {},
  };
}

/** Begins to read an object; null when there is none. */
async function read(url: string, request: RequestInit) {
  const response = await fetch(url, request);
  if (response.status === 404) return null;
  if (!response.ok || !response.body) throw new Error(`The store answered ${response.status}.`);
  return response.body;
}

/** What the store answers; null where it knows no such object or upload. */
async function unlessGone<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked;
  } catch (error) {
    if (isGone(error)) return null;
    throw error;
  }
}

const headersFor = (token: string, range: ByteRange | undefined) => ({
  authorization: `Bearer ${token}`,
  ...(range && { range: `bytes=${range.from}-${range.to}` }),
});

const isGone = (error: unknown) =>
  error instanceof BlobNotFoundError ||
  (error instanceof BlobError && /upload.*not (be )?found|not.*exist/i.test(error.message));

/** Cuts a body into bodies of so many bytes, each to be read to its end before the next; the last one has the rest. */
async function* slicesOf(body: Readable, size: number): AsyncGenerator<Readable> {
  const chunks: AsyncIterator<Buffer> = body[Symbol.asyncIterator]();
  const next = async () => {
    const { done, value } = await chunks.next();
    return done ? null : value;
  };
  let waiting = await next();
  async function* slice() {
    for (let left = size; left > 0 && waiting; ) {
      const taken: Buffer = waiting.subarray(0, left);
      waiting = taken.length < waiting.length ? waiting.subarray(taken.length) : await next();
      left -= taken.length;
      yield taken;
    }
  }
  try {
    while (waiting) yield Readable.from(slice(), { objectMode: false });
  } finally {
    // Whoever fills it need not wait for readers that have gone.
    body.destroy();
  }
}
