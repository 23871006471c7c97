import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type List, loadList } from '../../src/core/lists.js';
import { loadPage } from '../../src/core/pages.js';
import type { Related } from '../../src/core/related.js';
import { membersOfSpace } from '../../src/domains/spaces/loaders.js';
import type { SpaceMemberRow } from '../../src/domains/spaces/space.js';
import { contextIn } from '../support/another-app.js';
import { type World, world } from '../support/world.js';

let w: World;
beforeAll(async () => {
  w = await world();
});
afterAll(() => w.close());

const orders = [
  { columns: ['createdAt', 'userId'], direction: 'asc' },
  { columns: ['createdAt', 'userId'], direction: 'desc' },
  { columns: ['userId'], direction: 'asc' },
  { columns: ['userId'], direction: 'desc' },
] as const;
const idsOf = ({ rows }: { rows: readonly SpaceMemberRow[] }) => rows.map(({ userId }) => userId);

function expectOrders([first, last, low, high]: readonly string[][]) {
  expect(first).toHaveLength(6);
  expect(last).toEqual([...(first ?? [])].reverse());
  expect(low).toEqual([...(first ?? [])].sort());
  expect(high).toEqual([...(low ?? [])].reverse());
}

test('lists of one parent that differ in their order only are answered each in its own', async () => {
  const ctx = contextIn(w.app, w.owner.viewer);
  const page = (order: Related<SpaceMemberRow>['order']) =>
    loadPage(ctx, { ...membersOfSpace, order }, [w.space.id], { first: 50 });
  const pages = await Promise.all(orders.map(page));
  expectOrders(pages.map(idsOf));
  expect(await Promise.all(pages.map(({ total }) => total()))).toEqual([6, 6, 6, 6]);
});

test('lists of one name that differ in their order only are answered each in its own', async () => {
  const ctx = contextIn(w.app, w.owner.viewer);
  const list = { shape: membersOfSpace.shape, name: 'members', where: 't."spaceId" = $1', values: [w.space.id] };
  const page = (order: List<SpaceMemberRow>['order']) => loadList(ctx, { ...list, order }, { first: 50 });
  expectOrders((await Promise.all(orders.map(page))).map(idsOf));
});
