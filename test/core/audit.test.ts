import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { auditEntry } from '../../src/core/audit.js';
import { treeNode } from '../../src/domains/tree/service.js';
import { anotherApp, contextIn } from '../support/another-app.js';
import { eventually } from '../support/eventually.js';
import { type Tree, treeOf } from '../support/tree.js';
import { type Answer, type Person, type World, world } from '../support/world.js';

let w: World;
let t: Tree;
beforeAll(async () => {
  w = await world();
  t = treeOf(w.editor, w.space.id);
  for (const path of ['/a', '/a/b', '/c']) await t.put(path, path);
});
afterAll(() => w.close());

interface Entry {
  readonly operation: string;
  readonly action: string;
  readonly path: string | null;
  readonly success: boolean;
  readonly errorCode: string | null;
  readonly requestId: string;
  readonly userId: string | null;
  readonly resourceId: string | null;
}

const list = `query ($spaceId: ID!, $filter: AuditFilter, $first: Int, $after: String, $last: Int) { auditEvents(spaceId: $spaceId, filter: $filter, first: $first, after: $after, last: $last) {
  totalCount nodes { id at operation action path success errorCode requestId userId resourceId ipAddress metadata user { id } } pageInfo { hasNextPage endCursor } } }`;
const ask = (more: object = {}, who: Person = w.admin) => who.run(list, { spaceId: w.space.id, ...more });
const entries = async (filter: object = {}): Promise<Entry[]> =>
  (await ask({ filter, first: 100 })).data.auditEvents.nodes;

/** The newest entry about a path, once it is there. */
async function entryAt(path: string): Promise<Entry> {
  let found: Entry | undefined;
  await eventually(async () => {
    found = (await entries({ pathPrefix: path }))[0];
    expect(found).toBeDefined();
  });
  return found as Entry;
}

type Case = [name: string, path: string, run: () => Promise<Answer>, entry: object];

const by = (who: () => Person) => treeOf(who(), w.space.id);
// biome-ignore format: a table
const cases: Case[] = [
  ['a read', '/x1', () => t.read('/x1'), { operation: 'READ', success: true }],
  ['a list', '/x2', () => t.list({ pathPrefix: '/x2' }), { operation: 'READ', success: true }],
  ['a read that is refused its page', '/x3', () => t.list({ pathPrefix: '/x3', after: 'nonsense' }), { operation: 'READ', success: false, errorCode: 'BAD_USER_INPUT' }],
  ['a read by a stranger', '/x4', () => by(() => w.stranger).read('/x4'), { operation: 'READ', success: false, errorCode: 'NOT_FOUND' }],
  ['a write', '/x5', () => t.put('/x5', 1), { operation: 'WRITE', success: true }],
  ['a write on a stale version', '/x6', () => t.put('/x6', 1, { expectedVersion: 3 }), { operation: 'WRITE', success: false, errorCode: 'CONFLICT' }],
  ['a write by a viewer', '/x7', () => by(() => w.viewer).put('/x7', 1), { operation: 'WRITE', success: false, errorCode: 'FORBIDDEN' }],
  ['a write by a stranger', '/x8', () => by(() => w.stranger).put('/x8', 1), { operation: 'WRITE', success: false, errorCode: 'NOT_FOUND' }],
  ['a patch of nothing', '/x9', () => t.patch('/x9', { patch: {} }), { operation: 'WRITE', success: false, errorCode: 'NOT_FOUND' }],
  ['a move of nothing', '/x10', () => t.move('/x10', '/y'), { operation: 'WRITE', success: false, errorCode: 'NOT_FOUND' }],
  ['a restoration of nothing', '/x11', () => t.restore('/x11'), { operation: 'WRITE', success: false, errorCode: 'NOT_FOUND' }],
  ['a deletion', '/c', () => t.remove('/c'), { operation: 'DELETE', success: true }],
  ['a deletion of nothing', '/x12', () => t.remove('/x12'), { operation: 'DELETE', success: false, errorCode: 'NOT_FOUND' }],
  ['a deletion of what has children', '/a', () => t.remove('/a'), { operation: 'DELETE', success: false, errorCode: 'CONFLICT' }],
  ['a deletion by a viewer', '/x13', () => by(() => w.viewer).remove('/x13'), { operation: 'DELETE', success: false, errorCode: 'FORBIDDEN' }],
  ['a batch', '/x14', () => t.batch([{ write: { path: '/x14', value: 1 } }]), { operation: 'BATCH', success: true }],
];

test.each(cases)('%s is on record, with its place, its outcome and its request', async (_, path, run, entry) => {
  const answer = await run();
  const found = await entryAt(path);
  expect(found).toMatchObject({ ...entry, path, requestId: expect.stringMatching(/^test-\d+$/) });
  expect(found.errorCode).toBe(answer.code);
  if (answer.code) expect(found.requestId).toBe(answer.errors[0].extensions.requestId);
});

test('batches that fail, or are refused, are on record as batches', async () => {
  const failed = await t.batch([{ write: { path: '/b', value: 1 } }, { delete: { path: '/none' } }]);
  const refused = await by(() => w.viewer).batch([{ write: { path: '/b', value: 1 } }]);
  const found = await entries({ operation: 'BATCH', success: false });
  expect(found.map(({ errorCode, requestId }) => [errorCode, requestId])).toEqual([
    ['FORBIDDEN', refused.errors[0].extensions.requestId],
    ['NOT_FOUND', failed.errors[0].extensions.requestId],
  ]);
});

test('every node of a recursive deletion and of a move is on record under one request', async () => {
  for (const path of ['/r', '/r/1', '/r/2']) await t.put(path, 1);
  await t.move('/r', '/s');
  await t.remove('/s', { recursive: true });
  const found = (await entries({ pathPrefix: '/s' })).map(({ operation, path, requestId }) => ({
    operation,
    path,
    requestId,
  }));
  expect(found.map(({ operation, path }) => `${operation} ${path}`).sort()).toEqual([
    'DELETE /s',
    'DELETE /s/1',
    'DELETE /s/2',
    'WRITE /s',
    'WRITE /s/1',
    'WRITE /s/2',
  ]);
  expect(new Set(found.map(({ requestId }) => requestId)).size).toBe(2);
});

describe('what a caller names wrongly', () => {
  test.each(['\u0000', '\ud800', 'x'.repeat(100_000), '', 'space_', "'; drop table"])(
    'is refused, and does not reach the log as it came (%#)',
    async (spaceId) => {
      const before = w.lines.length;
      const { code } = await treeOf(w.stranger, spaceId).read('/wrong');
      expect(['NOT_FOUND', 'BAD_USER_INPUT']).toContain(code);
      expect(w.lines.slice(before)).toEqual([]);
      const rows = await w.app.database.query<{ spaceId: string | null }>(
        `select "spaceId" from "AuditEvent" where path = '/wrong'`,
        [],
      );
      expect(new Set(rows.map((row) => row.spaceId))).toEqual(new Set(rows.length > 0 ? [null] : []));
    },
  );
});

describe('the log', () => {
  test('only grows', async () => {
    for (const sql of [
      `update "AuditEvent" set success = true`,
      `delete from "AuditEvent"`,
      `truncate "AuditEvent"`,
      'truncate canopy_partitions."AuditEvent_default"',
    ]) {
      await expect(w.app.database.query(sql, [])).rejects.toThrow('append-only');
    }
  });

  test('has reads within a second, and all of them when the process stops', async () => {
    const began = performance.now();
    await t.read('/soon');
    await entryAt('/soon');
    expect(performance.now() - began).toBeLessThan(8_000);
    const other = await anotherApp(w.databaseUrl);
    for (let n = 0; n < 50; n += 1)
      await treeNode(contextIn(other.app, w.viewer.viewer), { spaceId: w.space.id, path: `/flushed/${n}` });
    await other.close();
    expect((await ask({ filter: { pathPrefix: '/flushed' } })).data.auditEvents.totalCount).toBe(50);
  });

  test('goes on past a read that it cannot store, which the process’s log has', async () => {
    const from = w.lines.length;
    for (let n = 0; n < 40; n += 1) {
      const path = n === 23 ? '/odd/\u0000' : `/even/${n}`;
      const entry = auditEntry(contextIn(w.app, w.viewer.viewer), 'tree.read', { space: w.space.id }, null, { path });
      w.app.readAudit.add(entry);
    }
    await w.app.readAudit.flush();
    expect((await ask({ filter: { pathPrefix: '/even' } })).data.auditEvents.totalCount).toBe(39);
    expect(w.lines.slice(from).map((line) => JSON.parse(line).entry.path)).toEqual(['/odd/\u0000']);
  });

  test('is for admins of the space', async () => {
    expect(await ask({}, w.owner)).toMatchObject({ code: null });
    for (const who of [w.editor, w.commenter, w.viewer, w.guest])
      expect(await ask({}, who)).toMatchObject({ code: 'FORBIDDEN', data: null });
    expect(await ask({}, w.stranger)).toMatchObject({ code: 'NOT_FOUND' });
    expect(await ask({}, w.nobody)).toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  test('is filtered: all that is given must hold', async () => {
    const all = await entries();
    const moment = (all[5] as Entry & { at: string }).at;
    expect((await entries({ operation: 'DELETE' })).every(({ operation }) => operation === 'DELETE')).toBe(true);
    expect(
      (await entries({ success: false, userId: w.viewer.id })).every(
        ({ success, userId }) => !success && userId === w.viewer.id,
      ),
    ).toBe(true);
    expect((await entries({ success: false, userId: w.viewer.id })).length).toBe(3);
    expect((await entries({ pathPrefix: '/flushed', operation: 'WRITE' })).length).toBe(0);
    expect((await entries({ pathPrefix: '/x1' })).every(({ path }) => path === '/x1')).toBe(true);
    const [since, until] = [
      await entries({ since: moment, operation: 'WRITE' }),
      await entries({ until: moment, operation: 'WRITE' }),
    ] as unknown as { at: string }[][];
    expect(since?.every(({ at }) => at >= moment)).toBe(true);
    expect(until?.every(({ at }) => at < moment)).toBe(true);
  });

  test('is paged to its end, the latest first, and says who it was', async () => {
    const seen: { id: string; at: string }[] = [];
    let after: string | null = null;
    const until = new Date().toISOString();
    do {
      const answer: Answer = await ask({ first: 20, after, filter: { until } });
      const { nodes, pageInfo } = answer.data.auditEvents;
      seen.push(...nodes);
      after = pageInfo.hasNextPage ? pageInfo.endCursor : null;
    } while (after);
    expect(new Set(seen.map(({ id }) => id)).size).toBe(seen.length);
    expect(seen.map(({ at }) => at)).toEqual(
      seen
        .map(({ at }) => at)
        .sort()
        .reverse(),
    );
    const { totalCount } = (await ask({ filter: { until } })).data.auditEvents;
    expect(seen.length).toBe(totalCount);
    expect((await entries({ operation: 'WRITE', userId: w.editor.id }))[0]).toMatchObject({
      user: { id: w.editor.id },
      ipAddress: '127.0.0.1',
    });
  });
});
