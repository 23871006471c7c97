import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type pg from 'pg';
import { origin, readLog, readSpaceLog } from '../../src/core/event-log.js';
import { eventually } from '../support/eventually.js';
import { connectionsTo } from '../support/pool.js';
import { seeded } from '../support/seeded.js';
import { type Tree, treeOf } from '../support/tree.js';
import { type Person, type World, world } from '../support/world.js';

let w: World;
let t: Tree;
let pool: pg.Pool;
beforeAll(async () => {
  w = await world();
  t = treeOf(w.editor, w.space.id);
  pool = connectionsTo(w.databaseUrl, 60);
});
afterAll(async () => {
  await pool.end();
  await w.close();
});

const follow = `subscription ($spaceId: ID!, $after: EventCursor, $types: [String!]) { events(spaceId: $spaceId, after: $after, types: $types) {
  __typename ... on Event { cursor type related } ... on CaughtUp { cursor } } }`;
const list = `query ($spaceId: ID!, $after: EventCursor, $types: [String!], $first: Int) { events(spaceId: $spaceId, after: $after, types: $types, first: $first) {
  nodes { cursor type related } edges { cursor } pageInfo { hasNextPage hasPreviousPage endCursor } } }`;

const hear = (who: Person, more: object = {}) => who.hear(follow, { spaceId: w.space.id, ...more });
const page = async (more: object = {}) => (await w.viewer.run(list, { spaceId: w.space.id, ...more })).data.events;
/** A cursor after all that has been said; transactions of other databases on the server may hold it back for a moment. */
async function endOfLog(): Promise<string> {
  await eventually(async () => {
    const { rows } = await pool.query(`select from "Event" where txid >= pg_snapshot_xmin(pg_current_snapshot())`);
    expect(rows).toEqual([]);
  });
  return (await page({ types: ['none'] })).pageInfo.endCursor;
}
const append = (client: pg.ClientBase, name: string, spaceId = w.space.id) =>
  client.query(
    `insert into "Event" (type, "spaceId", "resourceType", "resourceId", related) values ('tree.written', $1, 'TreeNode', $2, jsonb_build_object('path', $2::text))`,
    [spaceId, name],
  );

test('ten readers that come and go miss none of what fifty writers say, however late they commit, and hear nothing twice', async () => {
  const start = await endOfLog();
  const { upTo, pick } = seeded(50);
  const write = async (writer: number) => {
    for (let n = 0; n < 12; n += 1) {
      const client = await pool.connect();
      await client.query('begin');
      await append(client, `/raw/${writer}/${n}`);
      await sleep(upTo(60));
      if (upTo(2) === 0) await append(client, `/raw/${writer}/${n}/second`);
      if (upTo(4) === 0) await client.query('rollback');
      else await client.query('commit');
      client.release();
      if (upTo(4) === 0) await t.put(`/real/${writer}`, n);
    }
  };
  const read = async (reader: number): Promise<string[]> => {
    const seen: string[] = [];
    let after = start;
    const take = (event: { cursor: string; related: { path: string } }) => {
      after = event.cursor;
      seen.push(event.cursor);
      return event.related.path === '/last';
    };
    for (;;) {
      if (upTo(3) === 0) {
        const { nodes, pageInfo } = await page({ after, first: 1 + upTo(30) });
        for (const node of nodes) if (take(node)) return seen;
        after = pageInfo.endCursor;
        continue;
      }
      const stream = await hear(pick([w.viewer, w.editor, w.admin]), { after });
      for (let left = 1 + upTo(40); left > 0; left -= 1) {
        const { events } = await stream.next();
        if (events.__typename === 'CaughtUp') after = events.cursor;
        else if (take(events)) return stream.stop().then(() => seen);
        if (reader === 0 && upTo(9) === 0) await sleep(20);
      }
      await stream.stop();
    }
  };
  const readers = Array.from({ length: 10 }, (_, at) => read(at));
  await Promise.all(Array.from({ length: 50 }, (_, at) => write(at)));
  await t.put('/last', 'last');
  const logged = await w.app.database.query<{ txid: string; seq: string }>(
    `select txid::text as txid, seq::text as seq from "Event" where "spaceId" = $1 and (related->>'path' like '/raw/%' or related->>'path' like '/real/%' or related->>'path' = '/last') order by "Event".txid, "Event".seq`,
    [w.space.id],
  );
  const whole = logged.map(({ txid, seq }) => Buffer.from(`${txid}.${seq}`).toString('base64url'));
  expect(whole.length).toBeGreaterThan(500);
  for (const seen of await Promise.all(readers)) expect(seen).toEqual(whole);
}, 60_000);

describe('the order of the log', () => {
  test('waits for who came first: what committed behind an open transaction is not given out before it ends', async () => {
    const start = await endOfLog();
    const stream = await hear(w.viewer, { after: start });
    expect((await stream.next()).events.__typename).toBe('CaughtUp');
    const early = await pool.connect();
    await early.query('begin');
    await append(early, '/early');
    await t.put('/late', 1);
    await sleep(100);
    expect((await page({ after: start })).nodes).toEqual([]);
    await early.query('commit');
    early.release();
    expect([(await stream.next()).events.related.path, (await stream.next()).events.related.path]).toEqual([
      '/early',
      '/late',
    ]);
    await eventually(async () => {
      const { nodes } = await page({ after: start });
      expect(nodes.map(({ related }: { related: { path: string } }) => related.path)).toEqual(['/early', '/late']);
    });
    await stream.stop();
  });

  test('is that of numbers, not of their digits', async () => {
    await pool.query(`select setval('"Event_seq_seq"', greatest(nextval('"Event_seq_seq"'), 99997))`);
    const start = await endOfLog();
    await pool.query(
      `insert into "Event" (type, "spaceId", "resourceType", "resourceId", related) select 'tree.written', $1, 'TreeNode', 'n', jsonb_build_object('version', n) from generate_series(1, 6) n`,
      [w.space.id],
    );
    let versions: number[] = [];
    await eventually(async () => {
      versions = (await page({ after: start })).nodes.map(
        (node: { related: { version: number } }) => node.related.version,
      );
      expect(versions).toHaveLength(6);
    });
    const stream = await hear(w.viewer, { after: start });
    const heard: number[] = [];
    while (heard.length < 6) {
      const { events } = await stream.next();
      if (events.__typename === 'Event') heard.push(events.related.version);
    }
    await stream.stop();
    expect([versions, heard]).toEqual([
      [1, 2, 3, 4, 5, 6],
      [1, 2, 3, 4, 5, 6],
    ]);
  });

  test('is read from an index, however long the log', async () => {
    await pool.query(
      `insert into "Event" (type, "spaceId", "resourceType", "resourceId") select 'tree.written', case when n % 2 = 0 then $1 else 'space_other' end, 'TreeNode', 'n' from generate_series(1, 20000) n`,
      [w.space.id],
    );
    await pool.query('analyze "Event"');
    const asked: [string, unknown[]][] = [];
    const spy = {
      ...w.app.database,
      async query(text: string, values: readonly unknown[]) {
        asked.push([text, [...values]]);
        return [];
      },
    };
    await readLog(spy, origin, 500);
    await readSpaceLog(spy, w.space.id, origin, null, null, 21);
    for (const [text, values] of asked) {
      const { rows } = await pool.query<{ 'QUERY PLAN': string }>(`explain ${text}`, values);
      const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
      expect(plan).toContain('Index Scan');
      expect(plan).not.toMatch(/Seq Scan|-> {2}Sort|^Sort/m);
    }
  });

  test('a follower from the cursor of a change misses nothing that committed after it', async () => {
    const early = await pool.connect();
    await early.query('begin');
    await append(early, '/older');
    const { eventCursor } = (await t.put('/newer', 1)).data.writeTreeNode;
    await early.query('commit');
    early.release();
    const stream = await hear(w.viewer, { after: eventCursor });
    const heard: string[] = [];
    while (!heard.includes('/older')) heard.push((await stream.next()).events.related?.path);
    await stream.stop();
    const quiet = (await t.put('/quiet', 1)).data.writeTreeNode.eventCursor;
    await t.put('/after-quiet', 1);
    const next = await hear(w.viewer, { after: quiet });
    const paths: string[] = [];
    while (!paths.includes('/after-quiet')) paths.push((await next.next()).events.related?.path);
    await next.stop();
  });
});

describe('a page of the log', () => {
  test('picks types, and its end moves on when nothing matched', async () => {
    const start = await endOfLog();
    await t.put('/typed', 1);
    await t.move('/typed', '/moved');
    await t.remove('/moved');
    const types = ['tree.moved', 'tree.deleted'];
    await eventually(async () => {
      const found = await page({ after: start, types });
      expect(found.nodes.map(({ type }: { type: string }) => type)).toEqual(types);
    });
    const none = await page({ after: start, types: ['space.deleted'] });
    expect(none).toMatchObject({ nodes: [], pageInfo: { hasNextPage: false } });
    expect((await page({ after: none.pageInfo.endCursor })).nodes).toEqual([]);
    const stream = await hear(w.viewer, { after: start, types });
    const heard: string[] = [];
    while (heard.length < 3) {
      const { events } = await stream.next();
      heard.push(events.type ?? events.__typename);
    }
    // A busy process may not have read the end of the log yet: the replay is then over before the last of them.
    expect(heard.filter((word) => word !== 'CaughtUp')).toEqual(types);
    await stream.stop();
  });

  const encoded = (text: string) => Buffer.from(text).toString('base64url');
  test.each([
    '',
    'x',
    '!!',
    '5',
    encoded('1'),
    encoded('1.'),
    encoded('-1.5'),
    encoded('1.5.6'),
    encoded('a.b'),
    encoded('99999999999999999999.1'),
    encoded('1.99999999999999999999'),
    encoded(' 1.1'),
    encoded('1e3.1'),
    'é'.repeat(60),
  ])('the cursor %j is refused, by pages and by subscriptions', async (after) => {
    expect(await w.viewer.run(list, { spaceId: w.space.id, after })).toMatchObject({ code: 'BAD_USER_INPUT' });
    await expect(hear(w.viewer, { after })).rejects.toThrow(expect.objectContaining({ code: 'BAD_USER_INPUT' }));
  });
});
