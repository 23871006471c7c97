import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { keyOf, post } from '../support/client.js';
import { startGateway, type TestGateway } from '../support/gateway.js';

let gateway: TestGateway;
let reader: { authorization: string };
beforeAll(async () => {
  gateway = await startGateway();
  reader = { authorization: keyOf(gateway) };
});
afterAll(() => gateway.close());

const many = (count: number, make: (at: number) => string) =>
  Array.from({ length: count }, (_, at) => make(at)).join(' ');
const nested = (levels: number) => `${'{ parent '.repeat(levels)}{ id }${' }'.repeat(levels)}`;
const node = (selection: string) => `{ node(id: "x") { ... on TreeNode ${selection} } }`;
/** Fragments of which each spreads the next one twice: 2 to the power of `levels` fields. */
const doubling = (levels: number) =>
  `{ node(id: "x") { ...F0 } } ${many(levels, (at) => `fragment F${at} on Node { ...F${at + 1} ...F${at + 1} }`)} fragment F${levels} on Node { id }`;

const broken: readonly (readonly [string, string, string])[] = [
  ['31 aliases', `{ ${many(31, (at) => `a${at}: __typename`)} }`, 'MAX_ALIASES_LIMIT'],
  [
    '31 aliases in a fragment',
    `{ ...F } fragment F on Query { ${many(31, (at) => `a${at}: __typename`)} }`,
    'MAX_ALIASES_LIMIT',
  ],
  [
    '16 aliases in a fragment that is spread twice',
    `{ ...F x: node(id: "x") { id } ...F } fragment F on Query { ${many(16, (at) => `a${at}: __typename`)} }`,
    'MAX_ALIASES_LIMIT',
  ],
  ['13 levels', node(nested(11)), 'MAX_DEPTH_LIMIT'],
  [
    '13 levels through fragments',
    `{ node(id: "x") { ...A } } fragment A on TreeNode ${nested(5)} fragment B on TreeNode ${nested(1)}`.replace(
      '{ id }',
      '{ parent { parent { parent { parent { parent { parent { id } } } } } } }',
    ),
    'MAX_DEPTH_LIMIT',
  ],
  ['levels hidden in inline fragments', node(`{ ... { parent { ... ${nested(10)} } } }`), 'MAX_DEPTH_LIMIT'],
  ['21 root fields', `{ ${many(21, () => '__typename')} }`, 'MAX_ROOT_FIELDS_LIMIT'],
  [
    '21 root fields through fragments',
    `{ ...F ...F ...F } fragment F on Query { ${many(7, () => '__typename')} }`,
    'MAX_ROOT_FIELDS_LIMIT',
  ],
  [
    '51 directives',
    `{ ${many(17, () => '__typename @include(if: true) @skip(if: false) @include(if: true)')} }`,
    'MAX_DIRECTIVES_LIMIT',
  ],
  [
    '51 directives in a fragment',
    `{ node(id: "x") { ...F } } fragment F on Node { ${many(51, () => 'id @include(if: true)')} }`,
    'MAX_DIRECTIVES_LIMIT',
  ],
  [
    'directives on an operation',
    `query ${many(51, () => '@include(if: true)')} { __typename }`,
    'MAX_DIRECTIVES_LIMIT',
  ],
  ['16,384 selections in fifteen fragments', doubling(14), 'MAX_SELECTIONS_LIMIT'],
  ['more selections than there are numbers', doubling(100), 'MAX_SELECTIONS_LIMIT'],
  ['a fragment that spreads itself', '{ ...F } fragment F on Query { __typename ...F }', 'GRAPHQL_VALIDATION_FAILED'],
  [
    'fragments that spread each other',
    '{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }',
    'GRAPHQL_VALIDATION_FAILED',
  ],
];

describe('a document is refused, also where fragments hide it, that has', () => {
  test.each(broken)('%s', async (_, query, code) => {
    const answer = await post(gateway.url, { query });
    expect({ status: answer.status, code: answer.code }).toEqual({ status: 400, code });
  });
});

test.each([
  ['30 aliases', `{ ${many(10, (at) => `a${at}: __typename`)} node(id: "x") { ${many(20, (at) => `b${at}: id`)} } }`],
  ['12 levels', node(nested(9))],
  ['20 root fields', `{ ${many(20, () => '__typename')} }`],
  ['50 directives', `{ node(id: "x") { ${many(50, () => 'id @include(if: true)')} } }`],
  ['8,192 selections', doubling(12)],
])('%s pass', async (_, query) => {
  const answer = await post(gateway.url, { query }, reader);
  expect({ status: answer.status, code: answer.code }).toEqual({ status: 200, code: null });
});

/** Documents of 30 kB that older validators choke on, with what they are made of. */
const attacks: readonly (readonly [string, string])[] = [
  ['fields that all have to be compared', `{ node(id: "x") { ${many(1_900, () => 'id')} } }`],
  ['fields with arguments that all have to be compared', `{ ${many(390, () => 'node(id:"x"){id}')} }`],
  ['inline fragments that all have to be compared', `{ node(id: "x") { ${many(390, () => '...{id}')} } }`],
  ['inline fragments in inline fragments', `{ node(id: "x") ${'{ ... '.repeat(600)}{ id }${' }'.repeat(600)} }`],
  [
    'fragments that are compared with fragments',
    `{ node(id: "x") { ${many(180, (at) => `...F${at}`)} } } ${many(180, (at) => `fragment F${at} on Node { id ...F${(at + 1) % 180} }`)}`,
  ],
  [
    'a chain of fragments',
    `{ ...F0 } ${many(180, (at) => `fragment F${at} on Query { ...F${at + 1} ...F${at + 1} }`)} fragment F180 on Query { __typename }`,
  ],
  [
    'variables that nothing uses',
    `query (${many(490, (at) => `$variable_with_a_long_name_${at}: Int`)}) { __typename }`,
  ],
  [
    'fragments that fan out',
    `{ node(id: "x") { ...F0 } } ${many(9, (at) => `fragment F${at} on TreeNode { id path name parent { ...F${at + 1} } children { nodes { ...F${at + 1} } } }`)} fragment F9 on TreeNode { id }`,
  ],
  ['lists in lists', `{ node(id: ${'['.repeat(990)}${']'.repeat(990)}) { id } }`],
  ['one long name', `{ ${'x'.repeat(30_000)} }`],
  ['one long text', `{ node(id: "${'x'.repeat(30_000)}") { id } }`],
  ['only brackets', '{'.repeat(30_000)],
  ['only commas', ','.repeat(30_000)],
];

test.each(attacks)('a document of %s costs little to answer', async (_, query) => {
  await post(gateway.url, { query: '{ __typename }' });
  const began = process.cpuUsage();
  const answer = await post(gateway.url, { query }, reader);
  const { user, system } = process.cpuUsage(began);
  expect((user + system) / 1_000).toBeLessThan(1_500);
  expect(answer.text.length).toBeLessThan(5_000);
});

test('introspection keeps its own depth, and may not be nested without end', async () => {
  const deep = `{ __schema { types { fields ${'{ type { fields '.repeat(4)}{ name }${' } }'.repeat(4)} } } }`;
  expect((await post(gateway.url, { query: deep })).code).toBe('GRAPHQL_VALIDATION_FAILED');
  expect(
    (
      await post(gateway.url, {
        query: '{ __schema { types { fields { type { ofType { ofType { ofType { ofType { name } } } } } } } } }',
      })
    ).code,
  ).toBeNull();
});

test('the limits hold for every operation of a document', async () => {
  const query = `query Small { __typename } query Large { ${many(21, () => '__typename')} }`;
  expect((await post(gateway.url, { query, operationName: 'Small' })).code).toBe('MAX_ROOT_FIELDS_LIMIT');
});
