import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { reportEveryMs } from '../../src/domains/tasks/report.js';
import { type Tasks, tasksOf } from '../support/tasks.js';
import { newSpace } from '../support/tenancy.js';
import { viewerOf, type World, world } from '../support/world.js';

let w: World;
let spaceId: string;
let tasks: Tasks;
let runner: Tasks;
beforeAll(async () => {
  w = await world();
  spaceId = (await newSpace(w.editor)).id;
  tasks = tasksOf(w.editor, spaceId);
  const key = viewerOf(w.editor.id, { apiKeyId: 'key_test', scopes: new Set(['tasks:run']) });
  runner = tasksOf(w.client(key), spaceId);
});
afterAll(() => w.close());

const types = ['acme.render', 'acme.resize-image'];
const ask = (more: object = {}) => tasks.made({ type: 'acme.render', ...more });
const leaseOver = (id: string) =>
  w.app.database.query(`update "Task" set "leaseExpiresAt" = now() - interval '1 second' where id = $1`, [id]);
const seconds = (at: string) => (Date.parse(at) - Date.now()) / 1_000;

test('a runner with a key for nothing else claims a task, reports, and completes it', async () => {
  const { id, status } = await ask({ parameters: { bed: 3 } });
  expect(status).toBe('QUEUED');
  const { task, leaseToken, eventCursor } = await runner.claimed(types);
  expect(task).toMatchObject({ id, status: 'RUNNING', attempt: 1, parameters: { bed: 3 } });
  expect([leaseToken, eventCursor]).toEqual([expect.any(String), expect.any(String)]);
  expect(seconds(task.leaseExpiresAt)).toBeGreaterThan(50);
  expect(await runner.report({ id, leaseToken, progress: 30, logs: ['a', 'b'], output: { tile: 1 } })).toMatchObject({
    data: { reportTaskProgress: { task: { progress: 30 } } },
  });
  const result = { url: 'x' };
  expect(await runner.complete({ id, leaseToken, result, resultLocation: 'https://example.com/a.png' })).toMatchObject({
    data: {
      completeTask: {
        task: { status: 'COMPLETED', result, resultLocation: 'https://example.com/a.png', leaseExpiresAt: null },
      },
    },
  });
  const events = await runner.events(id);
  expect(events.map(({ seq, kind, payload }) => [seq, kind, payload])).toEqual([
    [1, 'STATUS', { status: 'PENDING' }],
    [2, 'STATUS', { status: 'QUEUED' }],
    [3, 'STATUS', { status: 'RUNNING' }],
    [4, 'PROGRESS', { progress: 30 }],
    [5, 'LOG', { message: 'a' }],
    [6, 'LOG', { message: 'b' }],
    [7, 'OUTPUT', { output: { tile: 1 } }],
    [8, 'STATUS', { status: 'COMPLETED' }],
  ]);
  expect(await runner.create()).toMatchObject({ code: 'FORBIDDEN' });
  expect(await runner.claimed(types)).toMatchObject({ task: null, leaseToken: null, eventCursor: null });
});

test('what is due is claimed by importance, then by age, and only of the types that are named', async () => {
  const low = await ask({ priority: -1 });
  const first = await ask();
  const second = await ask();
  const high = await ask({ priority: 9, type: 'acme.resize-image' });
  const later = await ask({ priority: 99, runAt: new Date(Date.now() + 3_600_000).toISOString() });
  await tasks.made({ type: 'other.thing', priority: 99 });
  const got: string[] = [];
  for (let n = 0; n < 4; n += 1) {
    const { task, leaseToken } = await runner.claimed(types);
    got.push(task.id);
    await runner.complete({ id: task.id, leaseToken });
  }
  expect(got).toEqual([high.id, first.id, second.id, low.id]);
  expect((await runner.claimed(types)).task).toBeNull();
  await tasks.cancel(later.id);
});

test('what belongs to Canopy’s own runners and to people is not claimed', async () => {
  for (const type of ['tree.checksum', 'manual', 'x'])
    expect(await runner.claim([type])).toMatchObject({ code: 'BAD_USER_INPUT' });
  expect(await runner.claim([])).toMatchObject({ code: 'BAD_USER_INPUT' });
  expect(await runner.claim(types, { leaseSeconds: 9 })).toMatchObject({ code: 'BAD_USER_INPUT' });
});

test('of many runners at once each gets another task', async () => {
  const made = await Promise.all(Array.from({ length: 8 }, () => ask()));
  const claims = await Promise.all(Array.from({ length: 12 }, () => runner.claimed(types)));
  const got = claims.filter(({ task }) => task);
  expect(new Set(got.map(({ task }) => task.id))).toEqual(new Set(made.map(({ id }) => id)));
  expect(got).toHaveLength(8);
  await Promise.all(got.map(({ task, leaseToken }) => runner.complete({ id: task.id, leaseToken })));
});

test('only who holds the lease speaks for a task', async () => {
  const { id } = await ask();
  const { leaseToken } = await runner.claimed(types);
  for (const token of [null, 'guessed', `${leaseToken}x`]) {
    expect(await runner.report({ id, leaseToken: token, progress: 5 })).toMatchObject({ code: 'CONFLICT' });
    expect(await runner.complete({ id, leaseToken: token })).toMatchObject({ code: 'CONFLICT' });
    expect(await runner.fail({ id, leaseToken: token, code: 'X', message: 'x' })).toMatchObject({ code: 'CONFLICT' });
  }
  expect(await tasks.update({ id, version: 2, status: 'COMPLETED' })).toMatchObject({ code: 'BAD_USER_INPUT' });
  expect(await tasks.task(id)).toMatchObject({ status: 'RUNNING', progress: 0 });
  await runner.complete({ id, leaseToken });
});

test('a report without a change keeps the lease alive, and so does every other one', async () => {
  const { id } = await ask();
  const { leaseToken } = await runner.claimed(types, { leaseSeconds: 20 });
  await w.app.database.query(`update "Task" set "leaseExpiresAt" = now() + interval '2 seconds' where id = $1`, [id]);
  const before = (await tasks.events(id)).length;
  await runner.report({ id, leaseToken });
  expect(seconds((await tasks.task(id)).leaseExpiresAt)).toBeGreaterThan(15);
  await runner.report({ id, leaseToken, leaseSeconds: 600 });
  expect(seconds((await tasks.task(id)).leaseExpiresAt)).toBeGreaterThan(500);
  expect(await tasks.events(id)).toHaveLength(before);
  await runner.complete({ id, leaseToken });
});

test('a lease that has run out gives the task to whoever claims next; the first runner is no longer heard', async () => {
  const { id } = await ask();
  const first = await runner.claimed(types);
  await leaseOver(id);
  expect(await runner.report({ id, leaseToken: first.leaseToken, progress: 9 })).toMatchObject({ code: 'CONFLICT' });
  const second = await runner.claimed(types);
  expect(second.task).toMatchObject({ id, attempt: 2, error: { code: 'LEASE_EXPIRED' } });
  expect(await runner.complete({ id, leaseToken: first.leaseToken })).toMatchObject({ code: 'CONFLICT' });
  await runner.complete({ id, leaseToken: second.leaseToken });
  expect(await tasks.statuses(id)).toEqual(['PENDING', 'QUEUED', 'RUNNING', 'QUEUED', 'RUNNING', 'COMPLETED']);
});

test('a failure waits for its next attempt; one that cannot succeed has failed at once', async () => {
  const { id } = await ask({ maxAttempts: 2 });
  const first = await runner.claimed(types);
  const failure = { id, leaseToken: first.leaseToken, code: 'GPU_BUSY', message: 'No card is free.' };
  expect(await runner.fail(failure)).toMatchObject({
    data: {
      failTask: { task: { status: 'PENDING', attempt: 1, error: { code: 'GPU_BUSY', message: 'No card is free.' } } },
    },
  });
  expect(await runner.fail(failure)).toMatchObject({ code: 'CONFLICT' });
  expect((await runner.claimed(types)).task).toBeNull();
  await w.app.database.query(`update graphile_worker._private_jobs set run_at = now() where key = $1`, [
    `task.queue ${id}`,
  ]);
  await w.runJobs();
  const second = await runner.claimed(types);
  expect(second.task).toMatchObject({ id, attempt: 2, progress: 0 });
  await runner.fail({ ...failure, leaseToken: second.leaseToken });
  expect(await tasks.task(id)).toMatchObject({ status: 'FAILED' });
  const { id: hopeless } = await ask();
  const third = await runner.claimed(types);
  await runner.fail({
    id: hopeless,
    leaseToken: third.leaseToken,
    code: 'BAD_MODEL',
    message: 'No such model.',
    retryable: false,
  });
  expect(await tasks.task(hopeless)).toMatchObject({ status: 'FAILED', attempt: 1 });
});

test('a runner whose task is cancelled hears so when it next reports', async () => {
  const { id } = await ask();
  const { leaseToken } = await runner.claimed(types);
  await tasks.cancel(id);
  expect(await runner.report({ id, leaseToken, progress: 50 })).toMatchObject({ code: 'CONFLICT' });
  expect(await tasks.task(id)).toMatchObject({ status: 'CANCELLED', progress: 0 });
});

test('of one concurrency key one is claimed at a time, also by many at once', async () => {
  for (let n = 0; n < 3; n += 1) await ask({ concurrencyKey: 'gpu' });
  await ask();
  const claims = (await Promise.all(Array.from({ length: 6 }, () => runner.claimed(types)))).filter(({ task }) => task);
  expect(claims.map(({ task }) => task.concurrencyKey).sort()).toEqual(['gpu', null]);
  for (const { task, leaseToken } of claims) await runner.complete({ id: task.id, leaseToken });
  for (let n = 0; n < 2; n += 1) {
    const { task, leaseToken } = await runner.claimed(types);
    expect(task.concurrencyKey).toBe('gpu');
    expect((await runner.claimed(types)).task).toBeNull();
    await runner.complete({ id: task.id, leaseToken });
  }
});

test('progress never goes back, and a chatty runner does not flood the history', async () => {
  const { id } = await ask();
  const { leaseToken } = await runner.claimed(types);
  const began = performance.now();
  for (let n = 1; n <= 40; n += 1) await runner.report({ id, leaseToken, progress: n });
  await runner.report({ id, leaseToken, progress: 7 });
  const windows = Math.ceil((performance.now() - began) / reportEveryMs) + 1;
  expect(await tasks.task(id)).toMatchObject({ progress: 40 });
  const told = (await tasks.events(id)).filter(({ kind }) => kind === 'PROGRESS').map(({ progress }) => progress);
  expect(told.length).toBeLessThanOrEqual(windows);
  expect(told).toEqual([...told].sort((a, b) => a - b));
  await runner.complete({ id, leaseToken });
});

test('a claim that is sent again with its key answers the same task and token', async () => {
  await ask();
  await ask();
  const document =
    'mutation ($input: ClaimTaskInput!) { claimTask(input: $input) @idempotent(key: "claim-1") { task { id } leaseToken } }';
  const key = w.client(viewerOf(w.editor.id, { apiKeyId: 'key_test', scopes: new Set(['tasks:run']) }));
  const first = await key.run(document, { input: { spaceId, types } });
  const again = await key.run(document, { input: { spaceId, types } });
  expect(first.data.claimTask.task.id).toEqual(expect.any(String));
  expect(again.data).toEqual(first.data);
});

const follow = `subscription ($id: ID!, $after: EventCursor) { taskProgress(taskId: $id, after: $after) { cursor seq kind status progress payload } }`;

test('a task’s history is heard as it grows, and resumed without a gap from any cursor', async () => {
  const { id } = await ask({ priority: 50 });
  const heard = await w.editor.hear(follow, { id });
  const next = async (stream = heard) => (await stream.next()).taskProgress;
  const { leaseToken, eventCursor } = await runner.claimed(types);
  const started = await next();
  expect(started).toMatchObject({ seq: 3, kind: 'STATUS', status: 'RUNNING' });
  await runner.report({ id, leaseToken, progress: 20, logs: ['one', 'two'] });
  expect([await next(), await next(), await next()]).toMatchObject([
    { seq: 4, kind: 'PROGRESS', progress: 20 },
    { seq: 5, kind: 'LOG', payload: { message: 'one' } },
    { seq: 6, kind: 'LOG' },
  ]);
  await heard.stop();
  await runner.complete({ id, leaseToken });
  const first = Buffer.from('0.0').toString('base64url');
  for (const [after, from] of [
    [started.cursor, 4],
    [first, 1],
  ] as const) {
    const again = await w.editor.hear(follow, { id, after });
    for (let seq = from; seq <= 7; seq += 1) expect(await next(again)).toMatchObject({ seq });
    await again.stop();
  }
  // The cursor of a payload: nothing after that change is missed.
  const after = await w.editor.hear(follow, { id, after: eventCursor });
  let last = 0;
  while (last < 7) last = (await next(after)).seq;
  await after.stop();
});

test('transactions that end out of order leave no gap for who resumes in between', async () => {
  const { id } = await ask({ priority: 60 });
  const { leaseToken } = await runner.claimed(types);
  const { database } = w.app;
  let begun = () => {};
  const open = new Promise<void>((resolve) => (begun = resolve));
  let release = () => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  // It has its number before the report below, and writes its entry after it.
  const late = database.transaction(
    async (query) => {
      await query('select pg_current_xact_id()', []);
      begun();
      await released;
      await query('update "Task" set "eventSeq" = "eventSeq" + 1 where id = $1', [id]);
      await query(
        `insert into "TaskEvent" ("taskId", seq, kind, attempt, progress, payload) select id, "eventSeq", 'LOG', 1, 0, '{"message":"late"}' from "Task" where id = $1`,
        [id],
      );
    },
    { snapshot: false },
  );
  await open;
  await runner.report({ id, leaseToken, logs: ['early'] });
  const early = (await tasks.events(id)).at(-1);
  release();
  await late;
  const again = await w.editor.hear(follow, { id, after: early.cursor });
  expect((await again.next()).taskProgress).toMatchObject({ seq: early.seq + 1, payload: { message: 'late' } });
  await again.stop();
  await runner.complete({ id, leaseToken });
});

test('who is removed from the space hears nothing more of its tasks', async () => {
  const helper = await w.member('Ines', spaceId, 'VIEWER');
  const { id } = await ask({ priority: 70 });
  const heard = await helper.hear(follow, { id });
  const { leaseToken } = await runner.claimed(types);
  expect((await heard.next()).taskProgress).toMatchObject({ status: 'RUNNING' });
  await w.editor.run('mutation ($i: RemoveSpaceMemberInput!) { removeSpaceMember(input: $i) { removedUserId } }', {
    i: { spaceId, userId: helper.id },
  });
  await runner.report({ id, leaseToken, logs: ['secret'] });
  await expect(heard.next()).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await expect(helper.hear(follow, { id })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await runner.complete({ id, leaseToken });
});
