import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { maxHistory } from '../../src/domains/tasks/report.js';
import { type TaskAnswer, type Tasks, tasksOf } from '../support/tasks.js';
import { newSpace } from '../support/tenancy.js';
import { type World, world } from '../support/world.js';

let w: World;
let tasks: Tasks;
beforeAll(async () => {
  w = await world();
  tasks = tasksOf(w.editor, (await newSpace(w.editor)).id);
});
afterAll(() => w.close());

const full = { message: 'The history is full: logs and outputs are kept no more.' };

async function running(): Promise<{ id: string; leaseToken: string; say: (more: object) => Promise<void> }> {
  await tasks.made({ type: 'acme.render' });
  const { task, leaseToken } = await tasks.claimed(['acme.render']);
  return {
    id: task.id,
    leaseToken,
    say: async (more) => expect(await tasks.report({ id: task.id, leaseToken, ...more })).toMatchObject({ code: null }),
  };
}

/** All entries of a history that are of these kinds; it has no gap. Straight from the table: page by page it takes long. */
async function historyOf(id: string, kinds: readonly string[]): Promise<TaskAnswer[]> {
  const { prisma } = w.app.database;
  const events = await prisma.taskEvent.findMany({ where: { taskId: id }, orderBy: { seq: 'asc' } });
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, at) => at + 1));
  return events.filter(({ kind }) => kinds.includes(kind));
}

test('a runner that never stops talking fills its history up to its bound, which then still tells of progress and of every status', async () => {
  const { id, leaseToken, say } = await running();
  const lines = (n: number) => Array.from({ length: 100 }, (_, at) => `line ${n * 100 + at}`);
  for (let n = 0; n < 102; n += 1) await say({ logs: lines(n) });
  await say({ progress: 70, logs: ['one more'] });
  expect(await tasks.task(id)).toMatchObject({ progress: 70 });
  const logs = await historyOf(id, ['LOG', 'OUTPUT']);
  expect(logs.length).toBeGreaterThan(maxHistory.entries - 200);
  expect(logs.length).toBeLessThanOrEqual(maxHistory.entries);
  expect(logs.slice(-2).map(({ payload }) => payload)).toEqual([{ message: `line ${logs.length - 2}` }, full]);
  await tasks.fail({ id, leaseToken, code: 'X', message: 'x', retryable: false });
  await tasks.retry(id);
  const again = await tasks.claimed(['acme.render']);
  await tasks.report({ id, leaseToken: again.leaseToken, logs: ['and again'], progress: 5 });
  await tasks.complete({ id, leaseToken: again.leaseToken });
  expect(await historyOf(id, ['LOG', 'OUTPUT'])).toHaveLength(logs.length);
  expect((await historyOf(id, ['PROGRESS'])).map(({ progress }) => progress)).toEqual([70, 5]);
  expect((await historyOf(id, ['STATUS'])).map(({ status }) => status)).toEqual([
    'PENDING',
    'QUEUED',
    'RUNNING',
    'FAILED',
    'QUEUED',
    'RUNNING',
    'COMPLETED',
  ]);
});

test('however large each output is, all of them together have a bound too', async () => {
  const { id, leaseToken, say } = await running();
  const output = 'x'.repeat(250 * 1024);
  for (let n = 0; n < 70; n += 1) await say({ output });
  const [row] = await w.app.database.query<{ bytes: number }>(
    'select sum(octet_length(payload::text))::int as bytes from "TaskEvent" where "taskId" = $1',
    [id],
  );
  expect(row?.bytes).toBeGreaterThan(maxHistory.bytes - 600 * 1024);
  expect(row?.bytes).toBeLessThanOrEqual(maxHistory.bytes);
  expect((await historyOf(id, ['LOG'])).map(({ payload }) => payload)).toEqual([full]);
  await say({ logs: ['a word'] });
  expect(await historyOf(id, ['LOG'])).toHaveLength(1);
  await tasks.complete({ id, leaseToken });
});

test('progress of an attempt is 100 entries at most, however often it is said', async () => {
  const { id, leaseToken, say } = await running();
  for (let n = 0; n <= 250; n += 1) {
    await w.app.database.query('update "Task" set "reportedAt" = null where id = $1', [id]);
    await say({ progress: n % 101 });
  }
  const told = (await historyOf(id, ['PROGRESS'])).map(({ progress }) => progress);
  expect(told).toEqual(Array.from({ length: 100 }, (_, at) => at + 1));
  await tasks.complete({ id, leaseToken });
});
