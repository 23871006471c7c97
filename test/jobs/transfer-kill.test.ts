import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Door, doorOf } from '../support/files.js';
import { startProcess } from '../support/process.js';
import { type TaskAnswer, tasksOf } from '../support/tasks.js';
import { newSpace } from '../support/tenancy.js';
import { header, transferOf } from '../support/transfer.js';
import { type World, world } from '../support/world.js';

let home: string;
let w: World;
let door: Door;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'canopy-transfer-'));
  w = await world({ blobs: { directory: join(home, 'blobs') } });
  door = await doorOf(w.app);
});
afterAll(async () => {
  await door.close();
  await w.close();
  await rm(home, { recursive: true });
});

const count = 3_000;
const at = '2025-01-01T00:00:00.000Z';
const nodeOf = (_: unknown, number: number) => ({
  kind: 'node',
  id: `n${number}`,
  path: `/n${number}`,
  value: number,
  contentType: 'application/json',
  createdAt: at,
  updatedAt: at,
});

test('an import whose process is killed in the middle goes on in another: nothing twice, nothing missing', async () => {
  const { id } = await newSpace(w.owner);
  const lines = [header, ...Array.from({ length: count }, nodeOf), { kind: 'end', items: count }];
  const fileId = await transferOf(w, door).file(w.owner, id, lines);
  const env = {
    DATABASE_URL: w.databaseUrl,
    AUTH_SECRET: 'a secret for tests only, 32 characters',
    LOG_LEVEL: 'error',
    DATABASE_POOL: '10',
    JOB_WORKERS: '1',
    CANOPY_HOME: home,
  };
  const [first, second] = await Promise.all([startProcess(env), startProcess(env)]);
  second.child.kill('SIGSTOP');
  const to = await newSpace(w.owner);
  const tasks = tasksOf(w.owner, to.id);
  const task = await tasks.made({ type: 'space.import', parameters: { fileId } });
  const until = async (holds: (task: TaskAnswer) => boolean) => {
    for (;;) {
      const seen = await tasks.task(task.id);
      if (holds(seen)) return seen;
      if (seen.status === 'FAILED') throw new Error(JSON.stringify(seen));
      await sleep(50);
    }
  };
  await until(({ progress }) => progress > 10);
  await first.stop('SIGKILL');
  const made = async () => {
    const [row] = await w.app.database.query<{ n: number; paths: number }>(
      `select count(*)::int as n, count(distinct path)::int as paths from "TreeNode" where "spaceId" = $1`,
      [to.id],
    );
    return row;
  };
  const before = await made();
  expect(before?.n).toBeGreaterThan(0);
  expect(before?.n).toBeLessThan(count);
  second.child.kill('SIGCONT');
  const done = await until(({ status }) => status === 'COMPLETED');
  expect(done).toMatchObject({ attempt: 2, result: { imported: { node: count }, failed: [], failedCount: 0 } });
  expect(await made()).toEqual({ n: count, paths: count });
  expect(await second.stop()).toBe(0);
}, 180_000);
