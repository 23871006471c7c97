import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type HttpAnswer, keyOf, legacy, modern, post, send, tokenOf } from '../support/client.js';
import { startGateway, type TestGateway } from '../support/gateway.js';

let gateway: TestGateway;
let ada: { authorization: string };
let reader: { authorization: string };
beforeAll(async () => {
  gateway = await startGateway();
  ada = await tokenOf(gateway);
  reader = { authorization: keyOf(gateway, 1) };
});
afterAll(() => gateway.close());

/** What holds of every refusal, whatever it is about. */
function expectRefusal(answer: HttpAnswer): void {
  expect(answer.headers.get('content-type')).toMatch(/^application\/(graphql-response\+)?json; charset=utf-8$/);
  expect(answer.headers.get('cache-control')).toBe('no-store');
  expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
  expect(answer.headers.get('x-powered-by')).toBeNull();
  expect(answer.headers.get('server')).toBeNull();
  expect(answer.body.errors.length).toBeLessThanOrEqual(5);
  for (const { message, extensions } of answer.body.errors) {
    expect(message.length).toBeLessThanOrEqual(300);
    expect(extensions.requestId).toBe(answer.headers.get('x-request-id'));
  }
  expect(answer.text).not.toMatch(/Did you mean|node_modules|\.ts:|\.js:|<html|stack/i);
}

const aliases = (count: number) => `{ ${Array.from({ length: count }, (_, at) => `a${at}: __typename`).join(' ')} }`;
const read = 'query ($id: ID!) { node(id: $id) { id } }';

/** Requests that are refused as a whole with 400: what, its body, code, and the status under the older media type. */
const wholes: readonly (readonly [string, unknown, string, 200 | 400])[] = [
  ['malformed JSON', '{"query": "{ __typename }"', 'BAD_REQUEST', 400],
  ['an empty body', '', 'BAD_REQUEST', 400],
  ['a body that is null', 'null', 'BAD_REQUEST', 400],
  ['a body that is text', '"{ __typename }"', 'BAD_REQUEST', 400],
  ['a batch', [{ query: '{ __typename }' }], 'BAD_REQUEST', 400],
  ['no query', {}, 'BAD_REQUEST', 400],
  ['a query that is no text', { query: { a: 1 } }, 'BAD_REQUEST', 400],
  ['variables that are a list', { query: '{ __typename }', variables: [1] }, 'BAD_REQUEST', 400],
  ['variables that are text', { query: '{ __typename }', variables: '{}' }, 'BAD_REQUEST', 400],
  ['an operationName that is no text', { query: '{ __typename }', operationName: 7 }, 'BAD_REQUEST', 400],
  ['extensions that are text', { query: '{ __typename }', extensions: 'x' }, 'BAD_REQUEST', 400],
  ['a syntax error', { query: '{ viewer' }, 'GRAPHQL_PARSE_FAILED', 200],
  ['more than 2,000 tokens', { query: `{ ${'__typename '.repeat(2_001)} }` }, 'GRAPHQL_PARSE_FAILED', 200],
  ['a field that does not exist', { query: '{ viewr { scopes } }' }, 'GRAPHQL_VALIDATION_FAILED', 200],
  [
    'fifty fields that do not exist',
    { query: `{ ${Array.from({ length: 50 }, (_, at) => `viewer${at}`).join(' ')} }` },
    'MAX_ROOT_FIELDS_LIMIT',
    200,
  ],
  [
    'many wrong fields with long names',
    { query: `{ viewer { ${Array.from({ length: 20 }, (_, at) => `${'x'.repeat(500)}${at}`).join(' ')} } }` },
    'GRAPHQL_VALIDATION_FAILED',
    200,
  ],
  [
    'an enum value that is nearly one',
    { query: 'mutation { createInvitation(input: { email: "a@b.c", role: MEMBR }) { token } }' },
    'GRAPHQL_VALIDATION_FAILED',
    200,
  ],
  [
    'an unknown input field',
    { query: 'mutation { deleteUser(input: { idd: "x" }) { eventCursor } }' },
    'GRAPHQL_VALIDATION_FAILED',
    200,
  ],
  ['a variable of the wrong type', { query: read, variables: { id: { $gt: '' } } }, 'BAD_USER_INPUT', 200],
  ['a variable that is missing', { query: read }, 'BAD_USER_INPUT', 200],
  [
    'a long list of wrong variables',
    {
      query: 'query ($ids: [ID!]!) { nodes(ids: $ids) { id } }',
      variables: { ids: Array.from({ length: 60 }, () => ({})) },
    },
    'BAD_USER_INPUT',
    200,
  ],
  ['a long wrong variable', { query: read, variables: { id: ['x'.repeat(5_000)] } }, 'BAD_USER_INPUT', 200],
  [
    'an operation of another name',
    { query: 'query A { __typename }', operationName: 'B' },
    'OPERATION_RESOLUTION_FAILURE',
    200,
  ],
  [
    'several operations and no name',
    { query: 'query A { __typename } query B { __typename }' },
    'OPERATION_RESOLUTION_FAILURE',
    200,
  ],
  ['no operation at all', { query: 'fragment F on Query { __typename }' }, 'GRAPHQL_VALIDATION_FAILED', 200],
  ['31 aliases of __typename', { query: aliases(31) }, 'MAX_ALIASES_LIMIT', 200],
  ['a subscription', { query: 'subscription { events(spaceId: "x") { __typename } }' }, 'BAD_REQUEST', 200],
];

describe('requests that are refused as a whole', () => {
  test.each(wholes)('%s', async (_, body, code, olderStatus) => {
    const answer = await post(gateway.url, body, ada);
    expect({ status: answer.status, code: answer.code }).toEqual({ status: 400, code });
    expect(answer.body.data).toBeUndefined();
    expectRefusal(answer);
    const older = await post(gateway.url, body, { ...ada, accept: legacy });
    expect({ status: older.status, code: older.code }).toEqual({ status: olderStatus, code });
    expectRefusal(older);
  });

  test.each(['PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD'])('the method %s', async (method) => {
    const answer = await send(`${gateway.url}/graphql`, { method });
    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toBe('GET, POST');
    if (method !== 'HEAD') expect(answer.code).toBe('METHOD_NOT_ALLOWED');
  });

  test('a mutation by GET', async () => {
    const query = encodeURIComponent('mutation { revokeApiKey(input: { id: "x" }) { revokedApiKeyId } }');
    const answer = await send(`${gateway.url}/graphql?query=${query}`, { headers: ada });
    expect({ status: answer.status, code: answer.code, allow: answer.headers.get('allow') }).toEqual({
      status: 405,
      code: 'METHOD_NOT_ALLOWED',
      allow: 'POST',
    });
    expectRefusal(answer);
  });

  test('variables of a GET that are no JSON object', async () => {
    for (const variables of ['{', '[]', '"x"', '7']) {
      const answer = await send(
        `${gateway.url}/graphql?query=%7B__typename%7D&variables=${encodeURIComponent(variables)}`,
      );
      expect({ status: answer.status, code: answer.code }).toEqual({ status: 400, code: 'BAD_REQUEST' });
      expectRefusal(answer);
    }
  });

  test('an address where nothing is', async () => {
    for (const path of [
      '/graphq',
      '/graphql/',
      '/.env',
      '/api/data/nothing',
      '/api',
      '/graphiql/../package.json',
      '/%2e%2e/package.json',
    ]) {
      const answer = await send(`${gateway.url}${path}`, {
        method: 'POST',
        headers: { 'content-type': legacy },
        body: '{}',
      });
      expect({ path, status: answer.status, code: answer.code }).toEqual({ path, status: 404, code: 'NOT_FOUND' });
      expectRefusal(answer);
    }
  });

  test('an answer that no client could want', async () => {
    const answer = await post(gateway.url, { query: '{ __typename }' }, { accept: 'text/html' });
    expect({ status: answer.status, code: answer.code }).toEqual({ status: 400, code: 'BAD_REQUEST' });
    expectRefusal(answer);
  });
});

const write = 'mutation ($input: WriteTreeNodeInput!) { writeTreeNode(input: $input) { treeNode { version } } }';
const inSpace = (more: object) => ({ input: { spaceId: gateway.demo.spaceId, path: '/edge', value: 1, ...more } });

/** Fields that are refused inside an answer of status 200. */
const fields: readonly (readonly [string, () => object, () => object, string])[] = [
  [
    'no credential on a protected field',
    () => ({ query: '{ viewer { scopes } a: events(spaceId: "x") { endCursor: __typename } }' }),
    () => ({}),
    'UNAUTHENTICATED',
  ],
  ['a scope that is too small', () => ({ query: write, variables: inSpace({}) }), () => reader, 'FORBIDDEN'],
  [
    'a thing that does not exist',
    () => ({ query: write, variables: inSpace({ spaceId: 'space_00000000000000000000000000' }) }),
    () => ada,
    'NOT_FOUND',
  ],
  [
    'a value that is refused',
    () => ({ query: write, variables: inSpace({ path: 'no-slash' }) }),
    () => ada,
    'BAD_USER_INPUT',
  ],
  [
    'text that no database can hold',
    () => ({ query: '{ tree(spaceId: "a\\u0000b", pathPrefix: "/") { nodes { id } } }' }),
    () => ada,
    'BAD_USER_INPUT',
  ],
  [
    'a stale version',
    () => ({ query: write, variables: inSpace({ path: '/', expectedVersion: 99 }) }),
    () => ada,
    'CONFLICT',
  ],
];

describe('fields that are refused inside an answer', () => {
  test.each(fields)('%s', async (_, body, headers, code) => {
    for (const accept of [modern, legacy]) {
      const answer = await post(gateway.url, body(), { accept, ...(headers() as Record<string, string>) });
      expect({ status: answer.status, code: answer.code }).toEqual({ status: 200, code });
      expectRefusal(answer);
    }
  });

  test('a role that is too small, which is named', async () => {
    const cleo = await tokenOf(gateway, 2);
    const answer = await post(gateway.url, { query: write, variables: inSpace({}) }, cleo);
    expect({ status: answer.status, code: answer.code }).toEqual({ status: 200, code: 'FORBIDDEN' });
    expect(answer.body.errors[0].message).toMatch(/EDITOR.*VIEWER/);
  });

  test('the same idempotency key with other arguments', async () => {
    const keyed = (value: number) => ({
      query:
        'mutation ($input: WriteTreeNodeInput!) { writeTreeNode(input: $input) @idempotent(key: "edge-1") { treeNode { version } } }',
      variables: inSpace({ value }),
    });
    expect((await post(gateway.url, keyed(1), ada)).code).toBeNull();
    const answer = await post(gateway.url, keyed(2), ada);
    expect({ status: answer.status, code: answer.code }).toEqual({ status: 200, code: 'IDEMPOTENCY_KEY_REUSED' });
  });

  test('what is hidden and what does not exist are the same bytes', async () => {
    const ask = (spaceId: string) =>
      post(
        gateway.url,
        { query: write, variables: { input: { spaceId, path: '/x', value: 1 } } },
        { ...outsider, 'x-request-id': 'same' },
      );
    const outsider = await newcomer();
    const [hidden, absent] = [await ask(gateway.demo.spaceId), await ask('space_01h455vb4pex5vsknk084sn02q')];
    expect(hidden.text).toBe(absent.text);
  });

  async function newcomer(): Promise<{ authorization: string }> {
    const account = { name: 'Noor', email: 'noor@example.org', password: 'correct horse battery' };
    await gateway.app.issuer.createSubject(account);
    return tokenOf({ ...gateway, demo: { ...gateway.demo, accounts: [account] } });
  }
});
