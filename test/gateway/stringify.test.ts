import { expect, test } from '@jest/globals';
import { stringify } from '../../src/gateway/http/stringify.js';
import { JsonText } from '../../src/platform/database/database.js';

const values: unknown[] = [
  null,
  true,
  false,
  0,
  -0,
  1.5,
  1e21,
  1e-7,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  '',
  'plain',
  'q"uote',
  'back\\slash',
  'line\nbreak',
  '\u0000',
  '\u2028',
  'é',
  '日本語',
  '👩‍👩‍👧',
  'lone \ud800',
  'x'.repeat(499),
  'x'.repeat(501),
  [],
  {},
  [undefined, null, [1]],
  { a: undefined, b: 1 },
  { 'odd "key"': 1, '': 2, ключ: 3 },
  JSON.parse('{"__proto__":1,"constructor":{"toString":2}}'),
  { deep: { deeper: [{ deepest: ['x', { y: 'z' }] }] } },
];

test.each(values.map((value) => [value]))('says of %j what JSON.stringify says', (value) => {
  expect(stringify(value)).toBe(JSON.stringify(value) ?? 'null');
  expect(stringify({ data: [value] })).toBe(JSON.stringify({ data: [value] }));
});

test('puts stored JSON in as it is', () => {
  const text = '{"a":[1,"two",null]}';
  expect(stringify({ data: { value: new JsonText(text) } })).toBe(`{"data":{"value":${text}}}`);
  expect(JSON.stringify({ value: new JsonText(text) })).toBe(`{"value":${text}}`);
});
