import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Tree, treeOf, treeOfWorld } from '../support/tree.js';
import { type World, world } from '../support/world.js';

let w: World;
let t: Tree;
let reader: Tree;
beforeAll(async () => {
  w = await world();
  ({ writer: t, reader } = treeOfWorld(w));
});
afterAll(() => w.close());

const writes = (count: number, prefix: string) =>
  Array.from({ length: count }, (_, at) => ({ write: { path: `${prefix}/${at}`, value: at } }));
const auditOf = async (prefix: string) =>
  await w.app.database.query<{
    operation: string;
    success: boolean;
    path: string;
    errorCode: string | null;
    metadata: { index?: number; operation?: string };
    requestId: string;
  }>(
    `select operation, success, path, "errorCode", metadata, "requestId" from "AuditEvent" where path like $1 || '%' order by (metadata->>'index')::int`,
    [prefix],
  );

const applied = async () =>
  (await w.app.database.query(`select from "AuditEvent" where operation = 'BATCH' and success`, [])).length;

test('twenty-five operations happen in one, and twenty-six not at all', async () => {
  const { data } = await t.batch(writes(25, '/many'));
  expect(
    data.batchTree.results.map(({ status, version, value }: { status: string; version: number; value: number }) => [
      status,
      version,
      value,
    ]),
  ).toEqual(Array.from({ length: 25 }, (_, at) => ['APPLIED', 1, at]));
  expect(data.batchTree.eventCursor).toEqual(expect.any(String));
  expect(await t.batch(writes(26, '/too-many'))).toMatchObject({ code: 'BAD_USER_INPUT', data: null });
  expect(await t.batch([])).toMatchObject({ code: 'BAD_USER_INPUT' });
  expect(await t.paths({ pathPrefix: '/too-many' })).toEqual([]);
});

test('each of the twenty-five is in the audit log, under one request', async () => {
  const operations = [
    ...writes(10, '/audited'),
    ...Array.from({ length: 5 }, (_, at) => ({ delete: { path: `/audited/${at}` } })),
    ...Array.from({ length: 10 }, (_, at) => ({ read: { path: `/audited/${at}` } })),
  ];
  expect(await t.batch(operations)).toMatchObject({ code: null });
  const rows = await auditOf('/audited');
  expect(
    rows.map(({ operation, success, metadata }) => [operation, success, metadata.index, metadata.operation]),
  ).toEqual(
    operations.map((operation, index) => [
      'BATCH',
      true,
      index,
      'write' in operation ? 'WRITE' : 'delete' in operation ? 'DELETE' : 'READ',
    ]),
  );
  expect(new Set(rows.map(({ requestId }) => requestId)).size).toBe(1);
});

test('reads see the writes and deletions before them', async () => {
  const { data } = await t.batch([
    { read: { path: '/mixed/a', default: 'none' } },
    { write: { path: '/mixed/a', value: 1 } },
    { read: { path: '/mixed/a' } },
    { write: { path: '/mixed/a', value: 2 } },
    { write: { path: '/mixed/b/c', value: null } },
    { readTree: { pathPrefix: '/mixed' } },
    { readTree: { pathPrefix: '/mixed', depth: 1 } },
    { readTree: { pathPrefix: '/mixed', first: 1 } },
    { delete: { path: '/mixed', recursive: true } },
    { readTree: { pathPrefix: '/mixed' } },
    { read: { path: '/mixed/a' } },
  ]);
  const nodes = [
    { path: '/mixed/a', value: 2, version: 2 },
    { path: '/mixed/b/c', value: null, version: 1 },
  ];
  const of = (more: object) => ({
    status: 'APPLIED',
    exists: true,
    value: null,
    version: null,
    deletedCount: null,
    nodes: null,
    ...more,
  });
  expect(data.batchTree.results).toEqual([
    of({ path: '/mixed/a', exists: false, value: 'none' }),
    of({ path: '/mixed/a', value: 1, version: 1 }),
    of({ path: '/mixed/a', value: 1, version: 1 }),
    of({ path: '/mixed/a', value: 2, version: 2 }),
    of({ path: '/mixed/b/c', version: 1 }),
    of({ path: '/mixed', nodes }),
    of({ path: '/mixed', nodes: nodes.slice(0, 1) }),
    of({ path: '/mixed', nodes: nodes.slice(0, 1) }),
    of({ path: '/mixed', deletedCount: 2 }),
    of({ path: '/mixed', exists: false, nodes: [] }),
    of({ path: '/mixed/a', exists: false }),
  ]);
});

describe('when one operation fails', () => {
  // biome-ignore format: a table
  const failing: [string, object, string][] = [
    ['a stale version', { write: { path: '/failing/old', value: 1, expectedVersion: 7 } }, 'CONFLICT'],
    ['what exists already', { write: { path: '/failing/old', value: 1, expectedVersion: 0 } }, 'CONFLICT'],
    ['a deletion of nothing', { delete: { path: '/failing/none' } }, 'NOT_FOUND'],
    ['a deletion of what has children', { delete: { path: '/failing' } }, 'NOT_FOUND'],
    ['a bad path', { write: { path: '/failing/../x', value: 1 } }, 'BAD_USER_INPUT'],
    ['a reserved path', { write: { path: '/_system/x', value: 1 } }, 'BAD_USER_INPUT'],
    ['a bad value', { write: { path: '/failing/x', value: '\ud800' } }, 'BAD_USER_INPUT'],
    ['a value too large', { write: { path: '/failing/x', value: 'x'.repeat(262_144) } }, 'PAYLOAD_TOO_LARGE'],
    ['a bad page', { readTree: { pathPrefix: '/', first: 101 } }, 'BAD_USER_INPUT'],
    ['a bad depth', { readTree: { pathPrefix: '/', depth: 33 } }, 'BAD_USER_INPUT'],
  ];

  test.each(failing)('%s takes back all the others, and the error says which it was', async (_, operation, code) => {
    await t.put('/failing/old', 'kept');
    const { version } = (await t.read('/failing/old')).data.treeNode;
    const before = await applied();
    const answer = await t.batch([
      { write: { path: '/failing/first', value: 1 } },
      { delete: { path: '/failing/old' } },
      { write: { path: '/failing/old', value: 'new' } },
      operation,
      { read: { path: '/failing/first' } },
    ]);
    expect(answer).toMatchObject({ code, data: null, errors: [{ extensions: { index: 3 } }] });
    expect(answer.errors[0].extensions.results).toEqual(
      ['ROLLED_BACK', 'ROLLED_BACK', 'ROLLED_BACK', 'FAILED', 'ROLLED_BACK'].map((status) => ({ status })),
    );
    expect((await reader.read('/failing/old')).data.treeNode).toMatchObject({ value: 'kept', version });
    expect(await reader.value('/failing/first')).toBeUndefined();
    expect(await applied()).toBe(before);
  });

  test('the audit log has the failure, once', async () => {
    await t.batch([{ write: { path: '/once', value: 1 } }, { delete: { path: '/once/none' } }]);
    const [last] = await w.app.database.query(
      `select operation, success, "errorCode", metadata from "AuditEvent" where operation = 'BATCH' order by at desc, success limit 1`,
      [],
    );
    expect(last).toEqual({ operation: 'BATCH', success: false, errorCode: 'NOT_FOUND', metadata: { operations: 2 } });
  });

  test('an operation that is none, or two at once, does not get as far', async () => {
    for (const operation of [{}, { write: null }, { read: { path: '/a' }, delete: { path: '/a' } }, { unknown: {} }]) {
      expect(await t.batch([{ write: { path: '/nowhere', value: 1 } }, operation])).toMatchObject({
        code: 'BAD_USER_INPUT',
      });
    }
    expect(await reader.value('/nowhere')).toBeUndefined();
  });
});

test('who may only read may send batches that only read', async () => {
  await t.put('/shown', 1);
  expect(
    (await reader.batch([{ read: { path: '/shown' } }, { readTree: { pathPrefix: '/shown' } }])).data.batchTree,
  ).toMatchObject({ results: [{ value: 1 }, { nodes: [{ path: '/shown' }] }], eventCursor: null });
  expect(await reader.batch([{ read: { path: '/shown' } }, { write: { path: '/shown', value: 2 } }])).toMatchObject({
    code: 'FORBIDDEN',
  });
  expect(await treeOf(w.stranger, w.space.id).batch([{ read: { path: '/shown' } }])).toMatchObject({
    code: 'NOT_FOUND',
  });
  expect(await reader.value('/shown')).toBe(1);
});

describe('a patch', () => {
  test('changes what it names, removes what it nulls, and keeps the rest', async () => {
    await t.put(
      '/patched',
      { title: 'Beans', rows: { north: 6, south: 4 }, tags: ['a', 'b'] },
      { contentType: 'application/vnd.beds+json' },
    );
    const { treeNode } = (await t.patch('/patched', { patch: { rows: { south: null, east: 1 }, tags: ['c'] } })).data
      .patchTreeNode;
    expect(treeNode).toEqual({
      path: '/patched',
      version: 2,
      contentType: 'application/vnd.beds+json',
      value: { title: 'Beans', rows: { north: 6, east: 1 }, tags: ['c'] },
    });
  });

  test('is refused on a stale version, where nothing is, and on what is reserved', async () => {
    expect((await t.patch('/patched', { patch: {}, expectedVersion: 1 })).errors[0].extensions).toMatchObject({
      code: 'CONFLICT',
      currentVersion: 2,
    });
    expect(await t.patch('/unpatched', { patch: {} })).toMatchObject({ code: 'NOT_FOUND' });
    expect(await t.patch('/_system/x', { patch: {} })).toMatchObject({ code: 'BAD_USER_INPUT' });
    expect((await t.read('/patched')).data.treeNode.version).toBe(2);
  });

  test('fifty at once on different keys all stand', async () => {
    await t.put('/shared', {});
    const codes = await Promise.all(
      Array.from({ length: 50 }, async (_, at) => (await t.patch('/shared', { patch: { [`key${at}`]: at } })).code),
    );
    expect(codes).toEqual(Array(50).fill(null));
    expect(Object.keys((await t.value('/shared')) as object)).toHaveLength(50);
    expect((await t.read('/shared')).data.treeNode.version).toBe(51);
  });
});
