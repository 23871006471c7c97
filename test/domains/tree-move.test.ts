import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { type Tree, treeOf } from '../support/tree.js';
import { type World, world } from '../support/world.js';

let w: World;
let t: Tree;
beforeAll(async () => {
  w = await world();
  t = treeOf(w.editor, w.space.id);
});
afterAll(() => w.close());

const idAt = async (path: string) => (await t.read(path)).data.treeNode.node?.id as string | undefined;

test('a subtree moves with its ids and its history, and its neighbours stay', async () => {
  const below = ['', '/a', '/a/b', '/a/b/c', '/é'];
  for (const rest of below) await t.put(`/from${rest}`, rest);
  for (const path of ['/from-b', '/fromage']) await t.put(path, path);
  await t.put('/from/a', 'again');
  const ids = await Promise.all(below.map((rest) => idAt(`/from${rest}`)));
  const { movedCount, treeNode } = (await t.move('/from', '/to/there', { expectedVersion: 1 })).data.moveTreeNode;
  expect([movedCount, treeNode]).toEqual([
    5,
    { id: ids[0], path: '/to/there', name: 'there', depth: 2, version: 2, value: '' },
  ]);
  expect(await Promise.all(below.map((rest) => idAt(`/to/there${rest}`)))).toEqual(ids);
  expect(await t.paths({ pathPrefix: '/from' })).toEqual([]);
  expect(await t.paths({ pathPrefix: '/to', depth: 2 })).toEqual(['/to/there', '/to/there/a', '/to/there/é']);
  expect([await t.value('/from-b'), await t.value('/fromage')]).toEqual(['/from-b', '/fromage']);
  const { versions } = (await t.versions(ids[1] ?? '')).data.node;
  expect(
    versions.nodes.map(({ version, operation, path }: { version: number; operation: string; path: string }) => [
      version,
      operation,
      path,
    ]),
  ).toEqual([
    [3, 'MOVE', '/to/there/a'],
    [2, 'WRITE', '/from/a'],
    [1, 'WRITE', '/from/a'],
  ]);
  const { data } = await w.viewer.run(
    'query ($id: ID!) { node(id: $id) { ... on TreeNode { parent { path } children { nodes { path name depth } } } } }',
    { id: ids[1] },
  );
  expect(data.node).toEqual({
    parent: { path: '/to/there' },
    children: { nodes: [{ path: '/to/there/a/b', name: 'b', depth: 4 }] },
  });
});

test('a subtree whose top was never written moves too', async () => {
  await t.put('/top/x', 1);
  expect((await t.move('/top', '/moved-top')).data.moveTreeNode).toMatchObject({ movedCount: 1, treeNode: null });
  expect(await t.value('/moved-top/x')).toBe(1);
});

test('to and fro leaves everything where it was, two versions on', async () => {
  for (const path of ['/swing', '/swing/a']) await t.put(path, path);
  await t.move('/swing', '/swung');
  await t.move('/swung', '/swing');
  expect((await t.read('/swing/a')).data.treeNode).toMatchObject({ value: '/swing/a', version: 3 });
});

test('a move is refused into itself, onto something, out of nothing, past a limit, from or to what is reserved, and then moves nothing', async () => {
  const long = 'x'.repeat(255);
  const paths = ['/m', '/m/a', '/m/a/b', '/busy', '/half/full', '/tall/1/2', `/wide/${long}/${long}`];
  for (const path of paths) await t.put(path, path);
  // biome-ignore format: a table
  const refused = [
    ['/m', '/m', {}, 'BAD_USER_INPUT'], ['/m', '/m/c', {}, 'BAD_USER_INPUT'], ['/m', '/m/a', {}, 'BAD_USER_INPUT'], ['/', '/m2', {}, 'BAD_USER_INPUT'],
    ['/m', '/busy', {}, 'CONFLICT'], ['/m', '/half', {}, 'CONFLICT'], ['/m/a', '/m', {}, 'CONFLICT'], ['/m', '/', {}, 'CONFLICT'],
    ['/m', '/free', { expectedVersion: 2 }, 'CONFLICT'], ['/none', '/free', { expectedVersion: 1 }, 'CONFLICT'], ['/none', '/free', {}, 'NOT_FOUND'],
    ['/m', '/_system', {}, 'BAD_USER_INPUT'], ['/m', '/_system/m', {}, 'BAD_USER_INPUT'], ['/_system', '/m2', {}, 'BAD_USER_INPUT'],
    ['/m', '/../m2', {}, 'BAD_USER_INPUT'], ['/tall', '/d'.repeat(31), {}, 'BAD_USER_INPUT'], ['/wide', `/${long}/${long}/${long}`, {}, 'BAD_USER_INPUT'],
  ] as const;
  for (const [from, to, more, code] of refused)
    expect([from, to, (await t.move(from, to, more)).code]).toEqual([from, to, code]);
  expect((await t.move('/m', '/half')).errors[0].message).toContain('/half');
  for (const path of paths) expect((await t.read(path)).data.treeNode).toMatchObject({ value: path, version: 1 });
});

test('a move says so once for each node, with where it came from', async () => {
  for (const path of ['/told', '/told/a']) await t.put(path, 1);
  const events = `query ($spaceId: ID!) { events(spaceId: $spaceId, types: ["tree.moved"], first: 100) { nodes { type related } } }`;
  await t.move('/told', '/heard');
  await eventually(async () => {
    const { nodes } = (await w.viewer.run(events, { spaceId: w.space.id })).data.events;
    expect(nodes.slice(-2)).toEqual([
      { type: 'tree.moved', related: { path: '/heard', fromPath: '/told', version: 2 } },
      { type: 'tree.moved', related: { path: '/heard/a', fromPath: '/told/a', version: 2 } },
    ]);
  });
});

test('of many moves to one place at once, one arrives whole', async () => {
  const sources = Array.from({ length: 8 }, (_, at) => `/rush/${at}`);
  for (const path of sources) for (const rest of ['', '/x', '/y']) await t.put(`${path}${rest}`, path);
  const codes = await Promise.all(sources.map(async (path) => (await t.move(path, '/goal')).code));
  expect(codes.filter((code) => code === null)).toHaveLength(1);
  expect(codes.filter((code) => code === 'CONFLICT')).toHaveLength(7);
  const { nodes } = await t.page({ pathPrefix: '/goal' });
  expect([nodes.length, new Set(nodes.map(({ value }) => value)).size]).toEqual([3, 1]);
});

test('ten thousand nodes move and leave in one change; one more is too many', async () => {
  await w.app.database.query(
    `insert into "TreeNode" (id, "spaceId", path, "parentPath", name, depth, value, "contentType", checksum, "sizeBytes")
     select 'node_m' || i, $1, '/many/' || i, '/many', i::text, 2, '1', 'application/json', '', 1 from generate_series(1, 10001) i`,
    [w.space.id],
  );
  expect(await t.move('/many', '/more')).toMatchObject({ code: 'BAD_USER_INPUT' });
  expect(await t.remove('/many', { recursive: true })).toMatchObject({ code: 'BAD_USER_INPUT' });
  await t.remove('/many/1');
  expect((await t.move('/many', '/more')).data.moveTreeNode.movedCount).toBe(10_000);
  expect((await t.remove('/more', { recursive: true })).data.deleteTreeNode.deletedCount).toBe(10_000);
}, 30_000);
