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
import {
  assertKey,
  type BlobInfo,
  type Blobs,
  type ByteRange,
  type Multipart,
  NoSuchUpload,
  type Part,
} from './blobs.js';

/** How long the store may take to begin its answer. */
const answerMs = 10_000;
const sliceBytes = 8 * 1024 * 1024;

type Head = Awaited<ReturnType<typeof head>>;

/**
 * Objects in a private store of Vercel Blob. Its addresses never leave the gateway. VERCEL_BLOB_API_URL, which the client reads itself, leads to another
 * server of the same protocol.
 */
export function vercelBlobs(token: string): Blobs {
  const writing = { access: 'private', token, addRandomSuffix: false, allowOverwrite: true } as const;

  async function find(key: string): Promise<Head | null> {
    assertKey(key);
    try {
      return await head(key, { token, abortSignal: AbortSignal.timeout(answerMs) });
    } catch (error) {
      if (error instanceof BlobNotFoundError) return null;
      throw error;
    }
  }

  const infoOf = ({ pathname, size, uploadedAt }: Pick<Head, 'pathname' | 'size' | 'uploadedAt'>): BlobInfo => ({
    key: pathname,
    sizeBytes: size,
    storedAt: uploadedAt,
  });

  async function infoAt(key: string): Promise<BlobInfo | null> {
    const found = await find(key);
    return found && infoOf(found);
  }

  async function beginMultipart(key: string): Promise<string> {
    assertKey(key);
    return (await createMultipartUpload(key, writing)).uploadId;
  }

  async function putPart({ key, uploadId }: Multipart, partNumber: number, body: Readable): Promise<string> {
    const part = { ...writing, key, uploadId, partNumber };
    try {
      return (await failingWith(body, (sound) => uploadPart(key, sound, part))).etag;
    } catch (error) {
      throw isGone(error) ? new NoSuchUpload() : error;
    }
  }

  async function complete({ key, uploadId }: Multipart, parts: readonly Part[]): Promise<void> {
    const inOrder = [...parts].sort((a, b) => a.number - b.number);
    const named = inOrder.map(({ number, etag }) => ({ partNumber: number, etag }));
    await completeMultipartUpload(key, named, { ...writing, key, uploadId });
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
      const found = await find(key);
      if (!found) return null;
      const response = await fetch(found.url, { headers: headersFor(token, range) });
      if (response.status === 404) return null;
      if (!response.ok || !response.body) throw new Error(`The store answered ${response.status} for ${key}.`);
      return { ...infoOf(found), body: Readable.fromWeb(response.body as ReadableStream) };
    },
    async remove(keys) {
      keys.forEach(assertKey);
      if (keys.length > 0) await del([...keys], { token });
    },
    async list(prefix, limit, from = null) {
      const page = await list({ token, prefix, limit, ...(from !== null && { cursor: from }) });
      return { blobs: page.blobs.map(infoOf), next: (page.hasMore && page.cursor) || null };
    },
    beginMultipart,
    putPart,
    async completeMultipart(upload, parts) {
      if (await find(upload.key)) return;
      try {
        await complete(upload, parts);
      } catch (error) {
        if (!isGone(error)) throw error;
        // Someone else has completed it meanwhile, or the store has forgotten it.
        if (!(await find(upload.key))) throw new NoSuchUpload();
      }
    },
    // The store has no call for it: it forgets parts that are not completed by itself.
    async abortMultipart() {},
    async removeStale() {},
  };
}

const headersFor = (token: string, range: ByteRange | undefined) => ({
  authorization: `Bearer ${token}`,
  ...(range && { range: `bytes=${range.from}-${range.to}` }),
});

const isGone = (error: unknown) =>
  error instanceof BlobNotFoundError ||
  (error instanceof BlobError && /upload.*not (be )?found|not.*exist/i.test(error.message));

/** Runs what takes a body; when the body fails, that is why, whatever the client makes of it. */
async function failingWith<T>(body: Readable, take: (body: Readable) => Promise<T>): Promise<T> {
  let failure: Error | null = null;
  body.once('error', (error) => (failure = error));
  try {
    return await take(body);
  } catch (error) {
    throw failure ?? error;
  }
}

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
