import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { RunningApp } from '../../src/app.js';
import type { App, Ctx } from '../../src/core/context.js';
import { pauseMs } from '../../src/domains/tasks/lease.js';
import { queueTask, takeTask } from '../../src/domains/tasks/run.js';
import { writeTreeNode } from '../../src/domains/tree/service.js';
import { runners } from '../../src/jobs/runners/all.js';
import type { Runner } from '../../src/jobs/runners/runner.js';
import { runTask } from '../../src/jobs/task-run.js';
import { anotherApp } from '../support/another-app.js';
import { eventually } from '../support/eventually.js';
import { plantNodes, type Tasks, tasksOf } from '../support/tasks.js';
import { make, newSpace } from '../support/tenancy.js';
import { treeOf } from '../support/tree.js';
import { type Person, type World, world } from '../support/world.js';

let w: World;
let spaceId: string;
let tasks: Tasks;
beforeAll(async () => {
  w = await world();
  spaceId = (await newSpace(w.editor)).id;
  tasks = tasksOf(w.editor, spaceId);
  const tree = treeOf(w.editor, spaceId);
  for (let n = 0; n < 250; n += 1) await tree.put(`/beds/${n}`, { crop: 'beans', n });
  // What follows from the nodes themselves is not the question here.
  await w.runJobs();
}, 120_000);
const others: RunningApp[] = [];
afterAll(async () => {
  for (const other of others) await other.close();
  await w.close();
});

const check = (more: object = {}) => tasks.made({ type: 'tree.checksum', ...more });
const hourAgo = `now() - interval '1 hour'`;
const sql = (text: string, ...values: unknown[]) => w.app.database.query<Record<string, unknown>>(text, values);

/** The App, whose reads of the tree fail as `error` says. */
const broken = (error: () => Error): App => ({
  ...w.app,
  database: {
    ...w.app.database,
    query: (text, values) =>
      text.includes('"TreeNode"') ? Promise.reject(error()) : w.app.database.query(text, values),
  },
});

test('a registered type is queued with its job, run, and ends with what it found', async () => {
  const made = await check();
  expect(made).toMatchObject({
    status: 'QUEUED',
    title: 'Verify the checksums of the tree',
    parameters: { pathPrefix: '/' },
    attempt: 0,
  });
  await w.runJobs();
  expect(await tasks.task(made.id)).toMatchObject({
    status: 'COMPLETED',
    progress: 100,
    attempt: 1,
    leaseExpiresAt: null,
    error: null,
    result: { checked: 250, differing: 0, differences: [] },
  });
  expect(await tasks.statuses(made.id)).toEqual(['PENDING', 'QUEUED', 'RUNNING', 'COMPLETED']);
  const progress = (await tasks.events(made.id)).map((event) => event.progress);
  expect(progress).toEqual([...progress].sort((a, b) => a - b));
});

test('a value that somebody changed behind our back is found by its checksum', async () => {
  await sql(`update "TreeNode" set value = '{"crop":"weeds"}' where "spaceId" = $1 and path = '/beds/7'`, spaceId);
  const { id } = await check({ parameters: { pathPrefix: '/beds' } });
  await w.runJobs();
  const { result } = await tasks.task(id);
  expect(result).toMatchObject({ checked: 250, differing: 1, differences: [{ path: '/beds/7', version: 1 }] });
  expect(await tasks.events(id)).toContainEqual(
    expect.objectContaining({ kind: 'LOG', payload: { message: '/beds/7 is not what its checksum says.' } }),
  );
  await treeOf(w.editor, spaceId).put('/beds/7', { crop: 'beans', n: 7 });
});

test('a task waits until its time has come', async () => {
  const { id, status } = await check({ runAt: new Date(Date.now() + 3_600_000).toISOString() });
  expect(status).toBe('PENDING');
  await w.runJobs();
  expect(await tasks.task(id)).toMatchObject({ status: 'PENDING', attempt: 0 });
  await sql(`update graphile_worker._private_jobs set run_at = ${hourAgo} where key = $1`, `task.queue ${id}`);
  await w.runJobs();
  expect(await tasks.task(id)).toMatchObject({ status: 'COMPLETED' });
  expect(await tasks.statuses(id)).toEqual(['PENDING', 'QUEUED', 'RUNNING', 'COMPLETED']);
});

test('a failure is tried again after a pause, until the attempts are used up; a retry starts over', async () => {
  const { id } = await check({ maxAttempts: 2 });
  const fails = broken(() => new Error('secret of the inside'));
  await w.runJobs(fails);
  const first = await tasks.task(id);
  expect(first).toMatchObject({
    status: 'PENDING',
    attempt: 1,
    error: { code: 'INTERNAL_SERVER_ERROR', message: 'It failed inside Canopy.' },
  });
  expect(Date.parse(first.runAt)).toBeGreaterThan(Date.now());
  await queueTask(w.app, id);
  await w.runJobs(fails);
  expect(await tasks.task(id)).toMatchObject({ status: 'FAILED', attempt: 2, finishedAt: expect.any(String) });
  expect(await tasks.statuses(id)).toEqual(['PENDING', 'QUEUED', 'RUNNING', 'PENDING', 'QUEUED', 'RUNNING', 'FAILED']);
  await tasks.retry(id);
  expect(await tasks.task(id)).toMatchObject({ status: 'QUEUED', attempt: 0, error: null });
  await w.runJobs();
  expect(await tasks.task(id)).toMatchObject({ status: 'COMPLETED', attempt: 1 });
});

test('what would fail the same way again fails at once', async () => {
  const { id } = await check({ parameters: { pathPrefix: '/a/../b' } });
  await w.runJobs();
  expect(await tasks.task(id)).toMatchObject({ status: 'FAILED', attempt: 1, error: { code: 'BAD_USER_INPUT' } });
});

test('pauses double, differ, and have an end', () => {
  expect([1, 2, 3].map((attempt) => pauseMs(attempt, 1))).toEqual([2_000, 4_000, 8_000]);
  expect([1, 2, 3].map((attempt) => pauseMs(attempt, 0))).toEqual([1_000, 2_000, 4_000]);
  expect(pauseMs(20, 1)).toBe(15 * 60 * 1_000);
});

test('a task acts with the rights that its owner has when it runs', async () => {
  const helper = await w.member('Hal', spaceId, 'EDITOR');
  const theirs = tasksOf(helper, spaceId);
  const { id } = await theirs.made({ type: 'tree.checksum' });
  await w.editor.run('mutation ($i: RemoveSpaceMemberInput!) { removeSpaceMember(input: $i) { removedUserId } }', {
    i: { spaceId, userId: helper.id },
  });
  await w.runJobs();
  expect(await tasks.task(id)).toMatchObject({ status: 'FAILED', error: { code: 'NOT_FOUND' }, attempt: 1 });
});

test('a task that was asked for with a key does what the key may, as long as it counts', async () => {
  const create = 'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { apiKey { id } } }';
  const keyed = async (scopes: readonly string[]): Promise<{ id: string; tasks: Tasks }> => {
    const { apiKey } = await make<{ apiKey: { id: string } }>(w.editor, create, { name: 'runs', scopes });
    const client: Person = w.client({ ...(w.editor.viewer ?? raise()), apiKeyId: apiKey.id, scopes: new Set(scopes) });
    return { id: apiKey.id, tasks: tasksOf(client, spaceId) };
  };
  const narrow = await keyed(['tasks:write', 'tasks:read']);
  expect(await narrow.tasks.create({ type: 'tree.checksum' })).toMatchObject({ code: 'FORBIDDEN' });
  const wide = await keyed(['tasks:write', 'tasks:read', 'tree:read']);
  const runs = await wide.tasks.made({ type: 'tree.checksum' });
  await w.runJobs();
  expect(await tasks.task(runs.id)).toMatchObject({ status: 'COMPLETED' });
  const stays = await wide.tasks.made({ type: 'tree.checksum' });
  await sql('update "ApiKey" set "revokedAt" = now() where id = $1', wide.id);
  await w.runJobs();
  expect(await tasks.task(stays.id)).toMatchObject({ status: 'FAILED', error: { code: 'UNAUTHENTICATED' } });
});

const raise = (): never => {
  throw new Error('The editor is signed in.');
};

test('of one concurrency key one runs at a time, and the next one’s turn comes when it ends', async () => {
  const [a, b, other] = [
    await check({ concurrencyKey: 'checks' }),
    await check({ concurrencyKey: 'checks' }),
    await check({ concurrencyKey: 'others' }),
  ];
  expect(await takeTask(w.app, a.id)).toMatchObject({ status: 'RUNNING' });
  expect(await takeTask(w.app, b.id)).toBeNull();
  await w.runJobs();
  expect(await tasks.task(b.id)).toMatchObject({ status: 'QUEUED' });
  expect(await tasks.task(other.id)).toMatchObject({ status: 'COMPLETED' });
  await tasks.cancel(a.id);
  await w.runJobs();
  expect(await tasks.task(b.id)).toMatchObject({ status: 'COMPLETED' });
});

test('the next one’s turn comes too when an account is closed whose task runs', async () => {
  const leaver = await w.person('Lea');
  await w.app.database.prisma.spaceMember.create({ data: { spaceId, userId: leaver.id, role: 'EDITOR' } });
  w.app.memory.forgetAll();
  const theirs = await tasksOf(leaver, spaceId).made({ type: 'tree.checksum', concurrencyKey: 'left' });
  const waiting = await check({ concurrencyKey: 'left' });
  expect(await takeTask(w.app, theirs.id)).toMatchObject({ status: 'RUNNING' });
  await w.runJobs();
  expect(await tasks.task(waiting.id)).toMatchObject({ status: 'QUEUED' });
  await make(leaver, 'mutation ($input: DeleteUserInput!) { deleteUser(input: $input) { deletedUserId } }', {
    mode: 'ANONYMIZE',
  });
  await w.runJobs();
  expect(await tasks.task(waiting.id)).toMatchObject({ status: 'COMPLETED' });
});

test('many that begin at once keep to their concurrency key', async () => {
  const made = await Promise.all(Array.from({ length: 12 }, () => check({ concurrencyKey: 'race' })));
  const taken = await Promise.all(made.map(({ id }) => takeTask(w.app, id)));
  expect(taken.filter(Boolean)).toHaveLength(1);
  for (const { id } of made) await tasks.cancel(id);
});

test('of what is due, the more important is run first', async () => {
  const ids: string[] = [];
  for (const priority of [-5, 50, 0]) ids.push((await check({ priority })).id);
  await w.runJobs();
  const started = await Promise.all(ids.map(async (id) => Date.parse((await tasks.task(id)).startedAt)));
  const [low, high, middle] = started as [number, number, number];
  expect(high).toBeLessThanOrEqual(middle);
  expect(middle).toBeLessThanOrEqual(low);
});

test('a task whose process is lost is run again once its lease is over', async () => {
  const { id } = await check();
  await takeTask(w.app, id);
  // What the other process would have done, had it not been lost.
  await w.runJobs();
  expect(await tasks.task(id)).toMatchObject({ status: 'RUNNING', attempt: 1 });
  await sql(`update "Task" set "leaseExpiresAt" = ${hourAgo} where id = $1`, id);
  await sql(`update "JobSchedule" set slot = 0 where name = 'tasks.expireLeases'`);
  await w.runJobs();
  expect(await tasks.task(id)).toMatchObject({ status: 'COMPLETED', attempt: 2 });
  expect(await tasks.statuses(id)).toEqual(['PENDING', 'QUEUED', 'RUNNING', 'QUEUED', 'RUNNING', 'COMPLETED']);
});

test('one that is lost in its last attempt has failed', async () => {
  const { id } = await check({ maxAttempts: 1 });
  await takeTask(w.app, id);
  await sql(`update "Task" set "leaseExpiresAt" = ${hourAgo} where id = $1`, id);
  await sql(`update "JobSchedule" set slot = 0 where name = 'tasks.expireLeases'`);
  await w.runJobs();
  expect(await tasks.task(id)).toMatchObject({ status: 'FAILED', error: { code: 'LEASE_EXPIRED' } });
});

test('a cancelled one stops within two seconds, in whichever process it runs', async () => {
  const { id: large } = await newSpace(w.editor);
  await plantNodes(w, large, 60_000);
  const there = await anotherApp(w.databaseUrl);
  others.push(there);
  const mine = tasksOf(w.editor, large);
  const { id } = await mine.made({ type: 'tree.checksum' });
  const running = w.runJobs(there.app);
  await eventually(async () => expect((await mine.task(id)).progress).toBeGreaterThan(0));
  const began = performance.now();
  expect(await mine.cancel(id)).toMatchObject({ data: { cancelTask: { task: { status: 'CANCELLED' } } } });
  await running;
  // Two seconds are promised; a busy machine is given more.
  expect(performance.now() - began).toBeLessThan(8_000);
  const events = await mine.events(id);
  expect(events.at(-1)).toMatchObject({ kind: 'STATUS', status: 'CANCELLED' });
  expect(await mine.task(id)).toMatchObject({ status: 'CANCELLED', result: null });
}, 60_000);

test('a worker that has to stop hands its task back, and another goes on', async () => {
  const { id: large } = await newSpace(w.editor);
  await plantNodes(w, large, 3_000);
  const mine = tasksOf(w.editor, large);
  const { id } = await mine.made({ type: 'tree.checksum' });
  const stopping = new AbortController();
  const running = runTask(
    w.app,
    { spaceId: large, taskId: id },
    { signal: stopping.signal, attempt: 1, isLastAttempt: false },
  );
  await eventually(async () => expect((await mine.task(id)).status).toBe('RUNNING'));
  stopping.abort();
  await running;
  expect(await mine.statuses(id)).toEqual(['PENDING', 'QUEUED', 'RUNNING', 'QUEUED']);
  await w.runJobs();
  expect(await mine.task(id)).toMatchObject({ status: 'COMPLETED', result: { checked: 3_000, differing: 0 } });
}, 60_000);

/** Lets tasks of the registered type run `code`, once. */
function runs(code: Runner<'tree.checksum'>): void {
  const real = runners['tree.checksum'];
  Object.assign(runners, {
    'tree.checksum': (...args: Parameters<Runner<'tree.checksum'>>) => {
      Object.assign(runners, { 'tree.checksum': real });
      return code(...args);
    },
  });
}

test('a runner that does not hear that it is cancelled changes nothing any more', async () => {
  const { id } = await check();
  let begun = () => {};
  const running = new Promise<void>((resolve) => (begun = resolve));
  let goOn = () => {};
  const cancelled = new Promise<void>((resolve) => (goOn = resolve));
  let late: Promise<unknown> = Promise.resolve();
  const put = (ctx: Ctx, path: string) =>
    writeTreeNode(ctx, { spaceId, path, value: 1, contentType: null, expectedVersion: null });
  runs(async (_, __, { ctx }) => {
    await put(ctx, '/in-time');
    begun();
    late = cancelled.then(() => put(ctx, '/too-late'));
    await late;
    return {};
  });
  const jobs = w.runJobs();
  await running;
  await tasks.cancel(id);
  await jobs;
  goOn();
  await expect(late).rejects.toMatchObject({ code: 'GATEWAY_TIMEOUT' });
  const tree = treeOf(w.editor, spaceId);
  expect([await tree.value('/in-time'), await tree.value('/too-late')]).toEqual([1, undefined]);
  expect(await tasks.statuses(id)).toEqual(['PENDING', 'QUEUED', 'RUNNING', 'CANCELLED']);
});

test('what a runner says is written down in order, and what is too much is counted', async () => {
  const { id } = await check();
  runs(async (_, __, { report, output }) => {
    report(250, 'a line with \u0000 in it');
    output({ part: 1 });
    for (let n = 0; n < 200; n += 1) report(null, `line ${n}`);
    report(30);
    return { result: { n: 200 }, resultLocation: 'https://example.com/all.zip' };
  });
  await w.runJobs();
  const entries = (await tasks.events(id)).slice(3, -1).map(({ kind, progress, payload }) => [kind, progress, payload]);
  expect(entries.slice(0, 4)).toEqual([
    ['PROGRESS', 100, { progress: 100 }],
    ['LOG', 100, { message: 'a line with  in it' }],
    ['OUTPUT', 100, { output: { part: 1 } }],
    ['LOG', 100, { message: 'line 0' }],
  ]);
  expect(entries.at(-1)).toEqual(['LOG', 100, { message: '(102 more entries are left out.)' }]);
  expect(await tasks.task(id)).toMatchObject({ result: { n: 200 }, resultLocation: 'https://example.com/all.zip' });
});

test('an answer that cannot be kept fails the task', async () => {
  const { id } = await check();
  runs(async () => ({ result: 'x'.repeat(300_000) }));
  await w.runJobs();
  expect(await tasks.task(id)).toMatchObject({ status: 'FAILED', attempt: 1, error: { code: 'PAYLOAD_TOO_LARGE' } });
});
