import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { runTask } from '../../src/jobs/task-run.js';
import { tasksOf } from '../support/tasks.js';
import { newSpace } from '../support/tenancy.js';
import { type World, world } from '../support/world.js';

let w: World;
beforeAll(async () => {
  w = await world();
});
afterAll(() => w.close());

const count = 400;
const valueBytes = 200 * 1024;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** The most that was held while something ran, above what was held before, in MiB. */
async function heldDuring<T>(run: () => Promise<T>): Promise<{ value: T; mib: number }> {
  const held = () => {
    collect();
    const { heapUsed, external } = process.memoryUsage();
    return (heapUsed + external) / 2 ** 20;
  };
  const before = held();
  let most = before;
  let timer: NodeJS.Timeout;
  // What came before this file makes each look long: most of the time is for what is looked at.
  const look = () => {
    const began = performance.now();
    most = Math.max(most, held());
    timer = setTimeout(look, Math.max(100, 10 * (performance.now() - began)));
  };
  timer = setTimeout(look, 100);
  const value = await run().finally(() => clearTimeout(timer));
  return { value, mib: most - before };
}

/** A task once it has been run; nothing else is done meanwhile. */
async function ran(spaceId: string, input: object) {
  const tasks = tasksOf(w.owner, spaceId);
  const { id: taskId } = await tasks.made(input);
  await runTask(w.app, { spaceId, taskId }, { signal: new AbortController().signal, attempt: 1, isLastAttempt: true });
  return tasks.task(taskId);
}

test('what an export and an import hold in memory does not grow with the space', async () => {
  const { id } = await newSpace(w.owner);
  await w.app.database.query(
    `insert into "TreeNode" (id, "spaceId", path, "parentPath", name, depth, value, "contentType", checksum, "sizeBytes")
      select 'node_' || $1 || name, $1, '/many/' || name, '/many', name, 2, to_json(repeat('x', $3::int)), 'application/json', repeat('0', 64), $3::int + 2
      from generate_series(1, $2::int) i, lateral (select lpad(i::text, 7, '0') as name) n`,
    [id, count, valueBytes],
  );
  const exported = await heldDuring(() => ran(id, { type: 'space.export' }));
  expect(exported.value.result).toMatchObject({ exported: { node: count } });
  expect(exported.value.result.sizeBytes).toBeGreaterThan(count * valueBytes);
  const to = await newSpace(w.owner);
  const { fileId } = exported.value.result;
  const imported = await heldDuring(() => ran(to.id, { type: 'space.import', parameters: { fileId } }));
  expect(imported.value.result).toMatchObject({ imported: { node: count }, failedCount: 0 });
  process.stderr.write(
    `  held ${exported.mib.toFixed(0)} and ${imported.mib.toFixed(0)} MiB of ${((count * valueBytes) / 2 ** 20).toFixed(0)}\n`,
  );
  expect(exported.mib).toBeLessThan(60);
  expect(imported.mib).toBeLessThan(60);
}, 180_000);
