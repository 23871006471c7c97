import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Blobs, NoSuchUpload } from '../../src/platform/blobs/blobs.js';
import { diskBlobs } from '../../src/platform/blobs/disk.js';
import { vercelBlobs } from '../../src/platform/blobs/vercel.js';
import { bytesOf, collected, sha256, streamOf } from '../support/bytes.js';
import { vercelBlobServer, vercelToken } from '../support/vercel-blob.js';

const mebi = 1024 * 1024;

interface Driver {
  readonly name: string;
  start(): Promise<{ blobs: Blobs; stop(): Promise<void> }>;
}

const disk: Driver = {
  name: 'disk',
  async start() {
    const home = await mkdtemp(join(tmpdir(), 'canopy-blobs-'));
    return { blobs: diskBlobs(home), stop: () => rm(home, { recursive: true }) };
  },
};

const vercel: Driver = {
  name: 'Vercel Blob',
  async start() {
    const server = await vercelBlobServer();
    return { blobs: vercelBlobs(vercelToken), stop: server.close };
  },
};

describe.each([disk, vercel])('blobs on $name', ({ start }) => {
  let blobs: Blobs;
  let stop: () => Promise<void>;
  beforeAll(async () => {
    ({ blobs, stop } = await start());
  });
  afterAll(() => stop());

  const read = async (key: string, range?: { from: number; to: number }) => {
    const found = await blobs.get(key, range);
    return found && collected(found.body);
  };

  test('what was put is there: its size, its bytes, and any range of them', async () => {
    const bytes = bytesOf(3 * mebi + 17);
    expect(await blobs.put('spaces/a/one', streamOf(bytes))).toMatchObject({ sizeBytes: bytes.length });
    expect(await blobs.head('spaces/a/one')).toMatchObject({ key: 'spaces/a/one', sizeBytes: bytes.length });
    expect(sha256((await read('spaces/a/one')) ?? '')).toBe(sha256(bytes));
    expect(await read('spaces/a/one', { from: 5, to: 9 })).toEqual(bytes.subarray(5, 10));
    expect(await read('spaces/a/one', { from: bytes.length - 1, to: bytes.length - 1 })).toEqual(bytes.subarray(-1));
    const found = await blobs.get('spaces/a/one', { from: 0, to: 0 });
    expect(found?.sizeBytes).toBe(bytes.length);
    await collected(found?.body ?? Readable.from([]));
  });

  test('a second object under a key takes the place of the first', async () => {
    await blobs.put('spaces/b/one', streamOf(bytesOf(10)));
    await blobs.put('spaces/b/one', streamOf(bytesOf(20, 2)));
    expect(await read('spaces/b/one')).toEqual(bytesOf(20, 2));
  });

  test('what is not there is null, and can be removed all the same', async () => {
    expect(await blobs.head('spaces/none')).toBeNull();
    expect(await blobs.get('spaces/none')).toBeNull();
    await blobs.remove(['spaces/none']);
  });

  test('a body that breaks off stores nothing', async () => {
    const broken = Readable.from(
      (function* () {
        yield bytesOf(mebi);
        throw new Error('the client went away');
      })(),
    );
    await expect(blobs.put('spaces/c/broken', broken)).rejects.toThrow();
    expect(await blobs.head('spaces/c/broken')).toBeNull();
    expect(await blobs.list('spaces/c/', 10)).toEqual({ blobs: [], next: null });
  });

  test('objects are listed by prefix and key, page by page, and are gone once removed', async () => {
    const keys = ['spaces/d/files/a/1', 'spaces/d/files/a/1.gz', 'spaces/d/files/b/1', 'spaces/d/files/b_c/1'];
    for (const key of [...keys].reverse()) await blobs.put(key, streamOf(bytesOf(5)));
    await blobs.put('spaces/dd/files/a/1', streamOf(bytesOf(5)));
    const seen: string[] = [];
    let from: string | null = null;
    do {
      const page: Awaited<ReturnType<Blobs['list']>> = await blobs.list('spaces/d/', 3, from);
      expect(page.blobs.length).toBeLessThanOrEqual(3);
      seen.push(...page.blobs.map(({ key }) => key));
      from = page.next;
    } while (from !== null);
    expect(seen).toEqual([...keys].sort());
    const [first] = (await blobs.list('spaces/d/', 1)).blobs;
    expect(first?.sizeBytes).toBe(5);
    expect(Math.abs(Date.now() - (first?.storedAt.getTime() ?? 0))).toBeLessThan(60_000);
    await blobs.remove(keys.slice(0, 3));
    expect((await blobs.list('spaces/d/', 10)).blobs.map(({ key }) => key)).toEqual(keys.slice(3));
  });

  test('parts that arrive in any order, one of them twice, make the object', async () => {
    const bytes = bytesOf(11 * mebi);
    const key = 'spaces/e/parts';
    const upload = { key, uploadId: await blobs.beginMultipart(key) };
    const part = (number: number) => streamOf(bytes.subarray((number - 1) * 5 * mebi, number * 5 * mebi));
    const etags = new Map<number, string>();
    await blobs.putPart(upload, 2, streamOf(bytesOf(5 * mebi, 9)));
    for (const number of [3, 2, 1]) etags.set(number, await blobs.putPart(upload, number, part(number)));
    expect(await blobs.head(key)).toBeNull();
    const parts = [...etags].map(([number, etag]) => ({ number, etag }));
    await Promise.all([blobs.completeMultipart(upload, parts), blobs.completeMultipart(upload, parts)]);
    await blobs.completeMultipart(upload, parts);
    expect(sha256((await read(key)) ?? '')).toBe(sha256(bytes));
    await expect(blobs.putPart(upload, 1, part(1))).rejects.toBeInstanceOf(NoSuchUpload);
  });

  test('an upload that is aborted leaves no object', async () => {
    const key = 'spaces/f/aborted';
    const upload = { key, uploadId: await blobs.beginMultipart(key) };
    await blobs.putPart(upload, 1, streamOf(bytesOf(100)));
    await blobs.abortMultipart(upload);
    await blobs.abortMultipart(upload);
    expect(await blobs.head(key)).toBeNull();
    expect((await blobs.list('spaces/f/', 10)).blobs).toEqual([]);
  });

  test('an object larger than what memory may grow by passes through', async () => {
    const chunk = bytesOf(mebi);
    const size = 128;
    const expected = createHash('sha256');
    const source = Readable.from(
      (function* () {
        for (let at = 0; at < size; at += 1) {
          expected.update(chunk);
          yield chunk;
        }
      })(),
    );
    const before = process.memoryUsage().rss;
    await blobs.put('spaces/g/large', source);
    const found = await blobs.get('spaces/g/large');
    const actual = createHash('sha256');
    for await (const bytes of found?.body ?? []) actual.update(bytes as Buffer);
    expect(process.memoryUsage().rss - before).toBeLessThan(80 * mebi);
    expect(actual.digest('hex')).toBe(expected.digest('hex'));
    await blobs.remove(['spaces/g/large']);
  });

  test('what is no key of ours never reaches the store', async () => {
    for (const key of ['', '/a', 'a/../b', 'a//b', 'a/', 'A', 'a\\b', 'a/%2e', 'a\0', '../../etc/passwd', 'a.b/c'])
      await expect(blobs.put(key, streamOf(bytesOf(1)))).rejects.toThrow('Not a key of a blob');
  });
});

test('on disk an upload whose end was cut off after the object had its name is complete, and leaves no parts behind', async () => {
  const { blobs, stop } = await disk.start();
  const key = 'spaces/e/cut';
  const upload = { key, uploadId: await blobs.beginMultipart(key) };
  const etag = await blobs.putPart(upload, 1, streamOf(bytesOf(100)));
  await blobs.put(key, streamOf(bytesOf(100)));
  await blobs.completeMultipart(upload, [{ number: 1, etag }]);
  const found = await blobs.get(key);
  expect(sha256(await collected(found?.body ?? Readable.from([])))).toBe(sha256(bytesOf(100)));
  await expect(blobs.putPart(upload, 1, streamOf(bytesOf(100)))).rejects.toBeInstanceOf(NoSuchUpload);
  await stop();
});
