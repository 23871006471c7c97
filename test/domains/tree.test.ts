import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Tree, treeOfWorld } from '../support/tree.js';
import { type World, world } from '../support/world.js';

let w: World;
let writer: Tree;
let reader: Tree;
beforeAll(async () => {
  w = await world();
  ({ writer, reader } = treeOfWorld(w));
});
afterAll(() => w.close());

const put = (path: string, value: unknown, more: object = {}) => writer.put(path, value, more);
const get = (path: string, more: object = {}) => reader.read(path, more);
const paths = (of: object) => reader.paths(of);

test('what is written is read, with a version and the checksum of its canonical form', async () => {
  const answer = await put('/first', { b: 1, a: [true, null] });
  const checksum = createHash('sha256').update('{"a":[true,null],"b":1}').digest('hex');
  expect(answer.errors).toEqual([]);
  expect(answer.data.writeTreeNode.treeNode).toMatchObject({
    path: '/first',
    version: 1,
    checksum,
    sizeBytes: 23,
    contentType: 'application/json',
  });
  expect((await get('/first')).data.treeNode).toMatchObject({
    exists: true,
    isDefault: false,
    value: { b: 1, a: [true, null] },
    version: 1,
  });
});

test('JSON null is a value; nothing is the default, or null', async () => {
  await put('/nothing/null', null);
  expect((await get('/nothing/null', { default: 5 })).data.treeNode).toMatchObject({
    exists: true,
    isDefault: false,
    value: null,
  });
  expect((await get('/nothing/there', { default: 5 })).data.treeNode).toMatchObject({
    exists: false,
    isDefault: true,
    value: 5,
    node: null,
  });
  expect((await get('/nothing')).data.treeNode).toMatchObject({ exists: false, isDefault: false, value: null });
});

test('of two writers with one expected version the second hears CONFLICT and the version that stands', async () => {
  await put('/locked', 1, { expectedVersion: 0 });
  expect((await put('/locked', 2, { expectedVersion: 0 })).errors[0].extensions).toMatchObject({
    code: 'CONFLICT',
    currentVersion: 1,
  });
  expect((await put('/locked', 2, { expectedVersion: 1 })).data.writeTreeNode.treeNode.version).toBe(2);
  expect((await put('/locked', 3, { expectedVersion: 1 })).errors[0].extensions).toMatchObject({
    code: 'CONFLICT',
    currentVersion: 2,
  });
  expect((await put('/absent', 3, { expectedVersion: 4 })).errors[0].extensions).toMatchObject({
    code: 'CONFLICT',
    currentVersion: 0,
  });
});

test('a hundred increments at once, tried again on CONFLICT, end at a hundred', async () => {
  await put('/counter', 0);
  const increment = async () => {
    for (;;) {
      const { value, version } = (await get('/counter')).data.treeNode;
      const { code } = await put('/counter', value + 1, { expectedVersion: version });
      if (code === null) return;
      expect(code).toBe('CONFLICT');
    }
  };
  await Promise.all(Array.from({ length: 100 }, increment));
  expect((await get('/counter')).data.treeNode).toMatchObject({ value: 100, version: 101 });
}, 90_000);

describe('a subtree', () => {
  beforeAll(async () => {
    for (const path of ['/user', '/user/a', '/user/a/x', '/user/a/x/deep', '/user/b', '/user-b', '/username', '/user!'])
      await put(path, path);
  });

  test('is found by whole segments, the node itself first', async () => {
    expect(await paths({ pathPrefix: '/user' })).toEqual([
      '/user',
      '/user/a',
      '/user/a/x',
      '/user/a/x/deep',
      '/user/b',
    ]);
    expect(await paths({ pathPrefix: '/unknown' })).toEqual([]);
  });

  test('is cut at a depth', async () => {
    expect(await paths({ pathPrefix: '/user', depth: 0 })).toEqual(['/user']);
    expect(await paths({ pathPrefix: '/user', depth: 1 })).toEqual(['/user', '/user/a', '/user/b']);
    expect(await paths({ pathPrefix: '/user', depth: 2, first: 4 })).toEqual([
      '/user',
      '/user/a',
      '/user/a/x',
      '/user/b',
    ]);
  });

  test.each([{}, { depth: 2 }])('is paged to its end in both directions (%j)', async (more) => {
    const all = await paths({ pathPrefix: '/user', ...more });
    const forwards: string[] = [];
    let after: string | null = null;
    do {
      const { nodes, pageInfo } = await reader.page({ pathPrefix: '/user', first: 2, after, ...more });
      forwards.push(...nodes.map(({ path }) => path));
      after = pageInfo.hasNextPage ? pageInfo.endCursor : null;
    } while (after);
    expect(forwards).toEqual(all);
    const backwards: string[] = [];
    let before: string | null = null;
    do {
      const { nodes, pageInfo } = await reader.page({ pathPrefix: '/user', last: 2, before, ...more });
      backwards.unshift(...nodes.map(({ path }) => path));
      before = pageInfo.hasPreviousPage ? pageInfo.startCursor : null;
    } while (before);
    expect(backwards).toEqual(all);
  });

  test('has cursors that count in their own list only', async () => {
    const { pageInfo } = await reader.page({ pathPrefix: '/user', first: 1 });
    expect(await reader.list({ pathPrefix: '/username', first: 1, after: pageInfo.endCursor })).toMatchObject({
      code: 'BAD_USER_INPUT',
    });
  });
});
