import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { deadlocksOf } from '../support/deadlocks.js';
import { type TaskAnswer, type Tasks, tasksOf } from '../support/tasks.js';
import { newSpace } from '../support/tenancy.js';
import { type World, world } from '../support/world.js';

let w: World;
beforeAll(async () => {
  w = await world();
});
afterAll(() => w.close());

const types = ['acme.render', 'acme.resize'];

async function fresh(): Promise<{ spaceId: string; tasks: Tasks; ask: (more?: object) => Promise<TaskAnswer> }> {
  const { id: spaceId } = await newSpace(w.editor);
  const tasks = tasksOf(w.editor, spaceId);
  return {
    spaceId,
    tasks,
    ask: (more = {}) => tasks.made({ type: 'acme.render', concurrencyKey: 'gpu', ...more }),
  };
}

/** Titles of whose turn it is, and of whose it should be. */
async function turns(spaceId: string): Promise<{ marked: string[]; due: string[] }> {
  const rows = await w.app.database.query<{ title: string; isMarked: boolean; isDue: boolean }>(
    `select title, "isNext" as "isMarked", id in (
        select distinct on ("concurrencyKey", type) id from "Task" q where "spaceId" = $1 and status = 'QUEUED' and "concurrencyKey" is not null and not exists (
          select from "Task" r where r."spaceId" = $1 and r."concurrencyKey" = q."concurrencyKey" and r.status = 'RUNNING')
        order by "concurrencyKey", type, priority desc, "runAt", id) as "isDue" from "Task" where "spaceId" = $1 order by title`,
    [spaceId],
  );
  const titles = (which: 'isMarked' | 'isDue') => rows.filter((row) => row[which]).map(({ title }) => title);
  return { marked: titles('isMarked'), due: titles('isDue') };
}

test('of a key it is the turn of the first of each type, until one of them runs', async () => {
  const { spaceId, tasks, ask } = await fresh();
  for (const [title, more] of [
    ['a', {}],
    ['b', {}],
    ['c', { type: 'acme.resize' }],
    ['other key', { concurrencyKey: 'cpu' }],
  ] as const)
    await ask({ title, ...more });
  expect((await turns(spaceId)).marked).toEqual(['a', 'c', 'other key']);
  const resized = await tasks.claimed(['acme.resize']);
  expect(resized.task.title).toBe('c');
  expect((await turns(spaceId)).marked).toEqual(['other key']);
  expect((await tasks.claimed(types)).task.title).toBe('other key');
  expect((await tasks.claimed(types)).task).toBeNull();
  await tasks.fail({ id: resized.task.id, leaseToken: resized.leaseToken, code: 'X', message: 'x', retryable: false });
  expect((await turns(spaceId)).marked).toEqual(['a']);
  expect((await tasks.claimed(types)).task.title).toBe('a');
});

test('who becomes more important comes first, and who is cancelled makes room', async () => {
  const { spaceId, tasks, ask } = await fresh();
  const [a, b] = [await ask({ title: 'a' }), await ask({ title: 'b' })];
  expect((await turns(spaceId)).marked).toEqual(['a']);
  await tasks.update({ id: b.id, version: b.version, priority: 5 });
  expect((await turns(spaceId)).marked).toEqual(['b']);
  const c = await ask({ title: 'c', priority: 7 });
  expect((await turns(spaceId)).marked).toEqual(['c']);
  await tasks.cancel(c.id);
  expect((await turns(spaceId)).marked).toEqual(['b']);
  await tasks.cancel(b.id);
  expect((await turns(spaceId)).marked).toEqual(['a']);
  await tasks.retry(c.id);
  expect((await turns(spaceId)).marked).toEqual(['c']);
  expect(a.status).toBe('QUEUED');
});

test('a runner that is lost gives its key back', async () => {
  const { spaceId, tasks, ask } = await fresh();
  await ask({ title: 'a', maxAttempts: 1 });
  await ask({ title: 'b' });
  const { task } = await tasks.claimed(types);
  await w.app.database.query(`update "Task" set "leaseExpiresAt" = now() - interval '1 minute' where id = $1`, [
    task.id,
  ]);
  expect((await tasks.claimed(types)).task.title).toBe('b');
  expect(await tasks.task(task.id)).toMatchObject({ status: 'FAILED' });
  expect((await turns(spaceId)).marked).toEqual([]);
});

test('however many claim, add, cancel and end at once, turns are as they should be, none runs beside another, and nobody waits in a circle', async () => {
  const { spaceId, tasks, ask } = await fresh();
  const deadlocks = deadlocksOf(w.app);
  let seed = 7;
  const roll = (sides: number) => (seed = (seed * 48271) % 2147483647) % sides;
  const known: TaskAnswer[] = [];
  const acts = [
    async () => {
      known.push(
        await ask({ title: `t${roll(1e6)}`, type: types[roll(2)], concurrencyKey: `k${roll(3)}`, priority: roll(3) }),
      );
    },
    async () => {
      const { task, leaseToken } = await tasks.claimed(types);
      if (task) await tasks.complete({ id: task.id, leaseToken });
    },
    async () => {
      const task = known[roll(known.length)];
      if (task) await tasks.cancel(task.id);
    },
    async () => {
      const task = known[roll(known.length)];
      if (task) await tasks.update({ id: task.id, version: task.version, priority: roll(50) });
    },
  ];
  const worker = async () => {
    for (let n = 0; n < 40; n += 1) await acts[roll(acts.length)]?.();
  };
  await Promise.all(Array.from({ length: 10 }, worker));
  const { marked, due } = await turns(spaceId);
  expect(marked).toEqual(due);
  // Whatever is left can be claimed to the last.
  for (let left = 500; left > 0; left -= 1) {
    const { task, leaseToken } = await tasks.claimed(types);
    if (!task) break;
    await tasks.complete({ id: task.id, leaseToken });
  }
  const waiting = await w.app.database.query(
    `select id from "Task" where "spaceId" = $1 and status not in ('COMPLETED', 'CANCELLED')`,
    [spaceId],
  );
  expect(waiting).toEqual([]);
  expect(deadlocks.count).toBe(0);
});
