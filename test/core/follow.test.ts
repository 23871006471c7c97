import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type pg from 'pg';
import { followEvents } from '../../src/domains/realtime/service.js';
import { treeNode } from '../../src/domains/tree/service.js';
import { anotherApp, contextIn } from '../support/another-app.js';
import { connectionsTo } from '../support/pool.js';
import { type Tree, treeOf } from '../support/tree.js';
import { type Person, type World, world } from '../support/world.js';

let w: World;
let t: Tree;
let pool: pg.Pool;
beforeAll(async () => {
  w = await world();
  t = treeOf(w.editor, w.space.id);
  pool = connectionsTo(w.databaseUrl, 5);
});
afterAll(async () => {
  await pool.end();
  await w.close();
});

const follow = `subscription ($spaceId: ID!, $after: EventCursor) { events(spaceId: $spaceId, after: $after) { __typename ... on Event { cursor type related } ... on CaughtUp { cursor } } }`;
const hear = (who: Person, more: object = {}) => who.hear(follow, { spaceId: w.space.id, ...more });

/** A transaction that has taken its place in the log and holds it; the answer ends it. */
async function holdPlace(): Promise<() => Promise<void>> {
  const client = await pool.connect();
  await client.query('begin');
  await client.query('select pg_current_xact_id()');
  return async () => {
    await client.query('commit');
    client.release();
  };
}

describe('who is removed', () => {
  const remove = 'mutation ($input: RemoveSpaceMemberInput!) { removeSpaceMember(input: $input) { removedUserId } }';
  const take = (userId: string) => w.owner.run(remove, { input: { spaceId: w.space.id, userId } });

  test('hears nothing from then on, not even of the removal, while others hear all', async () => {
    const gone = await w.member('Greta', w.space.id, 'VIEWER');
    const [stream, other] = [await hear(gone), await hear(w.viewer)];
    await t.put('/before', 1);
    for (const one of [stream, other]) {
      expect((await one.next()).events.__typename).toBe('CaughtUp');
      // What was said just before the start may come first.
      while ((await one.next()).events.related.path !== '/before');
    }
    await take(gone.id);
    await t.put('/after-removal', 1);
    await expect(stream.next()).rejects.toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
    await expect(stream.next()).rejects.toThrow('ended');
    expect([(await other.next()).events.type, (await other.next()).events.related.path]).toEqual([
      'space.memberRemoved',
      '/after-removal',
    ]);
    await other.stop();
    await expect(hear(gone)).rejects.toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
  });

  test('is refused at once by other processes too, though an older transaction holds back the log', async () => {
    const gone = await w.member('Hugo', w.space.id, 'VIEWER');
    const other = await anotherApp(w.databaseUrl);
    const look = () => treeNode(contextIn(other.app, gone.viewer), { spaceId: w.space.id, path: '/' });
    await look();
    const letGo = await holdPlace();
    await take(gone.id);
    const began = performance.now();
    for (let refused = false; !refused; ) {
      refused = await look().then(
        () => false,
        () => true,
      );
      if (performance.now() - began > 8_000) break;
    }
    expect(performance.now() - began).toBeLessThan(8_000);
    await letGo();
    await other.close();
  });
});

describe('a slow consumer', () => {
  const collect = () => {
    setFlagsFromString('--expose-gc');
    (runInNewContext('gc') as () => void)();
    return process.memoryUsage().heapUsed;
  };

  test('holds little in memory, and misses nothing', async () => {
    const stream = await hear(w.viewer);
    await stream.next();
    const before = collect();
    const filler = 'x'.repeat(4_000);
    for (let from = 0; from < 10_000; from += 1_000) {
      await pool.query(
        `insert into "Event" (type, "spaceId", "resourceType", "resourceId", related)
         select 'tree.written', $1, 'TreeNode', 'slow', jsonb_build_object('path', '/slow', 'version', i, 'filler', $2 || i::text) from generate_series($3::int, $3 + 999) i`,
        [w.space.id, filler, from],
      );
      w.app.wakeups.wake();
      await sleep(60);
    }
    const last = await t.put('/fast', 1);
    const fast = await hear(w.viewer, { after: last.data.writeTreeNode.eventCursor });
    await fast.next();
    await fast.stop();
    expect(collect() - before).toBeLessThan(25 * 1024 * 1024);
    // What was said just before the start may come first.
    const heard: number[] = [];
    for (;;) {
      const { path, version } = (await stream.next()).events.related;
      if (path === '/fast') break;
      if (path === '/slow') heard.push(version);
    }
    expect(heard).toEqual(Array.from({ length: 10_000 }, (_, version) => version));
    await stream.stop();
  }, 40_000);
});

test('nothing listens any more once streams have stopped and the process has closed', async () => {
  const other = await anotherApp(w.databaseUrl);
  let listening = 0;
  const { follow: original } = other.app.tail;
  other.app.tail.follow = (spaceId, follower, signal) => {
    listening += 1;
    signal.addEventListener('abort', () => (listening -= 1));
    return original(spaceId, follower, signal);
  };
  const streams = await Promise.all(
    Array.from({ length: 20 }, () =>
      followEvents(contextIn(other.app, w.viewer.viewer), { spaceId: w.space.id, types: null }),
    ),
  );
  for (const stream of streams) await stream.next();
  expect(listening).toBe(20);
  await Promise.all(
    streams.slice(0, 10).map(async (stream) => {
      const waiting = stream.next();
      await stream.return?.();
      expect((await waiting).done).toBe(true);
    }),
  );
  expect(listening).toBe(10);
  const ends = streams.slice(10).map((stream) => stream.next());
  const closing = other.close();
  for (const end of ends) await expect(end).rejects.toThrow(expect.objectContaining({ code: 'SERVICE_UNAVAILABLE' }));
  await closing;
  expect(listening).toBe(0);
  const { rows } = await pool.query(
    `select application_name from pg_stat_activity where datname = current_database() and application_name = 'canopy wakeups'`,
  );
  expect(rows).toHaveLength(1);
});
