import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { bytesOf, sha256 } from '../support/bytes.js';
import { type Door, declared, documents, doorOf, filesOf, partBytes, partOf, toldOf } from '../support/files.js';
import { newSpace } from '../support/tenancy.js';
import { type World, world } from '../support/world.js';

let w: World;
let door: Door;
let files: ReturnType<typeof filesOf>;
beforeAll(async () => {
  w = await world();
  door = await doorOf(w.app);
  files = filesOf(w.editor, w.space.id, door);
});
afterAll(async () => {
  await door.close();
  await w.close();
});

let names = 0;
const fresh = (ending = 'txt') => `file-${(names += 1)}.${ending}`;
const text = (size = 1_000) => Buffer.from('Sow beans in April. '.repeat(Math.ceil(size / 20)).slice(0, size));

test('an upload is declared, sent and completed, and then read back byte for byte', async () => {
  const bytes = text(5_000);
  const name = fresh();
  const file = await files.upload(bytes, { name });
  expect(file).toMatchObject({
    name,
    path: `/${name}`,
    mimeType: 'text/plain',
    sizeBytes: 5_000,
    checksum: sha256(bytes),
    visibility: 'SPACE',
    status: 'READY',
    version: 1,
  });
  const answer = await files.get(file.id);
  expect(answer.status).toBe(200);
  expect(Buffer.from(await answer.arrayBuffer())).toEqual(bytes);
});

test('nothing of a file is seen before its upload is complete', async () => {
  const bytes = text();
  const name = fresh();
  const session = await files.started(bytes, { name });
  expect(await files.put(session, bytes)).toBe(200);
  const { data } = await w.owner.run(
    'query ($id: ID!) { space(by: { id: $id }) { files(first: 100) { nodes { name } } } }',
    {
      id: w.space.id,
    },
  );
  expect(data.space.files.nodes.map((node: { name: string }) => node.name)).not.toContain(name);
  expect((await files.session(session.id)).data.node).toMatchObject({ status: 'OPEN', receivedParts: [1], file: null });
});

test('a large file arrives in parts of 8 MiB, in any order', async () => {
  const bytes = bytesOf(2 * partBytes + 1_000);
  const session = await files.started(bytes, { name: fresh('bin'), mimeType: 'application/octet-stream' });
  expect(session.partCount).toBe(3);
  expect(await files.put(session, bytes, 3)).toBe(200);
  expect(await files.complete(session.id)).toMatchObject({ code: 'CONFLICT' });
  for (const number of [1, 2]) expect(await files.put(session, bytes, number)).toBe(200);
  const { data } = await files.complete(session.id);
  const answer = await files.get(data.completeUpload.file.id);
  expect(sha256(Buffer.from(await answer.arrayBuffer()))).toBe(sha256(bytes));
});

test('a wrong name, size, type or digest is refused before there is anything to send to', async () => {
  const bytes = text();
  const wrong: [string, object][] = [
    ['name', { name: '../etc/passwd' }],
    ['name', { name: '..' }],
    ['name', { name: 'a\u202Etxt.exe' }],
    ['name', { name: '' }],
    ['name', { name: 'x'.repeat(256) }],
    ['name', { name: null }],
    ['folderPath', { folderPath: '/a/../b' }],
    ['mimeType', { mimeType: 'text/plain; charset=utf-8' }],
    ['mimeType', { mimeType: 'text' }],
    ['sizeBytes', { sizeBytes: 0 }],
    ['sizeBytes', { sizeBytes: 1.5 }],
    ['sizeBytes', { sizeBytes: 5 * 1024 ** 3 + 1 }],
    ['checksum', { checksum: 'abc' }],
  ];
  const before = await files.used();
  for (const [path, more] of wrong) {
    const { code, errors } = await files.start(bytes, { name: fresh(), ...more });
    expect({ more, code, path: errors[0]?.extensions?.fields?.[0]?.path }).toEqual({
      more,
      code: 'BAD_USER_INPUT',
      path,
    });
  }
  expect(await files.start(bytes, { name: fresh(), folderPath: '/nowhere' })).toMatchObject({ code: 'NOT_FOUND' });
  expect(await filesOf(w.viewer, w.space.id, door).start(bytes)).toMatchObject({ code: 'FORBIDDEN' });
  expect(await filesOf(w.stranger, w.space.id, door).start(bytes)).toMatchObject({ code: 'NOT_FOUND' });
  expect(await files.used()).toBe(before);
});

test.each([
  ['another digest', Buffer.from('Sow peas.'), { mimeType: 'text/plain', checksum: sha256('Sow beans.') }, 'checksum'],
  ['a page that is called a picture', Buffer.from('<script>alert(1)</script>'), { mimeType: 'image/png' }, 'mimeType'],
  [
    'a picture that is called a document',
    Buffer.concat([Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'), bytesOf(100)]),
    { mimeType: 'application/pdf' },
    'mimeType',
  ],
])('%s is rejected, and its bytes are removed', async (_, bytes, more, field) => {
  const before = await files.used();
  const session = await files.started(bytes, { name: fresh(), ...more });
  expect(await files.put(session, bytes)).toBe(200);
  const { code, errors } = await files.complete(session.id);
  expect({ code, field: errors[0]?.extensions?.fields?.[0]?.path }).toEqual({ code: 'BAD_USER_INPUT', field });
  expect(await files.used()).toBe(before);
  expect(await files.complete(session.id)).toMatchObject({ code: 'CONFLICT' });
  const held = async () => (await w.app.blobs.list(`spaces/${w.space.id}/`, 1_000)).blobs.length;
  const withBytes = await held();
  await w.runJobs();
  expect(await held()).toBe(withBytes - 1);
});

test('a part of the wrong size, number or signature is not taken, and an address ends after 300 seconds', async () => {
  const bytes = text();
  const session = await files.started(bytes, { name: fresh() });
  const put = async (url: string, body: Buffer) =>
    (await door.fetch(url, { method: 'PUT', body: new Uint8Array(body) })).status;
  expect(await put(session.url, bytes.subarray(1))).toBe(400);
  expect(await put(session.url, Buffer.concat([bytes, bytes]))).toBe(413);
  expect(await put(`${session.url}&part=2`, bytes)).toBe(400);
  expect(await put(`${session.url}&part=x`, bytes)).toBe(400);
  expect(await put(session.url.replace(/signature=./, 'signature=_'), bytes)).toBe(403);
  expect(await put(session.url.replace(/expires=\d/, 'expires=9'), bytes)).toBe(403);
  const other = await files.started(bytes, { name: fresh() });
  expect(await put(session.url.replace(session.id, other.id), bytes)).toBe(403);
  const expires = Number(new URL(session.url).searchParams.get('expires'));
  expect(expires - Date.now() / 1_000).toBeLessThanOrEqual(300);
  expect((await files.session(session.id)).data.node.receivedParts).toEqual([]);
  expect((await door.fetch(session.url)).status).toBe(405);
});

test('a sender that says nothing of the length is held to it all the same, and one that breaks off leaves nothing', async () => {
  const bytes = text();
  const session = await files.started(bytes, { name: fresh() });
  const streamed = (body: Buffer, fails = false) =>
    door.fetch(session.url, {
      method: 'PUT',
      duplex: 'half',
      body: new ReadableStream({
        pull(controller) {
          controller.enqueue(new Uint8Array(body));
          if (fails) controller.error(new Error('gone'));
          else controller.close();
        },
      }),
    } as RequestInit);
  expect((await streamed(Buffer.concat([bytes, bytes]))).status).toBe(413);
  expect((await streamed(bytes.subarray(2))).status).toBe(400);
  await expect(streamed(bytes.subarray(2), true)).rejects.toThrow();
  expect((await files.session(session.id)).data.node.receivedParts).toEqual([]);
  expect((await streamed(bytes)).status).toBe(200);
  expect(await files.complete(session.id)).toMatchObject({ code: null });
});

test('to complete twice is to complete once, also at once', async () => {
  const bytes = text();
  const session = await files.started(bytes, { name: fresh() });
  await files.put(session, bytes);
  const answers = await Promise.all([files.complete(session.id), files.complete(session.id)]);
  const last = await files.complete(session.id);
  const ids = [...answers, last].flatMap(({ data }) => data?.completeUpload?.file.id ?? []);
  expect(new Set(ids).size).toBe(1);
  expect(last.code).toBeNull();
  const { data } = await w.editor.run(documents.versions, { id: ids[0] });
  expect(data.file.versions.totalCount).toBe(1);
});

test('an upload that is given up leaves neither bytes nor a claim on room', async () => {
  const bytes = text();
  const before = await files.used();
  const session = await files.started(bytes, { name: fresh() });
  await files.put(session, bytes);
  expect(await files.used()).toBe(before + bytes.length);
  const { data } = await files.run(documents.abort, { id: session.id });
  expect(data.abortUpload.uploadSession).toMatchObject({ status: 'ABORTED', url: null });
  expect(await files.used()).toBe(before);
  expect(await files.put(session, bytes)).toBe(404);
  expect(await files.complete(session.id)).toMatchObject({ code: 'CONFLICT' });
  expect(await files.run(documents.abort, { id: session.id })).toMatchObject({ code: 'CONFLICT' });
});

test('a name is taken once in a folder, also by two uploads at once', async () => {
  const bytes = text();
  const name = fresh();
  const sessions = [await files.started(bytes, { name }), await files.started(bytes, { name })];
  for (const session of sessions) await files.put(session, bytes);
  const codes = [];
  for (const session of sessions) codes.push((await files.complete(session.id)).code);
  expect(codes).toEqual([null, 'CONFLICT']);
  expect(await files.start(bytes, { name })).toMatchObject({ code: 'CONFLICT' });
});

test('ten uploads at once never take more room than there is', async () => {
  const space = await newSpace(w.owner);
  const mine = filesOf(w.owner, space.id, door);
  const bytes = text(1_000);
  await w.app.database.query('update "Space" set "storageLimit" = 3500 where id = $1', [space.id]);
  const answers = await Promise.all(Array.from({ length: 10 }, () => mine.start(bytes, { name: fresh() })));
  expect(answers.map(({ code }) => code).sort()).toEqual([...Array(7).fill('QUOTA_EXCEEDED'), null, null, null].sort());
  expect(await mine.used()).toBe(3_000);
  const [session] = answers.flatMap(({ data }) => data?.startUpload?.uploadSession ?? []);
  await mine.run(documents.abort, { id: session.id });
  const file = await mine.upload(bytes, { name: fresh() });
  expect(await mine.used()).toBe(3_000);
  expect(await mine.run(documents.remove, { id: file.id, version: 1 })).toMatchObject({ code: null });
  expect(await mine.used()).toBe(2_000);
});

test('an interrupted upload asks which parts have arrived and sends the others, for 24 hours', async () => {
  const bytes = bytesOf(3 * partBytes);
  const session = await files.started(bytes, { name: fresh('bin'), mimeType: 'application/octet-stream' });
  await files.put(session, bytes, 2);
  const { data } = await files.session(session.id);
  expect(data.node).toMatchObject({ receivedParts: [2], partBytes, partCount: 3 });
  expect(Date.parse(data.node.expiresAt) - Date.now()).toBeGreaterThan(23.9 * 3_600_000);
  for (const number of [1, 3])
    expect(
      (
        await door.fetch(`${data.node.url}&part=${number}`, {
          method: 'PUT',
          body: new Uint8Array(partOf(bytes, number)),
        })
      ).status,
    ).toBe(200);
  expect(await files.complete(session.id)).toMatchObject({
    data: { completeUpload: { file: { checksum: sha256(bytes) } } },
  });
});

test('above 64 MiB an upload is checked behind the answer, and what became of it is told', async () => {
  const bytes = bytesOf(9 * partBytes);
  const arrive = async (more: object) => {
    const session = await files.started(bytes, { name: fresh('bin'), mimeType: 'application/octet-stream', ...more });
    for (let number = 1; number <= 9; number += 1) await files.put(session, bytes, number);
    const { data } = await files.complete(session.id);
    expect(data.completeUpload).toMatchObject({ file: null, uploadSession: { status: 'CHECKING' } });
    return session;
  };
  const before = await files.used();
  const heard = await w.viewer.hear(
    'subscription ($id: ID!) { fileChanged(spaceId: $id) { type resourceId file { id } } }',
    {
      id: w.space.id,
    },
  );
  const [wrong, right] = [await arrive({ checksum: sha256('x') }), await arrive({})];
  await w.runJobs();
  expect((await files.session(wrong.id)).data.node).toMatchObject({
    status: 'REJECTED',
    fault: 'checksum: is not that of the bytes',
    file: null,
  });
  const { data } = await files.session(right.id);
  expect(data.node).toMatchObject({ status: 'COMPLETED', file: { id: expect.any(String) } });
  const { id } = data.node.file;
  expect(await toldOf(heard, [id], 1)).toEqual([{ type: 'file.ready', resourceId: id, file: { id } }]);
  await heard.stop();
  expect(await files.used()).toBe(before + bytes.length);
  expect(await files.complete(right.id)).toMatchObject({
    data: { completeUpload: { file: { id: data.node.file.id } } },
  });
});

test('nobody else sees an upload, or ends it', async () => {
  const session = await files.started(text(), { name: fresh() });
  for (const person of [w.commenter, w.viewer, w.stranger]) {
    const theirs = filesOf(person, w.space.id, door);
    expect((await theirs.session(session.id)).data.node).toBeNull();
    expect(await theirs.complete(session.id)).toMatchObject({ code: 'NOT_FOUND' });
    expect(await theirs.run(documents.abort, { id: session.id })).toMatchObject({ code: 'NOT_FOUND' });
  }
  expect(declared(w.space.id, text()).spaceId).toBe(w.space.id);
});

test('a store that is full or away is told to who sends, however much is still to come', async () => {
  const bytes = bytesOf(partBytes);
  const session = await files.started(bytes, { name: fresh('bin'), mimeType: 'application/octet-stream' });
  const { putPart } = w.app.blobs;
  const broken = { ...w.app.blobs, putPart: () => Promise.reject(new Error('disk full')) };
  const away = await doorOf(Object.assign(Object.create(w.app), { blobs: broken }));
  const put = () => away.fetch(session.url, { method: 'PUT', body: new Uint8Array(bytes) });
  const answer = await put();
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5']);
  await away.close();
  expect(w.app.blobs.putPart).toBe(putPart);
  expect(await files.put(session, bytes)).toBe(200);
});
