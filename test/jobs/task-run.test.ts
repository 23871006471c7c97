import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startProcess } from '../support/process.js';
import { plantNodes, type TaskAnswer, type Tasks, tasksOf } from '../support/tasks.js';
import { newSpace } from '../support/tenancy.js';
import { type World, world } from '../support/world.js';

let w: World;
let tasks: Tasks;
let env: Record<string, string>;
beforeAll(async () => {
  w = await world();
  const { id } = await newSpace(w.editor);
  tasks = tasksOf(w.editor, id);
  // What takes a process some seconds to go through.
  await plantNodes(w, id, 100_000);
  env = {
    DATABASE_URL: w.databaseUrl,
    AUTH_SECRET: 'a secret for tests only, 32 characters',
    LOG_LEVEL: 'error',
    DATABASE_POOL: '10',
    JOB_WORKERS: '1',
  };
}, 60_000);
afterAll(() => w.close());

/** Looks until the task is so; throws after as many seconds. */
async function until(id: string, holds: (task: TaskAnswer) => boolean, seconds: number): Promise<TaskAnswer> {
  const end = performance.now() + seconds * 1_000;
  for (;;) {
    const task = await tasks.task(id);
    if (holds(task)) return task;
    if (performance.now() > end) throw new Error(`It is still ${JSON.stringify(task)}.`);
    await sleep(100);
  }
}

/** Two processes, of which the first runs a task while the second stands still. */
async function begun() {
  const [first, second] = await Promise.all([startProcess(env), startProcess(env)]);
  second.child.kill('SIGSTOP');
  const { id } = await tasks.made({ type: 'tree.checksum' });
  await until(id, ({ status, progress }) => status === 'RUNNING' && progress > 2, 30);
  return { first, second, id };
}

test('a process that is killed in the middle of a task is taken over from within a minute, and the task ends once', async () => {
  const { first, second, id } = await begun();
  await first.stop('SIGKILL');
  second.child.kill('SIGCONT');
  const killed = performance.now();
  await until(id, ({ attempt }) => attempt === 2, 60);
  process.stderr.write(`  taken over ${((performance.now() - killed) / 1_000).toFixed(1)} s after the kill\n`);
  const done = await until(id, ({ status }) => status === 'COMPLETED', 60);
  expect(done).toMatchObject({ attempt: 2, progress: 100, result: { checked: 100_000, differing: 0 } });
  expect(await tasks.statuses(id)).toEqual(['PENDING', 'QUEUED', 'RUNNING', 'QUEUED', 'RUNNING', 'COMPLETED']);
  const attempts = new Map<number, number[]>();
  for (const { attempt, progress } of await tasks.events(id))
    attempts.set(attempt, [...(attempts.get(attempt) ?? []), progress]);
  // However often it is told of, progress is written down five times a second at most.
  const seconds = (Date.parse(done.finishedAt) - Date.parse(done.startedAt)) / 1_000;
  expect(attempts.get(2)?.length).toBeLessThanOrEqual(5 * seconds + 4);
  for (const progress of attempts.values()) expect(progress).toEqual([...progress].sort((a, b) => a - b));
  expect(await second.stop()).toBe(0);
}, 180_000);
