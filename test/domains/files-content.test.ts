import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { bytesOf, sha256 } from '../support/bytes.js';
import { type Door, documents, doorOf, filesOf, type Uploaded } from '../support/files.js';
import { type World, world } from '../support/world.js';

let later = 0;
let w: World;
let door: Door;
let files: ReturnType<typeof filesOf>;
let file: Uploaded;
const bytes = Buffer.from('0123456789'.repeat(100));
beforeAll(async () => {
  w = await world({ now: () => new Date(Date.now() + later) });
  door = await doorOf(w.app);
  files = filesOf(w.editor, w.space.id, door);
  file = await files.upload(bytes, { name: 'numbers.txt' });
});
afterAll(async () => {
  await door.close();
  await w.close();
});

const textOf = async (answer: Response) => Buffer.from(await answer.arrayBuffer()).toString();

describe('ranges', () => {
  test.each([
    ['bytes=0-9', 206, 'bytes 0-9/1000', '0123456789'],
    ['bytes=995-', 206, 'bytes 995-999/1000', '56789'],
    ['bytes=-3', 206, 'bytes 997-999/1000', '789'],
    ['bytes=990-5000', 206, 'bytes 990-999/1000', '0123456789'],
    ['bytes=0-0', 206, 'bytes 0-0/1000', '0'],
  ])('%s answers those bytes alone', async (range, status, contentRange, expected) => {
    const answer = await files.get(file.id, { headers: { range } });
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-range')).toBe(contentRange);
    expect(await textOf(answer)).toBe(expected);
  });

  test('what is past the end is 416, and several ranges are as if none was asked for', async () => {
    const past = await files.get(file.id, { headers: { range: 'bytes=1000-' } });
    expect([past.status, past.headers.get('content-range')]).toEqual([416, 'bytes */1000']);
    const several = await files.get(file.id, { headers: { range: 'bytes=0-1,5-6' } });
    expect([several.status, await textOf(several)]).toEqual([200, bytes.toString()]);
  });

  test('a range of what has changed since is all of it', async () => {
    const same = await files.get(file.id, { headers: { range: 'bytes=0-1', 'if-range': `"${file.checksum}"` } });
    expect(same.status).toBe(206);
    const other = await files.get(file.id, { headers: { range: 'bytes=0-1', 'if-range': '"other"' } });
    expect(other.status).toBe(200);
  });
});

test('the digest is the tag by which a copy is known to be good, and HEAD says all but the bytes', async () => {
  const first = await files.get(file.id);
  expect(first.headers.get('etag')).toBe(`"${sha256(bytes)}"`);
  const again = await files.get(file.id, { headers: { 'if-none-match': `W/"x", "${sha256(bytes)}"` } });
  expect([again.status, await textOf(again)]).toEqual([304, '']);
  const head = await files.get(file.id, { method: 'HEAD' });
  expect([head.status, head.headers.get('content-length'), await textOf(head)]).toEqual([200, '1000', '']);
  expect((await files.get(file.id, { method: 'DELETE' })).status).toBe(405);
});

describe('what a browser may run is a download', () => {
  test.each([
    ['page.html', 'text/html', Buffer.from('<script>alert(1)</script>'), 'attachment'],
    [
      'shape.svg',
      'image/svg+xml',
      Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'),
      'attachment',
    ],
    ['code.js', 'text/javascript', Buffer.from('alert(1)'), 'attachment'],
    ['feed.xml', 'application/xml', Buffer.from('<?xml version="1.0"?><a/>'), 'attachment'],
    ['plain.txt', 'text/plain', Buffer.from('<script>alert(1)</script>'), 'inline'],
    ['pixel.gif', 'image/gif', Buffer.from('R0lGODlhAQABAAAAACw=', 'base64'), 'inline'],
    ['anything.bin', 'application/octet-stream', bytesOf(50), 'attachment'],
  ])('%s as %s', async (name, mimeType, content, disposition) => {
    const { id } = await files.upload(content, { name, mimeType });
    const { headers } = await files.get(id);
    expect(headers.get('content-disposition')).toBe(`${disposition}; filename="${name}"; filename*=UTF-8''${name}`);
    expect(headers.get('content-type')).toBe(mimeType.startsWith('text/') ? `${mimeType}; charset=utf-8` : mimeType);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-security-policy')).toBe("sandbox; default-src 'none'");
  });

  test('with download, everything is', async () => {
    const { data } = await w.editor.run('query ($id: ID!) { file(id: $id) { url(download: true) } }', { id: file.id });
    expect((await door.fetch(data.file.url)).headers.get('content-disposition')).toMatch(/^attachment/);
    const shown = await door.fetch(data.file.url.replace('&download=1', ''));
    expect(shown.status).toBe(403);
  });
});

test('a name in any script or with quotes reaches the browser as it is, and no header breaks', async () => {
  const name = 'Grüße "an" 庭.txt';
  const { id } = await files.upload(bytes, { name });
  const { headers } = await files.get(id);
  const said = headers.get('content-disposition') ?? '';
  expect(decodeURIComponent(/filename\*=UTF-8''(.+)$/.exec(said)?.[1] ?? '')).toBe(name);
  expect(said).toMatch(/^inline; filename="[ -~]+"; /);
});

describe('an address', () => {
  const addressOf = async (args = '') => {
    const { data, code } = await w.editor.run(`query ($id: ID!) { file(id: $id) { url${args} } }`, { id: file.id });
    return code ?? (data.file.url as string);
  };

  test('ends when it says, after 300 seconds at most', async () => {
    const [short, long] = [await addressOf('(expiresInSeconds: 10)'), await addressOf()];
    expect((await door.fetch(short)).status).toBe(200);
    later = 11_000;
    expect((await door.fetch(short)).status).toBe(403);
    expect((await door.fetch(long)).status).toBe(200);
    later = 301_000;
    expect((await door.fetch(long)).status).toBe(403);
    later = 0;
    for (const seconds of [0, 301, -1])
      expect(await addressOf(`(expiresInSeconds: ${seconds})`)).toBe('BAD_USER_INPUT');
  });

  test('is of one version, and of nothing else', async () => {
    const other = await files.upload(bytesOf(10), { name: 'other.bin', mimeType: 'application/octet-stream' });
    const url = await addressOf();
    const versionId = new URL(url).pathname.split('/').at(-1) ?? '';
    const { data } = await files.file(other.id);
    const otherId = new URL(data.file.url).pathname.split('/').at(-1) ?? '';
    expect((await door.fetch(url.replace(versionId, otherId))).status).toBe(403);
    expect((await door.fetch(url.replace(/expires=\d+/, 'expires=9999999999'))).status).toBe(403);
    expect((await door.fetch(url.replace(/&signature=.*/, ''))).status).toBe(403);
    for (const path of ['', 'x', '../api/health', `${versionId}/..`, file.id, 'spaces%2f..'])
      expect((await door.fetch(`${door.origin}/api/blob/${path}`, { redirect: 'manual' })).status).not.toBe(206);
  });

  test('says for how long a copy may be kept, and by whom', async () => {
    const kept = (await files.get(file.id)).headers.get('cache-control') ?? '';
    expect(kept).toMatch(/^private, max-age=\d+$/);
    expect(Number(kept.split('=')[1])).toBeLessThanOrEqual(300);
    const open = await files.upload(bytes, { name: 'open.txt', visibility: 'PUBLIC' });
    expect((await files.get(open.id)).headers.get('cache-control')).toMatch(/^public, max-age=/);
  });

  test('leads nowhere once the file is deleted', async () => {
    const gone = await files.upload(bytes, { name: 'gone.txt' });
    const { data } = await files.file(gone.id);
    await files.run(documents.remove, { id: gone.id, version: 1 });
    expect((await door.fetch(data.file.url)).status).toBe(404);
    await w.runJobs();
    expect((await door.fetch(data.file.url)).status).toBe(404);
  });
});

test('the addresses of a hundred files take no statement of their own', async () => {
  const insert = `with file as (insert into "File" (id, "spaceId", path, "parentPath", name, "mimeType", "sizeBytes", checksum, "currentVersionId")
    select 'file_' || lpad(i::text, 26, '0'), $1, '/many-' || i, '/', 'many-' || i, 'text/x-many', 1, 'x', 'fver_' || lpad(i::text, 26, '0') from generate_series(1, 120) i returning id)
    select count(*) from file`;
  await w.app.database.query(insert, [w.space.id]);
  const ask = (fields: string) =>
    w.viewer.run(
      `query ($id: ID!) { space(by: { id: $id }) { files(first: 100, filter: { mimeType: "text/x-many" }) { nodes { ${fields} } } } }`,
      {
        id: w.space.id,
      },
    );
  await ask('id name');
  const plain = (await ask('id name')).sql;
  const { data, sql } = await ask('id name url');
  expect(data.space.files.nodes).toHaveLength(100);
  expect(new Set(data.space.files.nodes.map(({ url }: { url: string }) => url)).size).toBe(100);
  expect(sql).toHaveLength(plain.length);
  expect(sql).toHaveLength(1);
});

test('a file that takes more than memory may grow by is read without being held', async () => {
  const large = bytesOf(64 * 1024 * 1024);
  const { id } = await files.upload(large, { name: 'large.bin', mimeType: 'application/octet-stream' });
  const answer = await files.get(id);
  const before = process.memoryUsage().arrayBuffers;
  let peak = 0;
  let size = 0;
  for await (const chunk of answer.body ?? []) {
    size += (chunk as Uint8Array).length;
    peak = Math.max(peak, process.memoryUsage().arrayBuffers);
  }
  expect(size).toBe(large.length);
  expect(peak - before).toBeLessThan(56 * 1024 * 1024);
});
