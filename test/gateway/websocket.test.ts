import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { CloseCode, createClient } from 'graphql-ws';
import pg from 'pg';
import { WebSocket } from 'ws';
import { cookieOf, keyOf, logLine, post, tokenOf } from '../support/client.js';
import { startGateway, type TestGateway } from '../support/gateway.js';
import { socketTo, type TestSocket } from '../support/socket.js';

let gateway: TestGateway;
let ada: { authorization: string };
const open: TestSocket[] = [];
beforeAll(async () => {
  gateway = await startGateway({ corsOrigins: ['https://app.example.com'] });
  ada = await tokenOf(gateway);
});
afterAll(() => gateway.close());
afterEach(() => {
  for (const { socket } of open.splice(0)) socket.terminate();
});

const events =
  'subscription ($spaceId: ID!, $after: EventCursor) { events(spaceId: $spaceId, after: $after) { __typename ... on Event { type related resource { ... on TreeNode { value } } } ... on CaughtUp { cursor } } }';
const write = 'mutation ($input: WriteTreeNodeInput!) { writeTreeNode(input: $input) { eventCursor } }';
const here = () => ({ spaceId: gateway.demo.spaceId });
const put = (value: unknown) =>
  post(gateway.url, { query: write, variables: { input: { ...here(), path: '/socket', value } } }, ada);

async function connected(params: object = ada, options: Parameters<typeof socketTo>[1] = {}): Promise<TestSocket> {
  const socket = await socketTo(gateway.url, options);
  open.push(socket);
  await socket.init(params);
  return socket;
}

test("a client of graphql-ws follows a space's events, leaves and resumes where it was", async () => {
  const client = createClient({
    url: `${gateway.url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: ada,
    lazy: true,
  });
  const follow = (after: string | null) =>
    client.iterate<{ events: Record<string, unknown> }>({ query: events, variables: { ...here(), after } });
  const first = follow(null);
  const { value: start } = await first.next();
  expect(start.data.events).toMatchObject({ __typename: 'CaughtUp', cursor: expect.any(String) });
  const { body } = await put({ litres: 1 });
  // What was said just before the start may come first.
  let event = (await first.next()).value.data.events;
  while ((event.related as { path?: string }).path !== '/socket') event = (await first.next()).value.data.events;
  expect(event).toEqual({
    __typename: 'Event',
    type: 'tree.written',
    related: expect.objectContaining({ path: '/socket' }),
    resource: { value: { litres: 1 } },
  });
  await first.return?.();
  await put({ litres: 2 });
  const second = follow(body.data.writeTreeNode.eventCursor);
  const heard: Record<string, unknown>[] = [];
  const has = (word: string) => heard.some((delivery) => JSON.stringify(delivery).includes(word));
  while (!(has('"version":2') && has('CaughtUp'))) heard.push((await second.next()).value.data.events);
  // While others write, a cursor may stand a little before the change that it came with; nothing after it is missed.
  const versions = heard
    .map(({ related }) => (related ?? {}) as { path?: string; version?: number })
    .filter(({ path }) => path === '/socket')
    .map(({ version }) => version);
  expect(versions).toEqual([...new Set(versions)].sort());
  await second.return?.();
  await client.dispose();
});

describe('a connection is closed with', () => {
  const cases: readonly (readonly [string, number, (socket: TestSocket) => void | Promise<void>])[] = [
    ['4400 after what is no JSON', 4400, ({ say }) => say('hello')],
    ['4400 after a message of unknown type', 4400, ({ say }) => say({ type: 'hello' })],
    ['4400 after a subscription without a query', 4400, ({ say }) => say({ type: 'subscribe', id: '1', payload: {} })],
    [
      '4400 after variables that are no object',
      4400,
      ({ say }) => say({ type: 'subscribe', id: '1', payload: { query: '{ __typename }', variables: 'x' } }),
    ],
    ['4401 when it subscribes before it said who it is', 4401, ({ subscribe }) => subscribe('1', events, here())],
    [
      '4403 when its token is refused',
      4403,
      ({ say }) => say({ type: 'connection_init', payload: { authorization: 'Bearer abc' } }),
    ],
    [
      '4403 when its key is no text',
      4403,
      ({ say }) => say({ type: 'connection_init', payload: { authorization: { $ne: '' } } }),
    ],
    [
      '4403 when it sends two tokens',
      4403,
      ({ say }) => say({ type: 'connection_init', payload: { ...ada, Authorization: ada.authorization } }),
    ],
    ['4408 when it says nothing for three seconds', 4408, () => {}],
    [
      '4409 when it gives two subscriptions one id',
      4409,
      async (socket) => {
        await socket.init(ada);
        socket.subscribe('1', events, here());
        socket.subscribe('1', events, here());
      },
    ],
    [
      '4429 when it says twice who it is',
      4429,
      async (socket) => {
        await socket.init(ada);
        socket.say({ type: 'connection_init' });
      },
    ],
    [
      '4429 when it sends more than fifty messages in a second',
      4429,
      async (socket) => {
        await socket.init(ada);
        for (let at = 0; at < 120; at += 1) socket.say({ type: 'ping' });
      },
    ],
    [
      '4429 when it sends more than fifty pings in a second',
      4429,
      ({ socket }) => {
        for (let at = 0; at < 120; at += 1) socket.ping();
      },
    ],
    ['1009 after a message of more than 1 MiB', 1009, ({ say }) => say('x'.repeat(1024 * 1024 + 1))],
  ];
  test.each(cases)('%s', async (_, code, act) => {
    const socket = await socketTo(gateway.url);
    open.push(socket);
    await act(socket);
    expect((await socket.closed).code).toBe(code);
  });

  test.each([null, 'graphql-ws', 'soap'])('4406 for another sub-protocol: %s', async (protocol) => {
    const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/graphql`, protocol === null ? [] : [protocol]);
    const code = await new Promise((resolve) => {
      socket.on('close', resolve);
      // A client that offered protocols gives up by itself when the server takes none.
      socket.on('error', () => resolve('refused by the client'));
    });
    expect(protocol === null ? [4406] : [4406, 'refused by the client']).toContain(code);
  });

  test('1001 for all when the server goes away', async () => {
    const other = await startGateway();
    const sockets = await Promise.all([socketTo(other.url), socketTo(other.url)]);
    await sockets[0]?.init({ authorization: keyOf(other) });
    sockets[0]?.subscribe('1', events, { spaceId: other.demo.spaceId });
    await sockets[0]?.hear();
    await other.close();
    for (const socket of sockets) expect((await socket.closed).code).toBe(1001);
  });
});

describe('over a socket', () => {
  test.each([
    ['queries', '{ viewer { scopes } }', 'BAD_REQUEST'],
    ['mutations', 'mutation { revokeApiKey(input: { id: "x" }) { revokedApiKeyId } }', 'BAD_REQUEST'],
    ['syntax errors', 'subscription {', 'GRAPHQL_PARSE_FAILED'],
    ['too many tokens', `subscription { ${'a '.repeat(2_001)} }`, 'GRAPHQL_PARSE_FAILED'],
    ['unknown fields', 'subscription { eventz(spaceId: "x") { __typename } }', 'GRAPHQL_VALIDATION_FAILED'],
    [
      'two root fields',
      'subscription { a: events(spaceId: "x") { __typename } b: events(spaceId: "y") { __typename } }',
      'GRAPHQL_VALIDATION_FAILED',
    ],
    [
      'aliases',
      `subscription { events(spaceId: "x") { ${Array.from({ length: 31 }, (_, at) => `a${at}: __typename`).join(' ')} } }`,
      'MAX_ALIASES_LIMIT',
    ],
    [
      'depth',
      `subscription { events(spaceId: "x") { ... on Event { resource { ... on TreeNode ${'{ parent '.repeat(10)}{ id }${' }'.repeat(10)} } } } }`,
      'MAX_DEPTH_LIMIT',
    ],
    [
      'two operations without a name',
      'subscription A { events(spaceId: "x") { __typename } } subscription B { events(spaceId: "x") { __typename } }',
      'OPERATION_RESOLUTION_FAILURE',
    ],
    ['missing variables', events, 'BAD_USER_INPUT'],
    ['a cursor that is none', 'subscription { events(spaceId: "x", after: "?") { __typename } }', 'NOT_FOUND'],
    [
      'a space that does not exist',
      'subscription { events(spaceId: "space_00000000000000000000000000") { __typename } }',
      'NOT_FOUND',
    ],
  ])('%s are refused as over HTTP', async (_, query, code) => {
    const socket = await connected();
    const errors = await socket.refusal(query);
    expect(errors.map(({ extensions }) => extensions.code)).toEqual([code]);
    expect(errors[0]?.extensions.requestId).toMatch(/^[\w-]+$/);
    expect(JSON.stringify(errors)).not.toMatch(/Did you mean/);
    socket.subscribe('after', events, here());
    await socket.hear(({ id, type }) => id === 'after' && type === 'next');
  });

  test('nobody hears nothing: without a credential a subscription is UNAUTHENTICATED', async () => {
    const socket = await connected({});
    expect((await socket.refusal(events, here()))[0]?.extensions.code).toBe('UNAUTHENTICATED');
  });

  test('clients that leave while the server looks up who they are take no place', async () => {
    const query = 'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret } }';
    const input = { name: 'leaves', scopes: ['events:read'] };
    const { body } = await post(gateway.url, { query, variables: { input } }, ada);
    const authorization = `Bearer ${body.data.createApiKey.secret}`;
    const lock = new pg.Client({ connectionString: gateway.databaseUrl });
    await lock.connect();
    await lock.query('begin');
    await lock.query('lock table "ApiKey" in access exclusive mode');
    const sockets = await Promise.all(Array.from({ length: 30 }, () => socketTo(gateway.url)));
    for (const { socket, say } of sockets) {
      say({ type: 'connection_init', payload: { authorization } });
      socket.terminate();
    }
    await sleep(500);
    await lock.end();
    await connected({ authorization });
  });

  test('a cookie counts only for pages of origins that we trust', async () => {
    const { cookie } = await cookieOf(gateway);
    for (const [origin, code] of [
      [undefined, null],
      [gateway.url, null],
      ['https://app.example.com', null],
      ['https://evil.example', 'UNAUTHENTICATED'],
    ] as const) {
      const socket = await connected({}, { headers: { cookie, ...(origin && { origin }) } });
      socket.subscribe('1', events, here());
      const { type, payload } = await socket.hear();
      expect({
        origin,
        code: type === 'error' ? payload[0].extensions.code : (payload.errors?.[0].extensions.code ?? null),
      }).toEqual({ origin, code });
    }
  });

  test('a cookie and a token at once are refused', async () => {
    const socket = await socketTo(gateway.url, { headers: await cookieOf(gateway) });
    socket.say({ type: 'connection_init', payload: ada });
    expect((await socket.closed).code).toBe(CloseCode.Forbidden);
  });

  test('the id of the upgrade is in the log and in errors', async () => {
    const socket = await connected(ada, { headers: { 'x-request-id': 'socket-7' } });
    socket.subscribe('1', `subscription Beds { events(spaceId: "${gateway.demo.spaceId}") { __typename } }`);
    await socket.hear();
    expect(await logLine(gateway, (line) => line['requestId'] === 'socket-7')).toMatchObject({
      message: 'subscription',
      operation: 'Beds',
    });
    expect((await socket.refusal('{ __typename }'))[0]?.extensions.requestId).toBe('socket-7');
  });
});
