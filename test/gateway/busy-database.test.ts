import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { expectUnavailable, type FaultyGateway, faultyGateway, timed } from '../support/faulty-gateway.js';

let g: FaultyGateway;
beforeAll(async () => {
  g = await faultyGateway();
});
afterEach(() => g.heal());
afterAll(() => g.close());

const patient = 30_000;

/** Lets every statement on the tree wait until the test is over. */
async function lockTree(): Promise<void> {
  await g.direct.query('begin');
  await g.direct.query('lock table "TreeNode" in access exclusive mode');
}

test(
  'a request that finds every connection taken is SERVICE_UNAVAILABLE after three seconds, before any of them is free',
  async () => {
    await lockTree();
    // Reads of one moment would share a connection; each write has its own.
    const running = [1, 2, 3, 4].map((at) => g.write(`/taken/${at}`, at));
    await eventually(async () => expect(await g.waiting()).toBe(4));
    for (const { answer, ms } of await Promise.all([timed(g.read), timed(() => g.write('/exhausted', 1))])) {
      expectUnavailable(answer);
      expect(ms).toBeLessThan(4_500);
    }
    for (const { code } of await Promise.all(running)) expect(code).toBe('GATEWAY_TIMEOUT');
  },
  patient,
);

test(
  'a statement is cancelled after five seconds, there too, and the request is GATEWAY_TIMEOUT',
  async () => {
    await lockTree();
    const { answer, ms } = await timed(g.read);
    expect({ status: answer.status, code: answer.code }).toEqual({ status: 504, code: 'GATEWAY_TIMEOUT' });
    expect(ms).toBeLessThan(8_000);
    expect(await g.waiting()).toBe(0);
  },
  patient,
);

test(
  'of two changes that wait for each other both succeed',
  async () => {
    const paths = ['/deadlock/a', '/deadlock/b'];
    for (const path of paths) await g.write(path, 0);
    await g.direct.query('begin');
    await g.direct.query(`select from "TreeNode" where path = '/deadlock/b' for update`);
    const query = 'mutation ($input: BatchTreeInput!) { batchTree(input: $input) { results { status version } } }';
    const operations = paths.map((path) => ({ write: { path, value: 'batch' } }));
    const batch = g.ask(query, { input: { ...g.here, operations } });
    await sleep(500);
    await g.direct.query(`select from "TreeNode" where path = '/deadlock/a' for update`);
    await g.direct.query('commit');
    const applied = { status: 'APPLIED', version: 2 };
    expect((await batch).body.data?.batchTree.results).toEqual([applied, applied]);
    await eventually(async () => {
      const { rows } = await g.direct.query(
        'select deadlocks::int from pg_stat_database where datname = current_database()',
      );
      expect(rows[0].deadlocks).toBeGreaterThan(0);
    });
  },
  patient,
);
