import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Ctx } from '../../src/core/context.js';
import { commit } from '../../src/core/write.js';
import { writeTreeNode } from '../../src/domains/tree/service.js';
import { contextIn } from '../support/another-app.js';
import { treeOfWorld } from '../support/tree.js';
import { type World, world } from '../support/world.js';

let w: World;
beforeAll(async () => {
  w = await world();
});
afterAll(() => w.close());

const ending = (inMs: number): Ctx =>
  Object.create(contextIn(w.app, w.editor.viewer), { deadline: { value: performance.now() + inMs } });
const late = { code: 'GATEWAY_TIMEOUT', details: { retryable: true } };

test('past the deadline of its operation no change begins', async () => {
  await expect(writeTreeNode(ending(-1), { spaceId: w.space.id, path: '/late', value: 1 })).rejects.toMatchObject(late);
  expect(await treeOfWorld(w).reader.value('/late')).toBeUndefined();
});

test('a change that is under way at the deadline is undone', async () => {
  await treeOfWorld(w).writer.put('/slow', 1);
  const ctx = ending(300);
  const change = commit(ctx, 'tree.write', { space: w.space.id }, w.editor.id, async (tx) => {
    await tx.sql`update "TreeNode" set "contentType" = 'text/late' where path = '/slow'`;
    await tx.sql`select pg_sleep(0.4)`;
    tx.emit('space.updated', 'Space', w.space.id);
  });
  await expect(change).rejects.toMatchObject(late);
  const rows = await w.app.database.query(`select from "TreeNode" where "contentType" = 'text/late'`, []);
  expect(rows).toEqual([]);
});

test('a change that others keep undoing is not tried again past the deadline', async () => {
  let tried = 0;
  const change = commit(ending(50), 'tree.write', { space: w.space.id }, w.editor.id, async (tx) => {
    tried += 1;
    await tx.sql`select pg_sleep(0.1)`;
    throw Object.assign(new Error('deadlock'), { code: '40P01' });
  });
  await expect(change).rejects.toMatchObject(late);
  expect(tried).toBe(1);
});
