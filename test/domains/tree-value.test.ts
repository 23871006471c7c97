import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { canonicalJson } from '../../src/core/json.js';
import { seal } from '../../src/domains/tree/value.js';
import type { JsonText } from '../../src/platform/database/database.js';
import { seeded } from '../support/seeded.js';
import { type World, world } from '../support/world.js';

const canonical = (value: unknown) => canonicalJson(value, 'value');
const nested = (levels: number, open = '[', close = ']') =>
  JSON.parse(open.repeat(levels) + (open === '[' ? '' : '1') + close.repeat(levels)) as unknown;

const fits = { code: null };

test('a value has at most 256 KiB as canonical text', () => {
  expect(seal('x'.repeat(256 * 1024 - 2)).sizeBytes).toBe(256 * 1024);
  expect(() => seal('x'.repeat(256 * 1024 - 1))).toThrow(expect.objectContaining({ code: 'PAYLOAD_TOO_LARGE' }));
  expect(seal('é'.repeat(128 * 1024 - 1)).sizeBytes).toBe(256 * 1024);
  expect(() => seal('é'.repeat(128 * 1024))).toThrow(expect.objectContaining({ code: 'PAYLOAD_TOO_LARGE' }));
});

test.each([
  ['[', ']'],
  ['{"a":', '}'],
])('a value has at most 64 levels of %s', (open, close) => {
  expect(seal(nested(64, open, close))).toMatchObject({ checksum: expect.any(String) });
  expect(() => seal(nested(65, open, close))).toThrow(expect.objectContaining({ code: 'BAD_USER_INPUT' }));
});

let w: World;
beforeAll(async () => {
  w = await world();
});
afterAll(() => w.close());
const write =
  'mutation ($input: WriteTreeNodeInput!) { writeTreeNode(input: $input) { treeNode { value checksum sizeBytes } } }';
const patch = 'mutation ($input: PatchTreeNodeInput!) { patchTreeNode(input: $input) { treeNode { value } } }';
const batch = 'mutation ($input: BatchTreeInput!) { batchTree(input: $input) { results { value } } }';
const read =
  'query ($spaceId: ID!, $path: TreePath!, $default: JSON) { treeNode(spaceId: $spaceId, path: $path, default: $default) { value } }';
const put = (path: string, value: unknown) => w.editor.run(write, { input: { spaceId: w.space.id, path, value } });
const get = async (path: string) => (await w.viewer.run(read, { spaceId: w.space.id, path })).data.treeNode.value;

test.each([
  ['U+0000', 'a\u0000'],
  ['a lone high surrogate', '\ud800'],
  ['a lone low surrogate', 'a\udfff'],
])('%s is refused wherever it stands', async (_, text) => {
  for (const value of [text, [text], { [text]: 1 }, { a: { b: [text] } }]) {
    expect(await put('/unsound', value)).toMatchObject({ code: 'BAD_USER_INPUT' });
    expect(await w.viewer.run(read, { spaceId: w.space.id, path: '/unsound', default: value })).toMatchObject({
      code: 'BAD_USER_INPUT',
    });
  }
  expect(await get('/unsound')).toBeNull();
});

test('values that are too large or too deep are refused by every way in, however deep', async () => {
  await put('/limits', {});
  const spaceId = w.space.id;
  const tooDeep = [65, 5_000, 100_000].flatMap((levels) => [nested(levels), nested(levels, '{"a":', '}')]);
  for (const value of tooDeep) {
    expect(await put('/limits', value)).toMatchObject({ code: 'BAD_USER_INPUT' });
    expect(await w.editor.run(patch, { input: { spaceId, path: '/limits', patch: value } })).toMatchObject({
      code: 'BAD_USER_INPUT',
    });
    expect(await w.viewer.run(read, { spaceId, path: '/nowhere', default: value })).toMatchObject({
      code: 'BAD_USER_INPUT',
    });
    expect(
      await w.editor.run(batch, { input: { spaceId, operations: [{ read: { path: '/nowhere', default: value } }] } }),
    ).toMatchObject({ code: 'BAD_USER_INPUT' });
  }
  expect(await put('/limits', 'x'.repeat(256 * 1024 - 1))).toMatchObject({
    code: 'PAYLOAD_TOO_LARGE',
    errors: [{ extensions: { fields: [{ path: 'value' }] } }],
  });
  expect(await get('/limits')).toEqual({});
  expect(await put('/limits', 'x'.repeat(256 * 1024 - 2))).toMatchObject(fits);
  expect(await put('/limits', nested(64))).toMatchObject(fits);
});

test('a patch that makes a value too large leaves it as it was', async () => {
  await put('/grown', { a: 'x'.repeat(200_000) });
  expect(
    await w.editor.run(patch, { input: { spaceId: w.space.id, path: '/grown', patch: { b: 'y'.repeat(100_000) } } }),
  ).toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
  expect(Object.keys(await get('/grown'))).toEqual(['a']);
});

test('__proto__ and its like are keys like any other, in variables and in literals', async () => {
  const text = '{"__proto__":{"admin":true},"constructor":{"prototype":1},"hasOwnProperty":2,"toString":null}';
  await put('/proto/variable', JSON.parse(text));
  await w.editor.run(`mutation { writeTreeNode(input: { spaceId: "${w.space.id}", path: "/proto/literal",
    value: { __proto__: { admin: true }, constructor: { prototype: 1 }, hasOwnProperty: 2, toString: null } }) { treeNode { id } } }`);
  for (const path of ['/proto/variable', '/proto/literal']) {
    expect(JSON.parse(JSON.stringify(await get(path)))).toEqual(JSON.parse(text));
    expect(Object.keys(await get(path))).toContain('__proto__');
  }
  const patched = await w.editor.run(patch, {
    input: {
      spaceId: w.space.id,
      path: '/proto/literal',
      patch: JSON.parse('{"__proto__":{"admin":null,"x":1},"toString":null}'),
    },
  });
  expect(canonical(patched.data.patchTreeNode.treeNode.value)).toBe(
    '{"__proto__":{"x":1},"constructor":{"prototype":1},"hasOwnProperty":2}',
  );
  expect(({} as { admin?: unknown }).admin).toBeUndefined();
});

test('what is sound comes back unchanged', async () => {
  const values = [
    '',
    ' ',
    '\u0001\u001f\u007f',
    '\ufeff\u202e',
    '👨‍👩‍👧‍👦',
    'e\u0301',
    0,
    -1.5e-7,
    1e308,
    2 ** 53,
    true,
    false,
    null,
    [],
    {},
    [[], {}],
    { '': { ' ': [null] } },
    { 10: 1, 9: 2 },
  ];
  for (const value of values) {
    await put('/sound', value);
    expect(await get('/sound')).toEqual(value);
  }
});

test('the checksums of a thousand rows are those of their values, in the node and in its history', async () => {
  const { upTo } = seeded(1_000);
  const make = (index: number) =>
    [
      { n: index, z: 'é'.repeat(upTo(5)), a: upTo(1e6) / 7 },
      [index, { '😀': null, '\ufb33': 1 }],
      `${index}\n"`,
      index * 1e21,
    ][index % 4];
  for (let from = 0; from < 1_000; from += 25) {
    const operations = Array.from({ length: 25 }, (_, i) => ({
      write: { path: `/thousand/${from + i}`, value: make(from + i) },
    }));
    expect(await w.editor.run(batch, { input: { spaceId: w.space.id, operations } })).toMatchObject(fits);
  }
  for (const table of ['"TreeNode"', '"TreeNodeVersion"']) {
    const rows = await w.app.database.query<{ value: JsonText; checksum: string; sizeBytes: number }>(
      `select value, checksum, "sizeBytes" from ${table} where path like '/thousand/%'`,
      [],
    );
    const wrong = rows.filter(({ value, checksum, sizeBytes }) => {
      const text = canonical(value.toJSON());
      return checksum !== createHash('sha256').update(text).digest('hex') || sizeBytes !== Buffer.byteLength(text);
    });
    expect([rows.length, wrong]).toEqual([1_000, []]);
  }
  await w.app.database.query(`update "TreeNode" set value = '{"n":-1}' where path = '/thousand/8'`, []);
  const [tampered] = await w.app.database.query<{ value: JsonText; checksum: string }>(
    `select value, checksum from "TreeNode" where path = '/thousand/8'`,
    [],
  );
  expect(tampered?.checksum).not.toBe(createHash('sha256').update(canonical(tampered?.value.toJSON())).digest('hex'));
});
