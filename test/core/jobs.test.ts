import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { behind } from '../../src/core/operation.js';
import { commit } from '../../src/core/write.js';
import { addScheduled } from '../../src/jobs/schedule.js';
import { lastMigration } from '../../src/platform/queue/migrate.js';
import type { DoJob } from '../../src/platform/queue/queue.js';
import { anotherApp } from '../support/another-app.js';
import { eventually } from '../support/eventually.js';
import { type World, world } from '../support/world.js';

let w: World;
beforeAll(async () => {
  w = await world();
});
afterAll(() => w.close());

interface Row {
  readonly id: string;
  readonly key: string | null;
  readonly attempts: number;
  readonly wait: number;
}

const rows = (name: string) =>
  w.app.database.query<Row>(
    `select j.id::text as id, j.key, j.attempts, extract(epoch from run_at - now())::float8 as wait
     from graphile_worker._private_jobs j join graphile_worker._private_tasks t on t.id = j.task_id where t.identifier = $1 order by j.id`,
    [name],
  );
const add = (name: string, more: object = {}) =>
  w.app.database.query('select canopy_add_jobs($1::json)', [JSON.stringify([{ name, payload: {}, ...more }])]);
const setBack = (name: string, change: string) =>
  w.app.database.query(
    `update graphile_worker._private_jobs set ${change} where task_id = (select id from graphile_worker._private_tasks where identifier = $1)`,
    [name],
  );

const change = (fails: boolean) =>
  commit(behind(w.app), 'space.update', { space: w.space.id }, null, async (tx) => {
    tx.emit('space.updated', 'Space', w.space.id);
    tx.job('clean-up', {}, { key: 'of a change', runAt: new Date(Date.now() + 3_600_000) });
    if (fails) throw new Error('no');
  });

test('a job stands or falls with the change that adds it, and is there once however often it is added', async () => {
  await expect(change(true)).rejects.toThrow('no');
  expect((await rows('clean-up')).filter(({ key }) => key === 'of a change')).toEqual([]);
  await change(false);
  await change(false);
  expect((await rows('clean-up')).filter(({ key }) => key === 'of a change')).toHaveLength(1);
});

test('one that fails is tried again after a pause that grows and differs, then laid aside until it is replayed', async () => {
  await add('fails', { maxAttempts: 3, payload: { spaceId: w.space.id } });
  const tried: number[] = [];
  const fail: DoJob = async ({ attempt }) => {
    tried.push(attempt);
    throw new Error(`no ${attempt}`);
  };
  const waits: number[] = [];
  for (let attempt = 1; attempt <= 3; attempt += 1) {
    await w.app.queue.runDue(['fails'], fail);
    waits.push((await rows('fails'))[0]?.wait ?? 0);
    await setBack('fails', 'run_at = now()');
  }
  await w.app.queue.runDue(['fails'], fail);
  expect(tried).toEqual([1, 2, 3]);
  for (const [at, wait] of waits.entries()) {
    expect(wait).toBeGreaterThan(Math.E ** (at + 1) - 2);
    expect(wait).toBeLessThan(2 * Math.E ** (at + 1));
  }
  const [aside] = await w.app.queue.laidAside(10, w.space.id);
  expect(aside).toMatchObject({ name: 'fails', attempt: 3, maxAttempts: 3, lastError: 'no 3', isRunning: false });
  expect(await w.app.queue.laidAside(10, w.otherSpace.id)).toEqual([]);
  const seen = await w.admin.run(
    'query ($id: ID!) { space(by: { id: $id }) { failedJobs { id name attempts error } } }',
    {
      id: w.space.id,
    },
  );
  expect(seen.data.space.failedJobs).toEqual([{ id: aside?.id, name: 'fails', attempts: 3, error: 'no 3' }]);
  const replay = (spaceId: string) =>
    w.owner.run('mutation ($input: ReplayJobsInput!) { replayJobs(input: $input) { replayedCount } }', {
      input: { spaceId, ids: [aside?.id] },
    });
  expect((await replay(w.otherSpace.id)).data.replayJobs.replayedCount).toBe(0);
  expect((await replay(w.space.id)).data.replayJobs.replayedCount).toBe(1);
  expect(await w.app.queue.replay([aside?.id ?? ''])).toBe(0);
  await w.app.queue.runDue(['fails'], async ({ attempt }) => void tried.push(attempt));
  expect(tried).toEqual([1, 2, 3, 1]);
  expect(await rows('fails')).toEqual([]);
});

test('one that another with its key supersedes while it runs is not laid aside, however it ends', async () => {
  const job = { key: 'of two', payload: { spaceId: w.space.id } };
  await add('superseded', job);
  const done: string[] = [];
  await w.app.queue.runDue(['superseded'], async () => {
    if (done.push('tried') > 1) return;
    await add('superseded', job);
    throw new Error('no');
  });
  expect(done).toEqual(['tried', 'tried']);
  expect(await w.app.queue.laidAside(10, w.space.id)).toEqual([]);
  await w.app.queue.runDue(['none'], async () => {});
  expect(await rows('superseded')).toEqual([]);
});

test('a job whose process ended in the middle is free after its lease, and whoever held it does not end it for the other', async () => {
  await add('held');
  let letGo = () => {};
  let lost: AbortSignal | null = null;
  const began = new Promise<void>((resolve) => {
    void w.app.queue.runDue(['held'], async (_, signal) => {
      lost = signal;
      resolve();
      await new Promise<void>((end) => (letGo = end));
    });
  });
  await began;
  const other = await anotherApp(w.databaseUrl);
  const attempts: number[] = [];
  const take: DoJob = async ({ attempt }) => void attempts.push(attempt);
  await other.app.queue.runDue(['held'], take);
  expect(attempts).toEqual([]);
  await setBack('held', `locked_at = now() - interval '31 seconds'`);
  await other.app.queue.runDue(['held'], take);
  expect(attempts).toEqual([2]);
  expect(await rows('held')).toEqual([]);
  letGo();
  await other.close();
  expect(lost).not.toBeNull();
});

test('workers hear of a job at once, and do many at the same time', async () => {
  let running = 0;
  let most = 0;
  const done: unknown[] = [];
  const worker = await w.app.queue.work(['many'], 3, async ({ payload }) => {
    most = Math.max(most, (running += 1));
    await new Promise((resolve) => setTimeout(resolve, 30));
    running -= 1;
    done.push(payload);
  });
  for (let n = 0; n < 9; n += 1) await add('many', { payload: { n } });
  await eventually(async () => expect(done).toHaveLength(9));
  expect(most).toBeGreaterThan(1);
  await worker.stop();
});

test('what is scheduled is added once an interval, however many processes ask', async () => {
  const other = await anotherApp(w.databaseUrl);
  await Promise.all(Array.from({ length: 10 }, (_, at) => addScheduled(at % 2 ? w.app : other.app)));
  const added = async () => (await rows('clean-up')).filter(({ key }) => key === 'clean-up');
  expect(await added()).toHaveLength(1);
  await w.runJobs();
  expect(await added()).toEqual([]);
  await addScheduled(other.app);
  expect(await added()).toEqual([]);
  await w.app.database.query('update "JobSchedule" set slot = slot - 1 where name = $1', ['clean-up']);
  await addScheduled(other.app);
  expect(await added()).toHaveLength(1);
  await other.close();
});

test('the tables of the queue are those of the library', async () => {
  const [row] = await w.app.database.query<{ last: number }>(
    'select max(id) as last from graphile_worker.migrations',
    [],
  );
  expect(row?.last).toBe(lastMigration);
});

test('what a job failed with in truth is in the log, and nobody else hears of it', async () => {
  const query: typeof w.app.database.query = (text, values) =>
    text.includes('"UploadSession"')
      ? Promise.reject(new Error('duplicate key (email)=(ada@example.com)'))
      : w.app.database.query(text, values);
  const payload = { spaceId: w.space.id, uploadId: 'upload_none', asker: {} };
  await add('uploads.finish', { payload, key: 'broken', maxAttempts: 1 });
  await w.runJobs({ ...w.app, database: { ...w.app.database, query } });
  const { data } = await w.admin.run('query ($id: ID!) { space(by: { id: $id }) { failedJobs { name error } } }', {
    id: w.space.id,
  });
  expect(data.space.failedJobs).toEqual([
    { name: 'uploads.finish', error: 'INTERNAL_SERVER_ERROR: It failed inside Canopy.' },
  ]);
  expect(w.lines.filter((line) => line.includes('(email)=(ada@example.com)')).length).toBeGreaterThan(0);
});
