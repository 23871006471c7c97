import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { blobKey } from '../../src/domains/files/file.js';
import { streamOf } from '../support/bytes.js';
import { type Door, doorOf, filesOf } from '../support/files.js';
import { notesOf } from '../support/knowledge.js';
import { newComment, newPost } from '../support/posts.js';
import { tasksOf } from '../support/tasks.js';
import { newSpace } from '../support/tenancy.js';
import { canonical, fillSpace, header, type LineOf, linesIn, transferOf } from '../support/transfer.js';
import { treeOf } from '../support/tree.js';
import { viewerOf, type World, world } from '../support/world.js';

let w: World;
let door: Door;
let transfer: ReturnType<typeof transferOf>;
beforeAll(async () => {
  w = await world();
  door = await doorOf(w.app);
  transfer = transferOf(w, door);
});
afterAll(async () => {
  await door.close();
  await w.close();
});

const countsOf = (lines: readonly LineOf[]) => {
  const counts: Record<string, number> = {};
  for (const { kind } of lines) if (kind) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
};
const of = (lines: readonly LineOf[], kind: string) => lines.filter((line) => line.kind === kind);

test('what an export holds is in an empty space again after an import', async () => {
  const from = await newSpace(w.owner);
  await fillSpace(w, w.owner, from.id, door);
  const task = await transfer.export(w.owner, from.id);
  const first = linesIn(await transfer.textOf(task));
  const counts = {
    folder: 5,
    file: 2,
    bytes: 6,
    node: 4,
    note: 3,
    post: 2,
    comment: 29,
    link: 5,
    chat: 2,
    message: 5,
    task: 4,
    taskHistory: 4,
    end: 1,
  };
  expect(countsOf(first)).toEqual(counts);
  expect(task.result).toMatchObject({ exported: { comment: 29, note: 3 }, leftOut: {} });

  const to = await newSpace(w.owner);
  const done = await transfer.import(w.owner, to.id, task.result.fileId);
  expect(done).toMatchObject({ status: 'COMPLETED', progress: 100, result: { failed: [], failedCount: 0 } });
  const { bytes: _, end: __, ...made } = counts;
  expect(done.result.imported).toEqual(made);

  const second = await transfer.lines(w.owner, to.id);
  expect(canonical(second)).toEqual(canonical(first));
}, 120_000);

test('dates stay, and the importer is the author of everything', async () => {
  const from = await newSpace(w.owner);
  await w.app.database.query(`insert into "SpaceMember" ("userId", "spaceId", role) values ($1, $2, 'EDITOR')`, [
    w.editor.id,
    from.id,
  ]);
  w.app.memory.forgetAll();
  const { id } = await notesOf(w.editor, from.id).note('Of another');
  await newPost(w.editor, from.id);
  await w.runJobs();
  await w.app.database.query(`update "Note" set "createdAt" = '2020-01-02T03:04:05.678Z' where id = $1`, [id]);
  const { result } = await transfer.export(w.owner, from.id);
  const to = await newSpace(w.owner);
  await transfer.import(w.owner, to.id, result.fileId);
  const first = await transfer.lines(w.owner, from.id);
  const second = await transfer.lines(w.owner, to.id);
  const [editor, owner] = await Promise.all([w.editor, w.owner].map(handleOf));
  expect(of(first, 'note')).toMatchObject([{ author: editor, createdAt: '2020-01-02T03:04:05.678Z' }]);
  expect(of(second, 'note')).toMatchObject([{ author: owner, createdAt: '2020-01-02T03:04:05.678Z' }]);
  expect(of(second, 'post')).toMatchObject([{ author: owner, publishedAt: of(first, 'post')[0].publishedAt }]);
});

const handleOf = async ({ id }: { id: string }) =>
  (await w.app.database.query<{ handle: string }>('select handle from "User" where id = $1', [id]))[0]?.handle;

test('what the exporter may not see is not in the export, nor what hangs on it', async () => {
  const spaceId = w.space.id;
  const files = filesOf(w.owner, spaceId, door);
  const hidden = await files.upload(Buffer.from('hidden'), { name: 'hidden.txt', visibility: 'PRIVATE' });
  const shown = await files.upload(Buffer.from('shown'), { name: 'shown.txt' });
  const notes = notesOf(w.owner, spaceId);
  const note = await notes.note('A note');
  await notes.linked(note.id, hidden.id);
  await notes.linked(note.id, shown.id);
  await newComment(w.owner, hidden.id, 'on what is hidden');
  await newComment(w.owner, shown.id, 'on what is shown');
  const text = await transfer.textOf(await transfer.export(w.editor, spaceId));
  for (const trace of [hidden.id, 'hidden', Buffer.from('hidden').toString('base64')])
    expect(text).not.toContain(trace);
  const lines = linesIn(text);
  expect(of(lines, 'file')).toMatchObject([{ id: shown.id }]);
  expect(of(lines, 'comment')).toMatchObject([{ content: 'on what is shown' }]);
  expect(of(lines, 'link')).toMatchObject([{ targetId: shown.id }]);
  expect(of(await transfer.lines(w.owner, spaceId), 'file')).toHaveLength(2);
});

test('what hangs on what is left out is left out, too', async () => {
  const { id: spaceId } = await newSpace(w.owner);
  const tasks = tasksOf(w.owner, spaceId);
  const [todo, later] = [await tasks.made({ title: 'Sow' }), await tasks.made({ type: 'acme.later' })];
  const earlier = await transfer.export(w.owner, spaceId);
  const note = await notesOf(w.owner, spaceId).note('Beans');
  const kept = [await newComment(w.owner, todo.id, 'on a to-do'), await newComment(w.owner, note.id, 'on a note')];
  for (const id of [later.id, earlier.id, earlier.result.fileId]) {
    const { id: parent } = await newComment(w.owner, id, 'on what is left out');
    await newComment(w.owner, id, 'a reply', parent);
  }
  await notesOf(w.owner, spaceId).linked(note.id, earlier.result.fileId);
  const task = await transfer.export(w.owner, spaceId);
  const lines = linesIn(await transfer.textOf(task));
  expect(of(lines, 'comment').map(({ id }) => id)).toEqual(kept.map(({ id }) => id));
  expect(task.result).toMatchObject({ exported: { comment: 2, task: 1, note: 1 }, leftOut: {} });
  const scopes = new Set(['tasks:read', 'tasks:write', 'files:write', 'files:read', 'comments:read']);
  const byKey = await transfer.export(w.client(viewerOf(w.owner.id, { scopes })), spaceId);
  expect(of(linesIn(await transfer.textOf(byKey)), 'comment')).toMatchObject([{ id: kept[0]?.id }]);
  for (const [made, counts] of [
    [task, { comment: 2, note: 1, task: 1, taskHistory: 1 }],
    [byKey, { comment: 1, task: 1, taskHistory: 1 }],
  ] as const) {
    const to = await newSpace(w.owner);
    const { result } = await transfer.import(w.owner, to.id, made.result.fileId);
    expect(result).toEqual({ imported: counts, failed: [], failedCount: 0 });
  }
});

test('a key exports what its scopes let it read, and says what is left out', async () => {
  const { id: spaceId } = await newSpace(w.owner);
  await treeOf(w.owner, spaceId).put('/a', 1);
  await newPost(w.owner, spaceId);
  const scopes = new Set(['tasks:read', 'tasks:write', 'spaces:read', 'files:write', 'files:read', 'tree:read']);
  const key = w.client(viewerOf(w.owner.id, { scopes }));
  const task = await transfer.export(key, spaceId);
  expect(task.result).toMatchObject({
    exported: { node: 1 },
    leftOut: { note: 1, post: 1, comment: 1, chat: 1, link: 1 },
  });
  expect(countsOf(linesIn(await transfer.textOf(task)))).toEqual({ node: 1, end: 1 });
  const reader = w.client(viewerOf(w.owner.id, { scopes: new Set(['tasks:read', 'tasks:write']) }));
  expect((await tasksOf(reader, spaceId).task(task.id)).resultLocation).toBeNull();
  expect(await tasksOf(reader, spaceId).create({ type: 'space.export' })).toMatchObject({ code: 'FORBIDDEN' });
});

test('the file of an export is its asker’s alone, and no part of the next export', async () => {
  const { id: spaceId } = w.otherSpace;
  const made = await Promise.all(
    [w.owner, w.admin].map(({ id: userId }) =>
      w.app.database.query(`insert into "SpaceMember" ("userId", "spaceId", role) values ($1, $2, 'ADMIN')`, [
        userId,
        spaceId,
      ]),
    ),
  );
  expect(made).toHaveLength(2);
  w.app.memory.forgetAll();
  const task = await transfer.export(w.owner, spaceId);
  const files = filesOf(w.owner, spaceId, door);
  expect((await files.file(task.result.fileId)).data.file).toMatchObject({
    visibility: 'PRIVATE',
    mimeType: 'application/vnd.canopy.space+jsonl',
    checksum: task.result.checksum,
  });
  expect(await files.used()).toBe(task.result.sizeBytes);
  expect((await filesOf(w.admin, spaceId, door).file(task.result.fileId)).data.file).toBeNull();
  expect(await tasksOf(w.admin, spaceId).task(task.id)).toMatchObject({ result: null, resultLocation: null });
  expect(countsOf(await transfer.lines(w.owner, spaceId))).toEqual({ end: 1 });
});

test('an export of current versions has one of each file', async () => {
  const { id: spaceId } = await newSpace(w.owner);
  const files = filesOf(w.owner, spaceId, door);
  const { id } = await files.upload(Buffer.from('one'), { name: 'a.txt' });
  await files.upload(Buffer.from('two'), { fileId: id, name: null });
  const lines = await transfer.lines(w.owner, spaceId, { fileVersions: 'CURRENT' });
  expect(of(lines, 'file')).toMatchObject([{ current: 2, versions: [{ number: 2 }] }]);
  const file = await transfer.file(w.owner, spaceId, lines);
  const { id: to } = await newSpace(w.owner);
  expect((await transfer.import(w.owner, to, file)).result).toEqual({
    imported: { file: 1 },
    failed: [],
    failedCount: 0,
  });
  const [line] = of(await transfer.lines(w.owner, to), 'bytes');
  expect(Buffer.from(line.base64, 'base64').toString()).toBe('two');
});

test('cold bytes are unpacked, and lost ones are counted', async () => {
  const { id: spaceId } = await newSpace(w.owner);
  const files = filesOf(w.owner, spaceId, door);
  const cold = await files.upload(Buffer.from('cold'), { name: 'cold.txt' });
  const lost = await files.upload(Buffer.from('lost'), { name: 'lost.txt' });
  const keyOf = async (fileId: string, storageTier: 'HOT' | 'COLD') => {
    const [version] = await w.app.database.query<{ id: string }>('select id from "FileVersion" where "fileId" = $1', [
      fileId,
    ]);
    return blobKey({ spaceId, fileId, id: version?.id ?? '', storageTier });
  };
  await w.app.blobs.put(await keyOf(cold.id, 'COLD'), streamOf(gzipSync('cold')));
  await w.app.database.query(`update "FileVersion" set "storageTier" = 'COLD' where "fileId" = $1`, [cold.id]);
  await w.app.blobs.remove([await keyOf(cold.id, 'HOT'), await keyOf(lost.id, 'HOT')]);
  const task = await transfer.export(w.owner, spaceId);
  expect(task.result).toMatchObject({ exported: { file: 1 }, leftOut: { fileVersion: 1 } });
  const [line] = of(linesIn(await transfer.textOf(task)), 'bytes');
  expect(Buffer.from(line.base64, 'base64').toString()).toBe('cold');
});

test('what is there already stays as it is, and is told of', async () => {
  const from = await newSpace(w.owner);
  await treeOf(w.owner, from.id).put('/a', 'exported');
  await filesOf(w.owner, from.id, door).folder('/plans');
  await newPost(w.owner, from.id, { slug: 'a-post' });
  const { result } = await transfer.export(w.owner, from.id);
  const { id: to } = await newSpace(w.owner);
  await treeOf(w.owner, to).put('/a', 'own');
  await filesOf(w.owner, to, door).folder('/plans');
  await newPost(w.owner, to, { slug: 'a-post' });
  const done = await transfer.import(w.owner, to, result.fileId);
  expect(done.result).toMatchObject({
    imported: { folder: 1, post: 1 },
    failedCount: 1,
    failed: [{ kind: 'node', code: 'CONFLICT' }],
  });
  expect(await treeOf(w.owner, to).value('/a')).toBe('own');
  const lines = await transfer.lines(w.owner, to);
  expect(of(lines, 'folder')).toHaveLength(1);
  expect(of(lines, 'post').map(({ slug }) => slug)).toEqual(['a-post', 'a-post-2']);
});

test('a second import of a file makes all again that has no path', async () => {
  const from = await newSpace(w.owner);
  await treeOf(w.owner, from.id).put('/a', 1);
  await filesOf(w.owner, from.id, door).folder('/plans');
  await newComment(w.owner, (await notesOf(w.owner, from.id).note('Beans')).id, 'on it');
  const { result } = await transfer.export(w.owner, from.id);
  const to = await newSpace(w.owner);
  const all = { folder: 1, note: 1, comment: 1 };
  expect((await transfer.import(w.owner, to.id, result.fileId)).result.imported).toEqual({ ...all, node: 1 });
  expect((await transfer.import(w.owner, to.id, result.fileId)).result).toMatchObject({
    imported: all,
    failed: [{ kind: 'node', code: 'CONFLICT' }],
    failedCount: 1,
  });
  // The two notes are found to be related.
  const counts = { folder: 1, node: 1, note: 2, comment: 2, link: 1, end: 1 };
  expect(countsOf(await transfer.lines(w.owner, to.id))).toEqual(counts);
});

test('into a space that holds notes, imported ones are compared with those', async () => {
  const beans = { content: 'Beans want warm soil and a trellis; water the beans and the trellis grows green.' };
  const from = await newSpace(w.owner);
  await notesOf(w.owner, from.id).note('Beans on a trellis', beans);
  await w.runJobs();
  const { result } = await transfer.export(w.owner, from.id);
  const to = await newSpace(w.owner);
  const own = await notesOf(w.owner, to.id).note('A trellis for beans', beans);
  await w.runJobs();
  await transfer.import(w.owner, to.id, result.fileId);
  expect(await notesOf(w.owner, to.id).seen(own.id)).toMatchObject([{ origin: 'AUTO' }]);
});

test('without the right to write a kind, its lines say so', async () => {
  const { id: spaceId } = await newSpace(w.owner);
  await treeOf(w.owner, spaceId).put('/a', 1);
  await newPost(w.owner, spaceId);
  const { result } = await transfer.export(w.owner, spaceId);
  const to = await newSpace(w.owner);
  const scopes = new Set(['tasks:read', 'tasks:write', 'files:read', 'tree:write']);
  const done = await transfer.import(w.client(viewerOf(w.owner.id, { scopes })), to.id, result.fileId);
  expect(done.result).toMatchObject({
    imported: { node: 1 },
    failedCount: 1,
    failed: [{ kind: 'post', code: 'FORBIDDEN' }],
  });
});

test('a file of another that is not shared is not there to be imported', async () => {
  const { id: spaceId } = await newSpace(w.owner);
  const file = await transfer.file(w.owner, spaceId, [header, { kind: 'end', items: 0 }]);
  const { id: own } = await newSpace(w.stranger);
  expect(await transfer.import(w.stranger, own, file)).toMatchObject({
    status: 'FAILED',
    error: { code: 'NOT_FOUND' },
  });
});
