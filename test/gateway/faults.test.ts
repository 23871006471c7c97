import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { post } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { expectUnavailable, type FaultyGateway, faultyGateway, timed } from '../support/faulty-gateway.js';
import { socketTo } from '../support/socket.js';

let g: FaultyGateway;
beforeAll(async () => {
  g = await faultyGateway();
});
afterEach(() => g.heal());
afterAll(() => g.close());

const patient = 30_000;
/** Has every connection of the pool open. */
const warm = () => Promise.all(Array.from({ length: 8 }, g.read));
const events =
  'subscription ($spaceId: ID!, $after: EventCursor) { events(spaceId: $spaceId, after: $after) { __typename ... on CaughtUp { cursor } ... on Event { related } } }';

describe('when Postgres refuses connections', () => {
  test(
    'reads and writes are SERVICE_UNAVAILABLE within three seconds, the process lives, and all is well soon after',
    async () => {
      await g.proxy.refuse();
      const stranger = () => post(g.url, { query: '{ __typename }' }, { authorization: 'Bearer canopy_uk_nobody' });
      for (const ask of [g.read, () => g.write('/refused', 1), stranger]) {
        const { answer, ms } = await timed(ask);
        expectUnavailable(answer);
        expect(ms).toBeLessThan(4_500);
      }
      expect((await post(g.url, { query: '{ __typename }' })).status).toBe(200);
      expect(await g.status('/api/health')).toBe(200);
      expect([await g.status('/api/ready'), await g.status('/api/health/db')]).toEqual([503, 503]);
      await g.proxy.resume();
      expect(await g.recovered()).toBeLessThan(10_000);
    },
    patient,
  );
});

describe('when Postgres hangs', () => {
  test(
    'what was sent is GATEWAY_TIMEOUT, what needs a connection SERVICE_UNAVAILABLE within three seconds',
    async () => {
      await warm();
      g.proxy.hang();
      const first = await timed(g.read);
      expect({ status: first.answer.status, code: first.answer.code }).toEqual({
        status: 504,
        code: 'GATEWAY_TIMEOUT',
      });
      expect(first.ms).toBeLessThan(9_000);
      // By now no connection is trusted any more, and every request needs a new one.
      for (const ask of [g.read, () => g.write('/hung', 1)]) {
        const { answer, ms } = await timed(ask);
        expectUnavailable(answer);
        expect(ms).toBeLessThan(4_500);
      }
      expect([await g.status('/api/health'), await g.status('/api/ready')]).toEqual([200, 503]);
      await g.proxy.resume();
      expect(await g.recovered()).toBeLessThan(10_000);
    },
    patient,
  );

  test(
    'and its old connections stay dead when it is back, new ones are used',
    async () => {
      await warm();
      g.proxy.hang();
      expect((await g.read()).code).toBe('GATEWAY_TIMEOUT');
      g.proxy.cut();
      await g.proxy.resume();
      expect(await g.recovered()).toBeLessThan(10_000);
    },
    patient,
  );
});

describe('when connections are cut', () => {
  test(
    'a statement that was running is SERVICE_UNAVAILABLE, and the next request is fine',
    async () => {
      await g.direct.query('begin');
      await g.direct.query('lock table "TreeNode" in access exclusive mode');
      const running = g.read();
      await eventually(async () => expect(await g.waiting()).toBe(1));
      g.proxy.cut();
      expectUnavailable(await running);
      await g.direct.query('rollback');
      expect((await g.read()).status).toBe(200);
    },
    patient,
  );

  test('every idle connection may be lost at once', async () => {
    await warm();
    g.proxy.cut();
    await sleep(50);
    for (const { status } of await warm()) expect(status).toBe(200);
  });

  test(
    'subscriptions go on once it is back, without a gap, and can be resumed with a cursor from before',
    async () => {
      const socket = await socketTo(g.url);
      await socket.init(g.key);
      socket.subscribe('live', events, g.here);
      const { cursor } = (await socket.hear()).payload.data.events;
      g.proxy.cut();
      await g.recovered();
      for (let at = 0; at < 3; at += 1) await g.write(`/after-${at}`, at);
      socket.subscribe('resumed', events, { ...g.here, after: cursor });
      for (const id of ['live', 'resumed']) {
        for (let at = 0; at < 3; at += 1) {
          await socket.hear((said) => said.id === id && said.payload?.data?.events.related?.path === `/after-${at}`);
        }
      }
      socket.close();
    },
    patient,
  );

  test(
    'after COMMIT was sent the outcome is unknown, and the same idempotency key answers what was committed',
    async () => {
      const query =
        'mutation ($input: WriteTreeNodeInput!) { writeTreeNode(input: $input) @idempotent(key: "commit-cut") { treeNode { id version value } } }';
      const once = () => g.ask(query, { input: { ...g.here, path: '/commit-cut', value: { kept: true } } });
      g.proxy.cutAfter((sent) => /\bcommit\b/i.test(sent.toString('latin1')));
      const { answer, ms } = await timed(once);
      expectUnavailable(answer);
      expect(ms).toBeLessThan(4_500);
      const again = await once();
      expect(again.body.data.writeTreeNode.treeNode).toMatchObject({ version: 1, value: { kept: true } });
      const count = async (table: string) =>
        (await g.direct.query(`select count(*)::int as n from "${table}" where path = '/commit-cut'`)).rows[0].n;
      expect([await count('TreeNode'), await count('TreeNodeVersion')]).toEqual([1, 1]);
    },
    patient,
  );
});

test('after all of it no connection is left over', async () => {
  await g.recovered();
  await eventually(async () => expect(g.proxy.open).toBeLessThanOrEqual(4 + 1));
});
