import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startGateway, type TestGateway } from '../support/gateway.js';
import { encoded, malformedCalls, roots, wrong } from '../support/malformed.js';
import { socketTo } from '../support/socket.js';

let gateway: TestGateway;
let key: string;
let calls: ReturnType<typeof malformedCalls>;
beforeAll(async () => {
  gateway = await startGateway();
  calls = malformedCalls(1_000, gateway.demo.spaceId);
  key = gateway.demo.apiKeys.find(({ name }) => name === 'Everything')?.key ?? '';
}, 30_000);
afterAll(() => gateway.close());

interface Outcome {
  readonly status: number;
  readonly body: {
    readonly data?: Record<string, unknown> | null;
    readonly errors?: readonly { readonly message: string; readonly extensions: { readonly code: string } }[];
  };
}

async function send(
  body: unknown,
  headers: Record<string, string> = { authorization: `Bearer ${key}` },
): Promise<Outcome> {
  const answer = await fetch(`${gateway.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: answer.status, body: (await answer.json()) as Outcome['body'] };
}

const tables = [
  'User',
  'Profile',
  'ApiKey',
  'Organization',
  'OrganizationMember',
  'Invitation',
  'Space',
  'SpaceMember',
  'TreeNode',
  'TreeNodeVersion',
  'Post',
  'Comment',
  'Event',
  'IdempotencyRecord',
];
const contents = async () =>
  Object.fromEntries(
    await Promise.all(
      tables.map(async (table) => {
        const [row] = await gateway.app.database.query(
          `select count(*)::int as rows, md5(string_agg(r, '' order by r)) as hash from "${table}" t, lateral (select (to_jsonb(t) - 'lastUsedAt')::text as r) x`,
          [],
        );
        return [table, row] as const;
      }),
    ),
  );

// biome-ignore format: a table
const ours = new Set([
  'BAD_USER_INPUT', 'NOT_FOUND', 'FORBIDDEN', 'CONFLICT', 'PAYLOAD_TOO_LARGE', 'UNAUTHENTICATED', 'BAD_REQUEST', 'GRAPHQL_PARSE_FAILED', 'GRAPHQL_VALIDATION_FAILED', 'OPERATION_RESOLUTION_FAILURE',
  'COST_ESTIMATED_TOO_EXPENSIVE', 'IDEMPOTENCY_KEY_REUSED', 'MAX_ALIASES_LIMIT', 'MAX_DEPTH_LIMIT', 'MAX_ROOT_FIELDS_LIMIT', 'MAX_DIRECTIVES_LIMIT', 'MAX_SELECTIONS_LIMIT',
]);

test('a thousand malformed calls of every root field are refused by name, and change nothing', async () => {
  const before = await contents();
  const began = performance.now();
  const wrongly: unknown[] = [];
  const codes = new Map<string, number>();
  const queue = Array.from({ length: 1_000 }, (_, at) =>
    calls.malformed(roots[at % roots.length] as (typeof roots)[number]),
  );
  const worker = async () => {
    for (let call = queue.pop(); call; call = queue.pop()) {
      const { status, body } = await send(call);
      for (const { extensions } of body.errors ?? []) codes.set(extensions.code, (codes.get(extensions.code) ?? 0) + 1);
      const typed = (body.errors ?? []).every(({ extensions }) => ours.has(extensions.code));
      const refused = (body.errors?.length ?? 0) > 0 || call.query.startsWith('query');
      if (!typed || !refused || status >= 500)
        wrongly.push([
          call.query,
          JSON.stringify(call.variables).slice(0, 300),
          status,
          JSON.stringify(body).slice(0, 300),
        ]);
    }
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  expect(wrongly).toEqual([]);
  expect(await contents()).toEqual(before);
  expect(roots.length).toBeGreaterThan(35);
  expect(codes.get('BAD_USER_INPUT')).toBeGreaterThan(300);
  expect(performance.now() - began).toBeLessThan(60_000);
  expect(gateway.lines.filter((line) => line.includes('"level":"error"'))).toEqual([]);
}, 90_000);

test('subscriptions that are asked for wrongly are refused the same way', async () => {
  const socket = await socketTo(gateway.url);
  await socket.init({ authorization: `Bearer ${key}` });
  const { spaceId } = gateway.demo;
  const asked: [string, object][] = [
    ...(wrong['EventCursor'] ?? []).map((after): [string, object] => [
      'subscription ($spaceId: ID!, $after: EventCursor) { events(spaceId: $spaceId, after: $after) { __typename } }',
      { spaceId, after },
    ]),
    ...(wrong['TreePath'] ?? []).map((path): [string, object] => [
      'subscription ($spaceId: ID!, $path: TreePath!) { treeChanged(spaceId: $spaceId, pathPrefix: $path) { type } }',
      { spaceId, path },
    ]),
    ...(wrong['ID'] ?? []).map((id): [string, object] => [
      'subscription ($id: ID!) { events(spaceId: $id) { __typename } }',
      { id },
    ]),
  ];
  for (const [at, [query, variables]] of asked.entries()) {
    const [error] = await socket.refusal(query, variables);
    expect([variables, ['BAD_USER_INPUT', 'NOT_FOUND'].includes(`${error?.extensions.code}`)]).toEqual([
      variables,
      true,
    ]);
    // No faster than the socket takes them.
    if (at % 40 === 39) await sleep(1_100);
  }
  socket.close();
}, 60_000);

test('bodies, documents and tokens that are none are refused with a client error', async () => {
  const before = await contents();
  const write = 'mutation ($input: WriteTreeNodeInput!) { writeTreeNode(input: $input) { treeNode { value } } }';
  const nested = (levels: number) =>
    `{"query":${JSON.stringify(write)},"variables":{"input":{"spaceId":"${gateway.demo.spaceId}","path":"/deep","value":${'['.repeat(levels)}${']'.repeat(levels)}}}}`;
  // biome-ignore format: a table
  const bodies = ['', '{', '[]', 'null', '5', '"x"', '{}', '{"query":5}', '{"query":""}', '{"query":"{"}', '{"query":"{ __typename }","variables":[]}', '{"query":"{ __typename }","variables":"x"}', '[{"query":"{ __typename }"}]',
    '{"query":"{ __typename }","operationName":5}', '{"query":"{ nope }"}', '{"query":"query A { __typename } query B { __typename }"}', '{"query":"{ __typename }","operationName":"C"}', '\u0000', '{"query":"\\ud800"}',
    `{"query":"${'{a'.repeat(900)}${'}'.repeat(900)}"}`, `{"query":"{ ${'a '.repeat(3_000)}}"}`, `{"query":"{ viewer { user(${'a:1 '.repeat(500)}) { id } } }"}`, nested(65), nested(5_000), nested(100_000), nested(400_000)];
  for (let n = 0; n < 100; n += 1) {
    const whole = JSON.stringify(calls.malformed(calls.pick(roots)));
    const at = calls.upTo(whole.length - 1);
    bodies.push(
      whole.slice(0, at),
      `${whole.slice(0, at)}${String.fromCharCode(32 + calls.upTo(90))}}${whole.slice(at + 1)}`,
    );
  }
  for (const body of bodies) {
    const { status, body: answer } = await send(body);
    const codes = (answer.errors ?? []).map(({ extensions }) => extensions.code);
    expect([
      body.slice(0, 120),
      status < 500,
      codes.every((code) => ours.has(code)),
      codes.length > 0 || !body.includes('mutation'),
    ]).toEqual([body.slice(0, 120), true, true, true]);
  }
  // biome-ignore format: a table
  const tokens = ['', 'Bearer', 'Bearer ', 'Basic dXNlcjpwYXNz', 'Bearer x', 'Bearer a.b.c', `Bearer ${encoded({ alg: 'none' })}.${encoded({ sub: 'x' })}.`, `Bearer ${key}x`, `Bearer ${key.slice(0, -1)}`, `Bearer ${key} ${key}`, `bearer  ${key.toUpperCase()}`,
    `Bearer ${'x'.repeat(9_000)}`, `Bearer ${encoded('\u0000')}`, 'Bearer canopy_', key];
  for (const authorization of tokens.filter((token) => token.trim() !== '')) {
    const { status, body } = await send({ query: '{ viewer { user { id } } }' }, { authorization });
    expect([authorization, status, body.errors?.[0]?.extensions.code]).toEqual([authorization, 401, 'UNAUTHENTICATED']);
  }
  expect(await contents()).toEqual(before);
}, 30_000);

test('a key named __proto__ goes in and comes out by HTTP', async () => {
  const value = '{"__proto__":{"admin":true},"constructor":null}';
  const query = 'mutation ($input: WriteTreeNodeInput!) { writeTreeNode(input: $input) { treeNode { value } } }';
  const answer = await fetch(`${gateway.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: `{"query":${JSON.stringify(query)},"variables":{"input":{"spaceId":"${gateway.demo.spaceId}","path":"/proto","value":${value}}}}`,
  });
  expect(await answer.text()).toContain(`"value":${value}`);
});
