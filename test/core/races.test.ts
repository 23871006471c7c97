import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { tree, writeTreeNode } from '../../src/domains/tree/service.js';
import { anotherApp, contextIn } from '../support/another-app.js';
import { seeded } from '../support/seeded.js';
import { type Tree, treeOfWorld } from '../support/tree.js';
import { type Person, viewerOf, type World, world } from '../support/world.js';

let w: World;
let writer: Tree;
let reader: Tree;
beforeAll(async () => {
  w = await world();
  ({ writer, reader } = treeOfWorld(w));
});
afterAll(() => w.close());

const rows = async <Row extends object>(sql: string, ...values: unknown[]) => w.app.database.query<Row>(sql, values);

/** A connection beside the product's, for what only an operator or a crash does. */
async function beside(): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: w.databaseUrl });
  await client.connect();
  return client;
}

test('two hundred batches at once, some of which fail, leave every pair whole, now and in history', async () => {
  const { pick, upTo } = seeded(200);
  const pairs = Array.from({ length: 10 }, (_, at) => `/pairs/${at}`);
  let running = true;
  const torn: unknown[] = [];
  const other = await anotherApp(w.databaseUrl);
  const pair = async (path: string) =>
    (await tree(contextIn(other.app, w.viewer.viewer), { spaceId: w.space.id, pathPrefix: path })).rows.map(
      ({ value }) => JSON.stringify(value),
    );
  let looks = 0;
  const look = async () => {
    while (running) {
      const path = pick(pairs);
      const values = await pair(path);
      if (values.length === 1 || values[0] !== values[1]) torn.push([path, values]);
      looks += 1;
    }
  };
  const readers = Array.from({ length: 4 }, look);
  const codes = await Promise.all(
    Array.from({ length: 200 }, async (_, n) => {
      const path = pick(pairs);
      const both = [{ write: { path: `${path}/a`, value: n } }, { write: { path: `${path}/b`, value: n } }];
      // Some come in the other order, and meet the others half-way.
      const operations =
        upTo(3) === 0 ? [...both, { delete: { path: '/pairs/none' } }] : upTo(9) === 0 ? both.reverse() : both;
      return [operations.length === 3, (await writer.batch(operations)).code] as const;
    }),
  );
  running = false;
  await Promise.all(readers);
  await other.close();
  expect(torn).toEqual([]);
  expect(looks).toBeGreaterThan(10);
  const busy = [null, 'CONFLICT', 'SERVICE_UNAVAILABLE', 'GATEWAY_TIMEOUT'];
  expect(codes.filter(([fails, code]) => !busy.includes(code) && !(fails && code === 'NOT_FOUND'))).toEqual([]);
  expect(codes.filter(([fails, code]) => fails && code === null)).toEqual([]);
  const applied = codes.filter(([, code]) => code === null).length;
  expect(applied).toBeGreaterThan(100);
  const history = await rows<{ pair: string; version: number; count: number; values: number }>(
    `select left(path, 8) as pair, version, count(*)::int as count, count(distinct value::text)::int as values from "TreeNodeVersion" where path like '/pairs/%' group by 1, 2`,
  );
  expect(history.filter(({ count, values }) => count !== 2 || values !== 1)).toEqual([]);
  expect(history).toHaveLength(applied);
  const [events] = await rows(`select count(*)::int as n from "Event" where related->>'path' like '/pairs/%'`);
  expect(events).toEqual({ n: 2 * applied });
}, 60_000);

test('the reads of a batch see one moment, whatever others write meanwhile', async () => {
  const both = (value: string) =>
    writer.batch(['a', 'b'].map((name) => ({ write: { path: `/moment/${name}`, value } })));
  await both('old');
  await writer.put('/moment/held', 0);
  const other = await beside();
  await other.query('begin');
  await other.query(`select from "TreeNode" where path = '/moment/held' for update`);
  const look = (name: string) => ({ readTree: { pathPrefix: `/moment/${name}` } });
  const steps = [look('a'), { write: { path: '/moment/held', value: 1 } }, look('b'), { read: { path: '/moment/a' } }];
  const batch = writer.batch(steps);
  for (let waiting = 0; waiting === 0; ) {
    waiting = (
      await rows(`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`)
    ).length;
  }
  await both('new');
  await other.end();
  const { results } = (await batch).data.batchTree;
  const seen = [results[0].nodes[0].value, results[2].nodes[0].value, results[3].value];
  expect(seen).toEqual([seen[0], seen[0], seen[0]]);
});

describe('an idempotency key', () => {
  const document = `mutation ($input: WriteTreeNodeInput!, $key: String!) { writeTreeNode(input: $input) @idempotent(key: $key) { treeNode { id version value } eventCursor } }`;
  const send = (key: string, path: string, value: unknown, by: Person = w.editor) =>
    by.run(document, { key, input: { spaceId: w.space.id, path, value } });
  const versionsAt = async (path: string) => (await rows(`select from "TreeNodeVersion" where path = $1`, path)).length;

  test('sent fifty times at once writes once, and all fifty hear the same', async () => {
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => send('fifty', '/fifty', { deep: JSON.parse('{"__proto__":1,"é":[null]}') })),
    );
    expect(new Set(answers.map(({ data, code }) => JSON.stringify([data, code])))).toEqual(
      new Set([JSON.stringify([answers[0]?.data, null])]),
    );
    expect(answers[0]?.data.writeTreeNode.treeNode).toMatchObject({ version: 1 });
    expect(await versionsAt('/fifty')).toBe(1);
    expect(await rows(`select from "Event" where related->>'path' = '/fifty'`)).toHaveLength(1);
    expect(await rows(`select from "AuditEvent" where path = '/fifty' and success`)).toHaveLength(1);
  });

  test('answers later too what was answered first, though the node has moved on', async () => {
    const first = await send('later', '/later', 1);
    await writer.put('/later', 2);
    expect((await send('later', '/later', 1)).data).toEqual(first.data);
    expect(await reader.value('/later')).toBe(2);
  });

  test('with other arguments, or of another mutation, is refused and changes nothing', async () => {
    await send('reused', '/reused', 1);
    expect(await send('reused', '/reused', 2)).toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' });
    expect(await send('reused', '/other', 1)).toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' });
    const remove =
      'mutation ($input: DeleteTreeNodeInput!) { deleteTreeNode(input: $input) @idempotent(key: "reused") { deletedCount } }';
    expect(await w.editor.run(remove, { input: { spaceId: w.space.id, path: '/reused' } })).toMatchObject({
      code: 'IDEMPOTENCY_KEY_REUSED',
    });
    expect(await reader.value('/reused')).toBe(1);
  });

  test('is the caller’s own: users, and a user’s key, never share one', async () => {
    const key = w.client(viewerOf(w.editor.id, { apiKeyId: 'key_of_the_editor' }));
    const answers = await Promise.all([
      send('mine', '/mine/1', 1),
      send('mine', '/mine/2', 2, w.admin),
      send('mine', '/mine/3', 3, key),
    ]);
    expect(answers.map(({ code, data }) => [code, data.writeTreeNode.treeNode.value])).toEqual([
      [null, 1],
      [null, 2],
      [null, 3],
    ]);
  });

  test('of a call that failed is free again', async () => {
    const stale = `mutation ($input: WriteTreeNodeInput!) { writeTreeNode(input: $input) @idempotent(key: "failed") { treeNode { version } } }`;
    const input = { spaceId: w.space.id, path: '/failed', value: 1, expectedVersion: 1 };
    expect(await w.editor.run(stale, { input })).toMatchObject({ code: 'CONFLICT' });
    await writer.put('/failed', 0);
    expect(await w.editor.run(stale, { input })).toMatchObject({
      data: { writeTreeNode: { treeNode: { version: 2 } } },
    });
  });

  test.each(['', 'x'.repeat(256), 'a\u0000b'])('%j is none', async (key) => {
    expect(await send(key, '/keyless', 1)).toMatchObject({ code: 'BAD_USER_INPUT' });
    expect(await reader.value('/keyless')).toBeUndefined();
  });

  test('is in progress while the first call runs for longer than three seconds, and free when that one is gone', async () => {
    const first = await beside();
    await first.query('begin');
    await first.query(`insert into "IdempotencyRecord" values ($1, 'held', 'hash', null, now() + interval '1 day')`, [
      w.editor.id,
    ]);
    const began = performance.now();
    expect(await send('held', '/held', 1)).toMatchObject({ code: 'IDEMPOTENCY_IN_PROGRESS' });
    expect(performance.now() - began).toBeLessThan(4_500);
    await first.end();
    expect(await send('held', '/held', 1)).toMatchObject({ code: null });
    expect(await versionsAt('/held')).toBe(1);
  });

  test('does not make waiting for a row look like waiting for the first call', async () => {
    await writer.put('/row', 0);
    const other = await beside();
    await other.query('begin');
    await other.query(`select from "TreeNode" where path = '/row' for update`);
    const sent = send('row', '/row', 1);
    await sleep(3_300);
    await other.query('rollback');
    expect(await sent).toMatchObject({ code: null });
    await other.end();
  });

  test('is not poisoned by a call that dies in the middle of it', async () => {
    await writer.put('/dies', 0);
    const other = await beside();
    await other.query('begin');
    await other.query(`select from "TreeNode" where path = '/dies' for update`);
    const sent = send('dies', '/dies', 1);
    for (let killed = 0; killed === 0; ) {
      const { length } = await rows(
        `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like '%"TreeNode"%' and pid <> pg_backend_pid()`,
      );
      killed = length;
    }
    expect(await sent).toMatchObject({ code: 'SERVICE_UNAVAILABLE', data: null });
    await other.query('rollback');
    await other.end();
    expect(await versionsAt('/dies')).toBe(1);
    expect(await send('dies', '/dies', 1)).toMatchObject({ data: { writeTreeNode: { treeNode: { version: 2 } } } });
    expect(await send('dies', '/dies', 1)).toMatchObject({ data: { writeTreeNode: { treeNode: { version: 2 } } } });
    expect(await versionsAt('/dies')).toBe(2);
  });

  test('counts in every process on the database', async () => {
    const other = await anotherApp(w.databaseUrl);
    const call = (at: number) =>
      writeTreeNode(contextIn(at % 2 ? other.app : w.app, w.editor.viewer, 'everywhere'), {
        spaceId: w.space.id,
        path: '/everywhere',
        value: 1,
      });
    const answers = await Promise.all(Array.from({ length: 40 }, (_, at) => call(at)));
    expect(answers.filter(({ repeated }) => !repeated)).toHaveLength(1);
    expect(new Set(answers.map(({ value, eventCursor }) => JSON.stringify([value, eventCursor]))).size).toBe(1);
    expect(await versionsAt('/everywhere')).toBe(1);
    await other.close();
  });

  test('is forgotten after a day', async () => {
    await send('old', '/old', 1);
    await rows(`update "IdempotencyRecord" set "expiresAt" = now() - interval '1 second' where key = 'old'`);
    expect((await send('old', '/old', 2)).data.writeTreeNode.treeNode).toMatchObject({ version: 2, value: 2 });
  });
});
