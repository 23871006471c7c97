import { makeExecutableSchema } from '@graphql-tools/schema';
import { expect, test } from '@jest/globals';
import {
  type GraphQLSchema,
  getIntrospectionQuery,
  getVariableValues,
  parse,
  execute as reference,
  validate,
} from 'graphql';
import type { Ctx } from '../../src/core/context.js';
import { enforceAuth } from '../../src/gateway/directives/enforce.js';
import { operationOf } from '../../src/gateway/documents.js';
import { execute } from '../../src/gateway/execution/execute.js';
import { planOf } from '../../src/gateway/execution/plan.js';
import { maxPlannedFields, plan, run } from '../../src/gateway/execution/run.js';

const later = <T>(value: T, ms = 1) => new Promise<T>((resolve) => setTimeout(resolve, ms, value));
const failing = (message: string, ms = 1) => later(null, ms).then(() => Promise.reject(new Error(message)));

const pets = [
  { __typename: 'Dog', name: 'Rex', barks: true, tags: ['a', null, 'b'] },
  { __typename: 'Cat', name: 'Tom', lives: 9, tags: null },
];

const schema: GraphQLSchema = makeExecutableSchema({
  typeDefs: `
    directive @seen on FIELD
    enum Mood { GOOD BAD }
    input Where { name: String = "any", n: Int! = 3, moods: [Mood!] }
    input One @oneOf { a: Int b: String }
    interface Pet { name: String! tags: [String] }
    type Dog implements Pet { name: String! tags: [String] barks: Boolean friend: Pet strict: [String!]! }
    type Cat implements Pet { name: String! tags: [String] lives: Int! friend: Pet }
    union Any = Dog | Cat
    type Deep { here: String down: Deep must: String! sometimes: String! items: [Deep!]! loose: [Deep] n: Int }
    type Query {
      pets: [Pet!]! anys: [Any] nested: [[Int!]] deep: Deep! maybe: Deep list: [Int] badList: [Int!] notList: [Int]
      echo(where: Where, one: One, ids: [ID!] = ["x"], f: Float): String
      fail: String failLater: String failMust: String! mood: Mood badMood: Mood method: String thrown: [String]
    }
    type Mutation { add(n: Int!): Int! addLater(n: Int!): Int failAdd: Int }
  `,
  resolvers: {
    Query: {
      pets: () => later(pets),
      anys: () => [pets[0], later(pets[1]), null, { __typename: 'Nobody' }, failing('lost')],
      nested: () => [[1, 2], null, [later(3)], [null]],
      deep: () => ({ here: 'x' }),
      maybe: () => later({ here: 'y' }),
      list: () => new Set([1, 2, 3]),
      badList: () => [1, later(null), 3, 'x'],
      notList: () => 5,
      echo: (_: unknown, args: object) => JSON.stringify(args),
      fail: () => {
        throw new Error('now');
      },
      failLater: () => failing('later'),
      failMust: () => failing('must', 2),
      mood: () => 'GOOD',
      badMood: () => 'ODD',
      method: () => new Error('returned'),
      thrown: () => ['a', new Error('inside'), later('c')],
    },
    Deep: {
      down: (parent: { n?: number }) => later({ n: (parent.n ?? 0) + 1 }),
      must: () => null,
      sometimes: () => failing('sometimes'),
      items: (parent: { n?: number }) => [{ n: 1 }, later({ n: parent.n }), { n: 3 }],
      loose: () => [{ n: 1 }, failing('loose'), null],
      here: ({ here }: { here?: string }) => here ?? later('later'),
      n: ({ n }: { n?: number }) => n ?? 0,
    },
    Dog: { friend: () => later(pets[1]), strict: () => ['a', null] },
    Cat: { friend: () => null },
    Mutation: {
      add: (_: unknown, { n }: { n: number }, ctx: { sum: number }) => (ctx.sum += n),
      addLater: async (_: unknown, { n }: { n: number }, ctx: { sum: number }) => {
        await later(null, 3);
        return (ctx.sum += n);
      },
      failAdd: () => failing('no'),
    },
  },
  resolverValidationOptions: { requireResolversForResolveType: 'ignore' },
});

async function both(text: string, variables: Record<string, unknown> = {}) {
  const document = parse(text);
  expect(validate(schema, document)).toEqual([]);
  const operation = operationOf(document, null);
  if (operation instanceof Error) throw operation;
  const { coerced } = getVariableValues(schema, operation.variableDefinitions ?? [], variables);
  const ours = await execute(planOf(schema, document, operation, coerced ?? {}), { sum: 0 }, coerced ?? {});
  const theirs = await reference({ schema, document, contextValue: { sum: 0 }, variableValues: variables });
  const plain = (outcome: object) => {
    const { data, errors = [] } = JSON.parse(JSON.stringify(outcome)) as {
      data: unknown;
      errors?: { path: unknown[]; message: string }[];
    };
    return { data, errors: errors.map((error) => JSON.stringify(error)).sort() };
  };
  return { ours: plain(ours), theirs: plain(theirs) };
}

test.each([
  '{ pets { __typename name tags ... on Dog { barks friend { name } } ... on Cat { lives } } }',
  '{ anys { ... on Pet { name } ... on Cat { lives } __typename } }',
  '{ nested list a: list notList mood }',
  '{ fail failLater ok: mood }',
  '{ failMust mood }',
  '{ mood failMust fail pets { name } }',
  '{ badMood method thrown }',
  '{ deep { here down { n down { n must } } } }',
  '{ maybe { here must sometimes } mood }',
  '{ deep { items { n loose { n here } } } maybe { items { must } } }',
  '{ deep { loose { n must } items { n down { loose { n } } } } }',
  '{ pets { ... on Dog { strict } name } mood }',
  'query { ...F ...F mood } fragment F on Query { pets { ...G } } fragment G on Pet { name ... on Dog { barks } }',
  '{ pets { name } pets { tags } x: mood @seen ... { mood } ... on Query { list } }',
  '{ echo a: echo(where: {}) b: echo(where: { n: 1, moods: GOOD }, ids: "y", f: 2) c: echo(one: { a: 1 }) d: echo(where: null) }',
  '{ __typename __type(name: "Dog") { name fields { name type { name kind } } interfaces { name } } }',
  'mutation { a: addLater(n: 1) b: add(n: 2) failAdd c: addLater(n: 3) d: add(n: 4) }',
])('answers as the reference does: %s', async (text) => {
  const { ours, theirs } = await both(text);
  expect(ours).toEqual(theirs);
});

const switched = `query ($yes: Boolean!, $no: Boolean = false, $where: Where, $ids: [ID!]) {
  mood @include(if: $yes) list @skip(if: $yes) echo(where: $where, ids: $ids) x: echo(where: { name: "v", moods: [GOOD] }, ids: $ids)
  ...F @include(if: $no) ... @skip(if: $no) { pets { name @skip(if: $yes) tags } }
} fragment F on Query { nested }`;

test.each([
  { yes: true },
  { yes: false },
  { yes: true, no: true, where: { n: 5 }, ids: ['a', 'b'] },
  { yes: false, no: true, where: null, ids: 'one' },
  { yes: true, no: false, where: { name: null, moods: 'BAD' } },
])('answers as the reference does with variables %j', async (variables) => {
  const { ours, theirs } = await both(switched, variables);
  expect(ours).toEqual(theirs);
});

test('answers the introspection query as the reference does', async () => {
  const { ours, theirs } = await both(
    getIntrospectionQuery({
      specifiedByUrl: true,
      directiveIsRepeatable: true,
      inputValueDeprecation: true,
      oneOf: true,
    }),
  );
  expect(ours).toEqual(theirs);
});

test('ends with all that it began, and says every reason', async () => {
  const document = parse('{ mood maybe { sometimes must } badList }');
  const operation = operationOf(document, null);
  if (operation instanceof Error) throw operation;
  // The reference leaves a rejection that nobody hears here, which would end a process.
  const { data, errors } = await execute(planOf(schema, document, operation, {}), {}, {});
  expect(data).toEqual({ mood: 'GOOD', maybe: null, badList: null });
  expect(errors?.map(({ path }) => path?.join('.'))).toEqual(expect.arrayContaining(['maybe.must', 'badList.3']));
});

test('refuses a switch that is null', async () => {
  const document = parse('query ($if: Boolean = true) { mood @include(if: $if) }');
  const operation = operationOf(document, null);
  if (operation instanceof Error) throw operation;
  expect(() => planOf(schema, document, operation, { if: null })).toThrow('must not be null');
});

test('begins no further field of a mutation past the deadline, and says so there', async () => {
  const document = parse('mutation { a: addLater(n: 1) b: add(n: 2) c: add(n: 4) }');
  const operation = operationOf(document, null);
  if (operation instanceof Error) throw operation;
  const context = { sum: 0 };
  const { data, errors } = await execute(
    planOf(schema, document, operation, {}),
    context,
    {},
    {
      deadline: performance.now() + 1,
    },
  );
  expect([data, context.sum]).toEqual([null, 1]);
  expect(errors?.map(({ path, originalError }) => [path, originalError])).toEqual([
    [['b'], expect.objectContaining({ code: 'GATEWAY_TIMEOUT' })],
  ]);
});

test('gives the resolvers of a mutation the deadline, and all else of the context', async () => {
  const seen: { sum?: number; deadline?: number }[] = [];
  const resolvers = { Mutation: { add: (_: unknown, __: unknown, ctx: object) => seen.push(ctx) } };
  const typeDefs = 'type Query { a: Int } type Mutation { add: Int }';
  const small = makeExecutableSchema({ typeDefs, resolvers });
  const document = parse('mutation { add }');
  const operation = operationOf(document, null);
  if (operation instanceof Error) throw operation;
  const began = performance.now();
  await run(small, { document, operation, variables: null, ctx: { sum: 7 } as unknown as Ctx });
  expect(seen[0]?.sum).toBe(7);
  expect((seen[0]?.deadline ?? 0) - began).toBeGreaterThan(14_000);
  expect((seen[0]?.deadline ?? 0) - began).toBeLessThan(16_000);
});

test('no schema is built with a role on a type that an interface or a union answers', () => {
  const typeDefs = (on: string) => `enum SpaceRole { ADMIN }
    directive @requiresRole(space: SpaceRole) on FIELD_DEFINITION | OBJECT
    interface Thing { id: ID } type Secret implements Thing ${on} { id: ID } type Query { thing: Thing }`;
  const built = (on: string) => enforceAuth(makeExecutableSchema({ typeDefs: typeDefs(on) }));
  expect(() => built('@requiresRole(space: ADMIN)')).toThrow(
    '@requiresRole cannot stand on Secret, which may be a Thing',
  );
  expect(() => built('')).not.toThrow();
});

test('an answer that grows past all bounds fails as a whole, soon', async () => {
  const wide = makeExecutableSchema({
    typeDefs: 'type Query { all: [Item] } type Item { all: [Item] n: Int }',
    resolvers: {
      Query: { all: () => Array.from({ length: 400 }, () => ({})) },
      Item: { all: () => Array.from({ length: 400 }, () => ({})), n: () => 1 },
    },
  });
  const document = parse('{ all { all { all { n } } } }');
  const operation = operationOf(document, null);
  if (operation instanceof Error) throw operation;
  const outcome = await execute(planOf(wide, document, operation, {}), {}, {});
  expect(outcome.data).toBeNull();
  expect(outcome.errors?.[0]?.originalError).toMatchObject({ code: 'COST_ESTIMATED_TOO_EXPENSIVE' });
  expect(outcome.errors).toHaveLength(1);
});

test('long text counts as much as stored JSON does', async () => {
  const long = makeExecutableSchema({
    typeDefs: 'type Query { texts(n: Int): [String] }',
    resolvers: { Query: { texts: (_: unknown, { n }: { n: number }) => Array(n).fill('x'.repeat(1024 * 1024)) } },
  });
  const answer = (n: number) => {
    const document = parse(`{ texts(n: ${n}) }`);
    const operation = operationOf(document, null);
    if (operation instanceof Error) throw operation;
    return execute(planOf(long, document, operation, {}), {}, {});
  };
  expect((await answer(32)).errors).toBeUndefined();
  const { data, errors } = await answer(33);
  expect(data).toBeNull();
  expect(errors?.[0]?.originalError).toMatchObject({ code: 'COST_ESTIMATED_TOO_EXPENSIVE' });
});

test('plans are remembered while they are used, and make room for others by how many fields they have', async () => {
  const prepared = (text: string) => {
    const document = parse(text);
    const operation = operationOf(document, null);
    if (operation instanceof Error) throw operation;
    return { document, operation, variables: null, ctx: {} as Ctx };
  };
  const planned = ({ document, operation }: ReturnType<typeof prepared>) => {
    const found = plan(schema, document, operation, null);
    return 'plan' in found ? found.plan : null;
  };
  const [used, left] = [prepared('{ mood }'), prepared('{ list }')];
  const [first, other] = [planned(used), planned(left)];
  const fields = Array.from({ length: 1_000 }, (_, at) => `a${at}: name`).join(' ');
  for (let n = 0; n < maxPlannedFields / 2_000 + 5; n += 1) {
    await run(schema, prepared(`query Q${n} { pets { ${fields} } }`));
    expect(planned(used)).toBe(first);
  }
  expect(planned(left)).not.toBe(other);
});
