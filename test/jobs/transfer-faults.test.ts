import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { runTask } from '../../src/jobs/task-run.js';
import { bytesOf, sha256 } from '../support/bytes.js';
import { eventually } from '../support/eventually.js';
import { type Door, doorOf } from '../support/files.js';
import { plantNodes, tasksOf } from '../support/tasks.js';
import { newSpace } from '../support/tenancy.js';
import { header, type LineOf, transferOf } from '../support/transfer.js';
import { treeOf } from '../support/tree.js';
import { type World, world } from '../support/world.js';

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

const at = '2025-01-01T00:00:00.000Z';
const dates = { createdAt: at, updatedAt: at };
const node = (id: string, more: object = {}) => ({
  kind: 'node',
  id,
  path: `/${id}`,
  value: id,
  contentType: 'application/json',
  ...dates,
  ...more,
});
const comment = (id: string, parentId: string | null, more: object = {}) => ({
  kind: 'comment',
  id,
  subjectId: 'n1',
  parentId,
  content: id,
  isDeleted: false,
  ...dates,
  ...more,
});
const note = (id: string) => ({
  kind: 'note',
  id,
  title: id,
  content: `About ${id}`,
  keywords: [],
  linkStatus: 'READY',
  ...dates,
});
const todo = (id: string) => ({
  kind: 'task',
  id,
  type: 'manual',
  status: 'PENDING',
  progress: 0,
  parameters: {},
  attempt: 0,
  maxAttempts: 3,
  priority: 0,
  runAt: at,
  ...dates,
});
const fileOf = (id: string, bytes: Buffer, more: object = {}) => ({
  kind: 'file',
  id,
  name: id,
  folder: '/',
  visibility: 'SPACE',
  current: 1,
  versions: [
    {
      number: 1,
      mimeType: 'application/octet-stream',
      sizeBytes: bytes.length,
      checksum: sha256(bytes),
      createdAt: at,
    },
  ],
  ...dates,
  ...more,
});
const bytesLine = (fileId: string, bytes: Buffer) => ({
  kind: 'bytes',
  fileId,
  number: 1,
  base64: bytes.toString('base64'),
});

async function imported(lines: readonly unknown[], end: readonly unknown[] = [{ kind: 'end', items: 0 }]) {
  const { id } = await newSpace(w.owner);
  const file = await transfer.file(w.owner, id, [...lines, ...end]);
  const to = await newSpace(w.owner);
  return { task: await transfer.import(w.owner, to.id, file), spaceId: to.id };
}

test('each bad line is told of by its number, and the others are imported', async () => {
  const { task } = await imported([
    header,
    node('n1'),
    'not json',
    '[1]',
    '{"kind":"node"',
    { kind: 'teapot', id: 'x' },
    '{"kind":"__proto__","__proto__":{"kind":"node"}}',
    '{"kind":5,"id":{}}',
    '{"kind":"\\u0000\\ud800"}',
    node('n1'),
    node('n2', { path: '/_system/x' }),
    node('n3', { path: '/a/../b' }),
    node('n4', { createdAt: '0000-00-00' }),
    { ...todo('t1'), type: 'acme.render' },
    node('n6', { value: JSON.parse(`${'['.repeat(100)}${']'.repeat(100)}`) }),
    node('n7', { value: 'a\u0000b' }),
    node('n8', { value: 'x'.repeat(300_000) }),
    `{"kind":"node","id":"n9","value":"${'x'.repeat(2_200_000)}"}`,
    `${'['.repeat(1_000_000)}`,
    { kind: 'bytes', fileId: 'nobody', number: 1, base64: '' },
    comment('c1', null, { subjectId: 'unknown' }),
    { ...note('nn'), title: '' },
    node('last'),
  ]);
  expect(task).toMatchObject({ status: 'COMPLETED', result: { imported: { node: 2 }, failedCount: 20 } });
  const failed = new Map<number, LineOf>(task.result.failed.map((one: LineOf) => [one.line, one]));
  expect([...failed.keys()]).toEqual(Array.from({ length: 20 }, (_, index) => index + 3));
  expect(failed.get(3)).toMatchObject({ kind: null, code: 'BAD_USER_INPUT' });
  expect(failed.get(10)).toMatchObject({ kind: 'node', code: 'CONFLICT', message: 'Line 2 has that id already.' });
  expect(failed.get(17)).toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
  expect(failed.get(18).message).toMatch(/at most 2097152 are read/);
  expect(failed.get(21)).toMatchObject({ code: 'NOT_FOUND' });
});

test.each([
  ['another version', [{ ...header, version: 2 }]],
  ['another format', [{ ...header, format: 'tar' }]],
  ['no header', [node('n1')]],
  ['no JSON', ['beans']],
])('a file with %s is refused, once', async (_, lines) => {
  const { task } = await imported(lines);
  expect(task).toMatchObject({ status: 'FAILED', attempt: 1, error: { code: 'BAD_USER_INPUT' } });
});

test('a file that was cut off says so', async () => {
  const { task } = await imported([header, node('n1')], []);
  expect(task.result).toMatchObject({ imported: { node: 1 }, failedCount: 1, failed: [{ code: 'BAD_USER_INPUT' }] });
});

test('lines may come in any order', async () => {
  const { task } = await imported([header, comment('c3', 'c2'), comment('c2', 'c1'), comment('c1', null), node('n1')]);
  expect(task.result).toEqual({ imported: { comment: 3, node: 1 }, failed: [], failedCount: 0 });
});

test('a file is made with all its bytes or not at all, and leaves none behind', async () => {
  const bytes = bytesOf(600_000);
  const half = bytes.subarray(0, 500_000);
  const { task, spaceId } = await imported([
    header,
    fileOf('whole', bytes),
    bytesLine('whole', half),
    bytesLine('whole', bytes.subarray(500_000)),
    fileOf('short', bytes),
    bytesLine('short', half),
    fileOf('other', bytes),
    bytesLine('other', bytesOf(600_000, 2)),
    fileOf('none', bytes),
    fileOf('lies', Buffer.from('text'), {
      versions: [{ number: 1, mimeType: 'image/png', sizeBytes: 4, checksum: sha256('text'), createdAt: at }],
    }),
    bytesLine('lies', Buffer.from('text')),
    fileOf('nowhere', bytes, { folder: '/missing' }),
    bytesLine('nowhere', bytes),
    fileOf('odd', bytes),
    { kind: 'bytes', fileId: 'odd', number: 1, base64: '%%%' },
    fileOf('last', half),
    bytesLine('last', half),
  ]);
  expect(task.result.imported).toEqual({ file: 2 });
  expect(task.result.failed.map(({ line, kind }: LineOf) => [line, kind])).toEqual(
    [5, 7, 9, 10, 12, 14].map((line) => [line, 'file']),
  );
  expect((await w.app.blobs.list(`spaces/${spaceId}/`, 100)).blobs).toHaveLength(2);
});

test('an import that is interrupted again and again makes everything once', async () => {
  const small = bytesOf(1_000);
  const lines: unknown[] = [header, node('n1')];
  for (let i = 0; i < 120; i += 1) {
    lines.push(note(`note-${i}`), comment(`c-${i}`, i % 8 === 0 ? null : `c-${i - 1}`));
    if (i % 10 === 0) lines.push(fileOf(`f-${i}`, small), bytesLine(`f-${i}`, small));
  }
  const { id } = await newSpace(w.owner);
  const file = await transfer.file(w.owner, id, [...lines, { kind: 'end', items: 0 }]);
  const to = await newSpace(w.owner);
  const tasks = tasksOf(w.owner, to.id);
  const task = await tasks.made({ type: 'space.import', parameters: { fileId: file } });
  const made = async () => {
    const [row] = await w.app.database.query<{ n: number }>(
      'select count(*)::int as n from "TaskObject" where "taskId" = $1',
      [task.id],
    );
    return row?.n ?? 0;
  };
  for (let stop = 10; stop < 250; stop += 40) {
    const end = new AbortController();
    const running = runTask(
      w.app,
      { spaceId: to.id, taskId: task.id },
      { signal: end.signal, attempt: 1, isLastAttempt: false },
    );
    await eventually(async () => expect(await made()).toBeGreaterThanOrEqual(stop));
    end.abort();
    await running;
    expect((await tasks.task(task.id)).status).toBe('QUEUED');
  }
  const before = await made();
  await w.runJobs();
  expect(await made()).toBeGreaterThan(before);
  const result = { imported: { comment: 120, file: 12, node: 1, note: 120 }, failed: [], failedCount: 0 };
  expect(await tasks.task(task.id)).toMatchObject({ status: 'COMPLETED', result });
  const [count] = await w.app.database.query(
    `select (select count(*) from "Note" where "spaceId" = $1)::int as notes, (select count(*) from "Comment" where "spaceId" = $1)::int as comments,
      (select count(*) from "File" where "spaceId" = $1)::int as files`,
    [to.id],
  );
  expect(count).toEqual({ notes: 120, comments: 120, files: 12 });
}, 60_000);

test('an import that is cancelled stops at once, and goes on where it was when it is retried', async () => {
  const lines = Array.from({ length: 600 }, (_, at) => node(`n${at}`));
  const { id } = await newSpace(w.owner);
  const file = await transfer.file(w.owner, id, [header, ...lines, { kind: 'end', items: 600 }]);
  const to = await newSpace(w.owner);
  const tasks = tasksOf(w.owner, to.id);
  const task = await tasks.made({ type: 'space.import', parameters: { fileId: file } });
  const never = new AbortController().signal;
  const running = runTask(
    w.app,
    { spaceId: to.id, taskId: task.id },
    { signal: never, attempt: 1, isLastAttempt: false },
  );
  const made = async () => (await treeOf(w.owner, to.id).page({ first: 1 })).totalCount;
  await eventually(async () => expect(await made()).toBeGreaterThanOrEqual(20));
  await tasks.cancel(task.id);
  const cancelled = performance.now();
  await running;
  expect(performance.now() - cancelled).toBeLessThan(8_000);
  const stopped = await made();
  expect(stopped).toBeLessThan(600);
  await w.runJobs();
  expect(await made()).toBe(stopped);
  await tasks.retry(task.id);
  await w.runJobs();
  expect(await tasks.task(task.id)).toMatchObject({ status: 'COMPLETED', result: { imported: { node: 600 } } });
  expect(await made()).toBe(600);
}, 60_000);

test('an export that is cancelled stops at once and leaves nothing, and one that is run again makes one file', async () => {
  const { id } = await newSpace(w.owner);
  await plantNodes(w, id, 20_000);
  const tasks = tasksOf(w.owner, id);
  const task = await tasks.made({ type: 'space.export' });
  const never = new AbortController().signal;
  const run = () =>
    runTask(w.app, { spaceId: id, taskId: task.id }, { signal: never, attempt: 1, isLastAttempt: false });
  const running = run();
  await eventually(async () => expect((await tasks.task(task.id)).progress).toBeGreaterThan(0));
  await tasks.cancel(task.id);
  const cancelled = performance.now();
  await running;
  expect(performance.now() - cancelled).toBeLessThan(8_000);
  const stored = async () => (await w.app.blobs.list(`spaces/${id}/`, 10)).blobs.length;
  await eventually(async () => expect(await stored()).toBe(0));
  await tasks.retry(task.id);
  await run();
  const { result } = await tasks.task(task.id);
  expect(result).toMatchObject({ exported: { node: 20_000 } });
  // As if the process had been killed before it could say that it is done.
  await w.app.database.query('alter table "Task" disable trigger "Task_transition"', []);
  await w.app.database.query(`update "Task" set status = 'QUEUED', result = null where id = $1`, [task.id]);
  await w.app.database.query('alter table "Task" enable trigger "Task_transition"', []);
  await run();
  expect((await tasks.task(task.id)).result).toMatchObject({ fileId: result.fileId, checksum: result.checksum });
  expect(await stored()).toBe(1);
}, 60_000);
