import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { seeded } from '../support/seeded.js';
import { type Tree, treeOfWorld } from '../support/tree.js';
import { type World, world } from '../support/world.js';

let w: World;
let writer: Tree;
let reader: Tree;
beforeAll(async () => {
  w = await world();
  ({ writer, reader } = treeOfWorld(w));
  await insert('/thousand', 1_001);
});
afterAll(() => w.close());

/** Writes many nodes below a path at once. */
const insert = (parent: string, count: number) =>
  w.app.database.query(
    `insert into "TreeNode" (id, "spaceId", path, "parentPath", name, depth, value, "contentType", checksum, "sizeBytes")
     select 'node_' || $2 || i, $1, $2 || '/' || lpad(i::text, 5, '0'), $2, lpad(i::text, 5, '0'), 2, to_json(i), 'application/json', '', 1 from generate_series(1, $3::int) i`,
    [w.space.id, parent, count],
  );

/** Follows the pages of a list to its end; `between` happens after each page. */
async function walk(args: object, between: () => Promise<unknown> = async () => {}) {
  const paths: string[] = [];
  let after: string | null = null;
  do {
    const { nodes, pageInfo } = await reader.page({ ...args, after });
    paths.push(...nodes.map(({ path }) => path));
    after = pageInfo.hasNextPage ? pageInfo.endCursor : null;
    await between();
  } while (after);
  return paths;
}

test('a page holds a thousand nodes; the next one holds the rest', async () => {
  const { nodes, pageInfo, totalCount } = await reader.page({ pathPrefix: '/thousand', first: 1_000 });
  expect([nodes.length, pageInfo.hasNextPage, totalCount]).toEqual([1_000, true, 1_001]);
  const rest = await reader.page({ pathPrefix: '/thousand', first: 1_000, after: pageInfo.endCursor });
  expect(rest).toMatchObject({
    nodes: [{ path: '/thousand/01001', value: 1_001 }],
    pageInfo: { hasNextPage: false, hasPreviousPage: true },
    totalCount: 1_001,
  });
});

test.each([
  { first: 1_001 },
  { first: 0 },
  { last: 0 },
  { first: -1 },
  { first: 1, last: 1 },
  { after: 'x' },
  { before: '' },
  { depth: -1 },
  { depth: 33 },
])('%j is refused', async (args) => {
  expect(await reader.list(args)).toMatchObject({
    code: 'BAD_USER_INPUT',
    errors: [{ extensions: { fields: [expect.anything()] } }],
  });
});

test('an unknown prefix is an empty page, not an error', async () => {
  expect(await reader.page({ pathPrefix: '/unknown' })).toEqual({
    nodes: [],
    edges: [],
    totalCount: 0,
    pageInfo: { hasNextPage: false, hasPreviousPage: false, startCursor: null, endCursor: null },
  });
});

test('a count stops at ten thousand', async () => {
  await insert('/tens', 10_005);
  expect((await reader.page({ pathPrefix: '/tens', first: 1 })).totalCount).toBe(10_000);
  expect((await reader.page({ pathPrefix: '/tens', first: 1, depth: 1 })).totalCount).toBe(10_000);
});

describe('of a subtree cut at a depth', () => {
  const all = ['/cut', '/cut/a', '/cut/a/x', '/cut/a/y', '/cut/b', '/cut/b/x'];
  beforeAll(async () => {
    for (const path of [...all, '/cut/a/x/deep', '/cut-b', '/cut-b/x', '/cut!/y/z']) await writer.put(path, path);
  });

  test.each([1, 2, 3, 4, 5, 6])(
    'pages of %i are the whole, without the neighbours, and each counts the whole',
    async (first) => {
      expect(await walk({ pathPrefix: '/cut', depth: 2, first })).toEqual(all);
      expect((await reader.page({ pathPrefix: '/cut', depth: 2, first })).totalCount).toBe(6);
      const second = await reader.page({
        pathPrefix: '/cut',
        depth: 2,
        first,
        after: (await reader.page({ pathPrefix: '/cut', depth: 2, first })).pageInfo.endCursor,
      });
      expect(second.totalCount).toBe(6);
      const last = await reader.page({ pathPrefix: '/cut', depth: 2, last: first });
      expect([last.nodes.map(({ path }) => path), last.totalCount]).toEqual([all.slice(-first), 6]);
    },
  );

  test('a cursor that was made up does not lead out of the prefix', async () => {
    const { pageInfo } = await reader.page({ pathPrefix: '/cut', first: 1 });
    const [tag] = JSON.parse(Buffer.from(pageInfo.endCursor ?? '', 'base64url').toString()) as string[];
    const forged = (path: unknown) => Buffer.from(JSON.stringify([tag, path])).toString('base64url');
    expect(await reader.paths({ pathPrefix: '/cut', after: forged('/a') })).toEqual([
      ...all.slice(0, 3),
      '/cut/a/x/deep',
      ...all.slice(3),
    ]);
    expect(await reader.paths({ pathPrefix: '/cut', after: forged('/zzz') })).toEqual([]);
    for (const path of [null, {}, [], true])
      expect(await reader.list({ pathPrefix: '/cut', after: forged(path) })).toMatchObject({ code: 'BAD_USER_INPUT' });
  });
});

describe('while others write', () => {
  const original = Array.from({ length: 60 }, (_, at) => `/busy/${String(at).padStart(3, '0')}`);
  beforeAll(async () => {
    for (const path of original) await writer.put(path, 0);
  });

  test.each([{}, { depth: 1 }])(
    'what was there all along is seen once, in order, and nothing twice (%j)',
    async (more) => {
      const { pick, upTo } = seeded(63);
      const kept = new Set(original.filter((_, at) => at % 2 === 0));
      let n = 0;
      const seen = await walk({ pathPrefix: '/busy', first: 7, ...more }, async () => {
        await writer.put(`/busy/${String(upTo(60)).padStart(3, '0')}-${(n += 1)}`, 1);
        const doomed = pick(original);
        if (!kept.has(doomed)) await writer.remove(doomed);
        await writer.put(pick([...kept]), n);
      });
      expect(seen).toEqual([...new Set(seen)].sort());
      expect(seen.filter((path) => kept.has(path))).toEqual([...kept]);
    },
  );

  test('a page begins where the last one ended, though that node is gone', async () => {
    const first = await reader.page({ pathPrefix: '/busy', first: 3 });
    const next = await reader.paths({ pathPrefix: '/busy', first: 3, after: first.pageInfo.endCursor });
    await writer.remove(first.nodes.at(-1)?.path ?? '');
    expect(await reader.paths({ pathPrefix: '/busy', first: 3, after: first.pageInfo.endCursor })).toEqual(next);
    await writer.put(`${first.nodes.at(-1)?.path}+`, 'between');
    expect((await reader.paths({ pathPrefix: '/busy', first: 3, after: first.pageInfo.endCursor }))[0]).toBe(
      `${first.nodes.at(-1)?.path}+`,
    );
  });

  test('a list of versions goes on where it was, however many are added', async () => {
    for (let n = 0; n < 6; n += 1) await writer.put('/busy-node', n);
    const { id } = (await reader.read('/busy-node')).data.treeNode.node;
    const first = (await reader.versions(id, { first: 3 })).data.node.versions;
    await writer.put('/busy-node', 'later');
    const second = (await reader.versions(id, { first: 3, after: first.pageInfo.endCursor })).data.node.versions;
    expect([...first.nodes, ...second.nodes].map(({ version }: { version: number }) => version)).toEqual([
      6, 5, 4, 3, 2, 1,
    ]);
  });
});

describe('what hangs on nodes', () => {
  beforeAll(async () => {
    for (const parent of ['/p/1', '/p/2', '/p/3'])
      for (const rest of ['', '/a', '/b', '/c']) await writer.put(`${parent}${rest}`, `${parent}${rest}`);
    await reader.read('/p');
  });

  const deep = `query ($spaceId: ID!) { tree(spaceId: $spaceId, pathPrefix: "/p", depth: 1) { nodes { path parent { path } space { id }
    createdBy { id } children(first: 2) { totalCount nodes { name parent { path } } pageInfo { hasNextPage } } versions(first: 1) { totalCount nodes { version } } } } }`;

  test('takes one statement with the nodes, and one for the counts of each list, however many parents', async () => {
    const { data, errors, sql } = await w.viewer.run(deep, { spaceId: w.space.id });
    expect(errors).toEqual([]);
    expect(data.tree.nodes).toHaveLength(3);
    expect(data.tree.nodes[0]).toEqual({
      path: '/p/1',
      parent: null,
      space: { id: w.space.id },
      createdBy: { id: w.editor.id },
      children: {
        totalCount: 3,
        nodes: ['a', 'b'].map((name) => ({ name, parent: { path: '/p/1' } })),
        pageInfo: { hasNextPage: true },
      },
      versions: { totalCount: 1, nodes: [{ version: 1 }] },
    });
    // The subtree with its people, children and versions; spaces; parents of nodes and of children; two counts.
    expect(sql).toHaveLength(5);
  });

  test('children of a path are there whether or not it was written', async () => {
    const query =
      'query ($spaceId: ID!, $path: TreePath!, $last: Int) { treeNode(spaceId: $spaceId, path: $path) { exists children(last: $last) { totalCount nodes { path } } } }';
    expect((await w.viewer.run(query, { spaceId: w.space.id, path: '/p', last: 2 })).data.treeNode).toEqual({
      exists: false,
      children: { totalCount: 3, nodes: [{ path: '/p/2' }, { path: '/p/3' }] },
    });
    const root = (await w.viewer.run(query, { spaceId: w.space.id, path: '/' })).data.treeNode;
    expect(root.children.nodes.map(({ path }: { path: string }) => path)).not.toContain('/');
  });

  test('twenty paths asked for by name take one statement', async () => {
    const fields = Array.from(
      { length: 20 },
      (_, at) => `a${at}: treeNode(spaceId: "${w.space.id}", path: "/p/${at}") { value }`,
    );
    expect((await w.viewer.run(`{ ${fields.join(' ')} }`)).sql).toHaveLength(1);
  });
});
