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

const follow = `subscription ($spaceId: ID!, $after: EventCursor) { events(spaceId: $spaceId, after: $after) { __typename ... on Event { cursor type related } ... on CaughtUp { cursor } ... on Lagged { missed resumeFrom } } }`;
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

  const count = 10_000;
  /** Who takes nothing for a second is slow. */
  const slowMs = 1_100;

  /** So many changes of a path, faster than anybody reads; resolves when the process has read them all. */
  async function flood(path: string): Promise<void> {
    const filler = 'x'.repeat(4_000);
    for (let from = 0; from < count; from += 1_000) {
      await pool.query(
        `insert into "Event" (type, "spaceId", "resourceType", "resourceId", related)
         select 'tree.written', $1, 'TreeNode', 'slow', jsonb_build_object('path', $4::text, 'version', i, 'filler', $2 || i::text) from generate_series($3::int, $3 + 999) i`,
        [w.space.id, filler, from, path],
      );
      w.app.wakeups.wake();
      await sleep(60);
    }
    await read();
  }

  /** Resolves when the process has read all that has happened. */
  async function read(): Promise<void> {
    const deletions =
      'subscription ($id: ID!) { events(spaceId: $id, types: ["tree.deleted"]) { ... on Event { related } } }';
    const fast = await w.viewer.hear(deletions, { id: w.space.id });
    await fast.next();
    const path = `/fast-${Math.random()}`;
    await t.put(path, 1);
    await t.remove(path);
    // What was said just before the start may come first.
    while ((await fast.next()).events.related.path !== path);
    await fast.stop();
  }

  const all = Array.from({ length: count }, (_, version) => version);

  test('of the log holds little in memory, hears how much it missed, and where that is', async () => {
    const stream = await hear(w.viewer);
    await stream.next();
    const before = collect();
    await flood('/slow');
    await sleep(slowMs);
    expect(collect() - before).toBeLessThan(25 * 1024 * 1024);
    let lagged = (await stream.next()).events;
    // What was said just before the start may come first.
    while (lagged.__typename !== 'Lagged') lagged = (await stream.next()).events;
    expect(lagged).toEqual({ __typename: 'Lagged', missed: count, resumeFrom: expect.any(String) });
    await t.put('/after', 1);
    while ((await stream.next()).events.related.path !== '/after');
    await stream.stop();
    // Who comes back for what was missed is told all of it, however slowly they read.
    const resumed = await hear(w.viewer, { after: lagged.resumeFrom });
    const heard: number[] = [];
    for (let path = ''; path !== '/after'; ) {
      const { related } = (await resumed.next()).events;
      ({ path } = related);
      if (path === '/slow') heard.push(related.version);
    }
    await resumed.stop();
    expect(heard).toEqual(all);
  }, 40_000);

  test('of one kind of thing holds little in memory, and misses nothing', async () => {
    const changes =
      'subscription ($spaceId: ID!) { treeChanged(spaceId: $spaceId, pathPrefix: "/steady") { path version } }';
    const stream = await w.viewer.hear(changes, { spaceId: w.space.id });
    const before = collect();
    await flood('/steady');
    expect(collect() - before).toBeLessThan(25 * 1024 * 1024);
    const heard: number[] = [];
    while (heard.length < count) heard.push((await stream.next()).treeChanged.version);
    expect(heard).toEqual(all);
    await stream.stop();
  }, 40_000);

  test('hears nothing of what it did not ask for, or may not see, when it is told how much it missed', async () => {
    const picked = `subscription ($spaceId: ID!) { events(spaceId: $spaceId, types: ["tree.written"]) {
      __typename ... on Lagged { missed } ... on Event { resourceId } } }`;
    await read();
    const stream = await w.viewer.hear(picked, { spaceId: w.space.id });
    await stream.next();
    // Files that the viewer may not see, and that are not there, are no part of what they missed.
    const say = (type: string, resourceType: string, resourceId: string, times: number) =>
      pool.query(
        `insert into "Event" (type, "spaceId", "resourceType", "resourceId") select $2, $1, $3, $4 from generate_series(1, $5::int)`,
        [w.space.id, type, resourceType, resourceId, times],
      );
    await say('tree.written', 'TreeNode', 'seen', 900);
    await say('tree.written', 'File', 'file_00000000000000000000000000', 900);
    await say('note.updated', 'Note', 'seen', 5_000);
    await read();
    await sleep(slowMs);
    // The 900, and that by which it is known that all have been read.
    expect(await stream.next()).toEqual({ events: { __typename: 'Lagged', missed: 901 } });
    await stream.stop();
  });
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
