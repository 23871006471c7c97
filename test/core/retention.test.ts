import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { cursorOf, dropOldEvents } from '../../src/core/event-log.js';
import { type World, world } from '../support/world.js';

let w: World;
beforeAll(async () => {
  w = await world();
});
afterAll(() => w.close());

const dayMs = 24 * 60 * 60 * 1_000;
const read = 'query ($id: ID!, $after: EventCursor) { events(spaceId: $id, after: $after) { nodes { type } } }';
const hear = 'subscription ($id: ID!, $after: EventCursor) { events(spaceId: $id, after: $after) { __typename } }';

test('events are kept for seven days; a cursor from before that has expired, on every way to the log', async () => {
  const { database } = w.app;
  const log = async (daysAgo: number) => {
    const at = new Date(Date.now() - daysAgo * dayMs);
    await database.query('select canopy_make_partitions($1)', [at]);
    const [row] = await database.query<{ txid: string; seq: string }>(
      `insert into "Event" (type, "spaceId", "resourceType", "resourceId", "createdAt") values ('tree.written', $1, 'TreeNode', 'x', $2)
        returning txid::text as txid, seq::text as seq`,
      [w.space.id, at],
    );
    return { txid: BigInt(row?.txid ?? 0), seq: BigInt(row?.seq ?? 0) };
  };
  const first = await log(20);
  const second = await log(19);
  await log(3);
  await dropOldEvents(database, new Date());
  const count = await database.query<{ n: number }>('select count(*)::int as n from "Event" where "spaceId" = $1', [
    w.space.id,
  ]);
  expect(count).toEqual([{ n: 1 }]);
  expect((await w.viewer.run(read, { id: w.space.id, after: cursorOf(first) })).code).toBe('CURSOR_EXPIRED');
  await expect(w.viewer.hear(hear, { id: w.space.id, after: cursorOf(first) })).rejects.toMatchObject({
    code: 'CURSOR_EXPIRED',
  });
  // Who has read the last that was dropped has missed nothing.
  expect((await w.viewer.run(read, { id: w.space.id, after: cursorOf(second) })).code).toBeNull();
  expect((await w.viewer.run(read, { id: w.space.id })).code).toBeNull();
});

test('what is kept is left alone, however often it is asked', async () => {
  await dropOldEvents(w.app.database, new Date());
  const { data } = await w.viewer.run(read, { id: w.space.id });
  expect(data.events.nodes.length).toBeLessThanOrEqual(1);
});
