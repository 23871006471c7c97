import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { writeTreeNode } from '../../src/domains/tree/service.js';
import { anotherApp, contextIn } from '../support/another-app.js';
import { type Tree, treeOf } from '../support/tree.js';
import { type World, world } from '../support/world.js';

let w: World;
let t: Tree;
const clock = { at: Date.UTC(2026, 0, 1) };
/** Lets time pass, and answers a moment within it. */
const later = () => new Date((clock.at += 1_000) - 500);

beforeAll(async () => {
  w = await world({ now: () => new Date(clock.at) });
  t = treeOf(w.editor, w.space.id);
});
afterAll(() => w.close());

const idAt = async (path: string) => (await t.read(path)).data.treeNode.node.id as string;
const historyOf = async (id: string) => (await t.versions(id, { first: 100 })).data.node.versions;

describe('versions', () => {
  test('the first of six is restored as the seventh, with its value, and all seven stay', async () => {
    for (let n = 1; n <= 6; n += 1) {
      await t.put('/restored', { n });
      later();
    }
    const first = (await historyOf(await idAt('/restored'))).nodes.at(-1);
    const { treeNode } = (await t.restore('/restored', { toVersion: 1 })).data.restoreTreeNode;
    expect(treeNode).toMatchObject({ value: { n: 1 }, version: 7, checksum: first.checksum });
    const { totalCount, nodes } = await historyOf(treeNode.id);
    expect(totalCount).toBe(7);
    expect(
      nodes.map(({ version, operation, value }: { version: number; operation: string; value: { n: number } }) => [
        version,
        operation,
        value.n,
      ]),
    ).toEqual([
      [7, 'RESTORE', 1],
      [6, 'WRITE', 6],
      [5, 'WRITE', 5],
      [4, 'WRITE', 4],
      [3, 'WRITE', 3],
      [2, 'WRITE', 2],
      [1, 'WRITE', 1],
    ]);
    expect(nodes.every(({ author }: { author: { id: string } }) => author.id === w.editor.id)).toBe(true);
  });

  test('after five writes a restore makes the sixth version', async () => {
    for (let n = 1; n <= 5; n += 1) await t.put('/five', n);
    expect(
      (await t.restore('/five', { toVersion: 1, expectedVersion: 5 })).data.restoreTreeNode.treeNode,
    ).toMatchObject({ value: 1, version: 6 });
    expect((await historyOf(await idAt('/five'))).totalCount).toBe(6);
  });

  test('are paged, the latest first', async () => {
    const id = await idAt('/five');
    const seen: number[] = [];
    let after: string | null = null;
    do {
      const {
        versions,
      }: { versions: { nodes: { version: number }[]; pageInfo: { hasNextPage: boolean; endCursor: string } } } = (
        await t.versions(id, { first: 2, after })
      ).data.node;
      seen.push(...versions.nodes.map(({ version }) => version));
      after = versions.pageInfo.hasNextPage ? versions.pageInfo.endCursor : null;
    } while (after);
    expect(seen).toEqual([6, 5, 4, 3, 2, 1]);
  });

  test.each([
    [{ toVersion: 99 }, 'BAD_USER_INPUT'],
    [{ toVersion: 0 }, 'BAD_USER_INPUT'],
    [{ toVersion: -1 }, 'BAD_USER_INPUT'],
    [{}, 'BAD_USER_INPUT'],
    [{ toVersion: 1, expectedVersion: 5 }, 'CONFLICT'],
  ])('a restore with %j is refused and leaves no version', async (more, code) => {
    expect(await t.restore('/five', more)).toMatchObject({ code });
    expect((await historyOf(await idAt('/five'))).totalCount).toBe(6);
  });

  test('a write keeps the content type, or changes it, and so does a restore', async () => {
    const types = async () => (await t.put('/typed', 1)).data.writeTreeNode.treeNode.contentType;
    expect(await types()).toBe('application/json');
    await t.put('/typed', 1, { contentType: 'text/markdown; charset=utf-8' });
    expect(await types()).toBe('text/markdown; charset=utf-8');
    await t.restore('/typed', { toVersion: 1 });
    expect(await types()).toBe('application/json');
  });
});

describe('deleting', () => {
  test('leaves a tombstone: nothing is read, history stays, a restore brings back the node with its id', async () => {
    await t.put('/gone', 'one');
    await t.put('/gone', 'two');
    const id = await idAt('/gone');
    expect((await t.remove('/gone', { expectedVersion: 2 })).data.deleteTreeNode).toMatchObject({
      deletedCount: 1,
      deletedPath: '/gone',
    });
    expect((await t.read('/gone')).data.treeNode).toMatchObject({ exists: false, node: null, value: null });
    expect((await t.versions(id)).data.node).toBeNull();
    expect(await t.remove('/gone')).toMatchObject({ code: 'NOT_FOUND' });
    expect((await t.restore('/gone')).data.restoreTreeNode.treeNode).toMatchObject({ id, value: 'two', version: 4 });
    const { nodes } = await historyOf(id);
    expect(nodes.map(({ operation }: { operation: string }) => operation)).toEqual([
      'RESTORE',
      'DELETE',
      'WRITE',
      'WRITE',
    ]);
  });

  test('takes what lies below only when told to, and each of it can come back', async () => {
    for (const path of ['/tree', '/tree/a', '/tree/a/b', '/tree-b', '/treehouse']) await t.put(path, path);
    expect(await t.remove('/tree')).toMatchObject({ code: 'CONFLICT' });
    expect((await t.remove('/tree', { recursive: true })).data.deleteTreeNode.deletedCount).toBe(3);
    expect(await t.paths({ pathPrefix: '/tree' })).toEqual([]);
    expect([await t.value('/tree-b'), await t.value('/treehouse')]).toEqual(['/tree-b', '/treehouse']);
    await t.restore('/tree/a/b');
    expect(await t.paths({ pathPrefix: '/tree' })).toEqual(['/tree/a/b']);
  });

  test('does not need a node at the path itself when recursive, and never takes what is reserved', async () => {
    await w.app.database.query(
      `insert into "TreeNode" (id, "spaceId", path, "parentPath", name, depth, value, "contentType", checksum, "sizeBytes")
       values ('node_x', $1, '/_system/x', '/_system', 'x', 2, '1', 'application/json', '', 1)`,
      [w.otherSpace.id],
    );
    const other = treeOf(w.owner, w.otherSpace.id);
    for (const path of ['/a/b', '/a/c']) await other.put(path, 1);
    expect(await other.remove('/a')).toMatchObject({ code: 'NOT_FOUND' });
    expect((await other.remove('/', { recursive: true })).data.deleteTreeNode.deletedCount).toBe(2);
    expect(await other.paths()).toEqual(['/_system/x']);
  });

  test('makes room: a new node is another one, and the old one waits behind it', async () => {
    await t.put('/again', 'old');
    const id = await idAt('/again');
    await t.remove('/again');
    expect((await t.put('/again', 'new', { expectedVersion: 0 })).data.writeTreeNode.treeNode).toMatchObject({
      version: 1,
    });
    expect(await idAt('/again')).not.toBe(id);
    expect(await t.restore('/again')).toMatchObject({ code: 'BAD_USER_INPUT' });
  });
});

describe('asOf', () => {
  test('answers what stood at a path through writes, moves, deletions and successors', async () => {
    const moments: [Date, unknown, unknown][] = [];
    const remember = (here: unknown, there: unknown) => moments.push([later(), here, there]);
    remember(undefined, undefined);
    await t.put('/time/here', 'first');
    remember('first', undefined);
    await t.put('/time/here', 'second');
    remember('second', undefined);
    await t.move('/time/here', '/time/there');
    remember(undefined, 'second');
    await t.put('/time/here', 'successor');
    remember('successor', 'second');
    await t.remove('/time/there');
    remember('successor', undefined);
    await t.restore('/time/there', { toVersion: 1 });
    remember('successor', 'first');
    await t.remove('/time', { recursive: true });
    remember(undefined, undefined);
    await t.restore('/time/here');
    remember('successor', undefined);
    for (const [at, here, there] of moments)
      expect([at, await t.value('/time/here', at), await t.value('/time/there', at)]).toEqual([at, here, there]);
    const { data } = await t.read('/time/here', { asOf: moments[2]?.[0].toISOString(), default: 5 });
    expect(data.treeNode).toMatchObject({ exists: true, isDefault: false, version: 2, node: null });
    expect(
      (await t.read('/time/here', { asOf: moments[0]?.[0].toISOString(), default: 5 })).data.treeNode,
    ).toMatchObject({ exists: false, isDefault: true, value: 5 });
  });

  test('does not answer another space, nor a stranger', async () => {
    const at = later();
    expect(await treeOf(w.owner, w.otherSpace.id).value('/five', at)).toBeUndefined();
    expect(await treeOf(w.stranger, w.space.id).read('/five', { asOf: at.toISOString() })).toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  test('is right when the clock of another process is behind', async () => {
    later();
    await t.put('/clocks', 'one');
    const between = later();
    await t.put('/clocks', 'two');
    const after = later();
    const behind = await anotherApp(w.databaseUrl, () => new Date(between.getTime() - 60_000));
    await writeTreeNode(contextIn(behind.app, w.editor.viewer), {
      spaceId: w.space.id,
      path: '/clocks',
      value: 'three',
    });
    await behind.close();
    expect([await t.value('/clocks', between), await t.value('/clocks', after)]).toEqual(['one', 'three']);
  });
});
