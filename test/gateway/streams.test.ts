import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { cookieOf, keyOf, logLine, post, send, tokenOf } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { startGateway, type TestGateway } from '../support/gateway.js';
import { socketTo, type TestSocket } from '../support/socket.js';
import { streamFrom, type TestStream } from '../support/stream.js';

let gateway: TestGateway;
let ada: Record<string, string>;
let cleo: Record<string, string>;
let clockOffset = 0;
const open: TestStream[] = [];
beforeAll(async () => {
  gateway = await startGateway({
    corsOrigins: ['https://app.example.com'],
    now: () => new Date(Date.now() + clockOffset),
  });
  [ada, cleo] = await Promise.all([tokenOf(gateway), tokenOf(gateway, 2)]);
});
afterAll(() => gateway.close());
afterEach(() => {
  clockOffset = 0;
  for (const stream of open.splice(0)) stream.leave();
});

const query = `subscription ($spaceId: ID!, $after: EventCursor) { events(spaceId: $spaceId, after: $after) { __typename
  ... on Event { related resource { ... on TreeNode { value } } } ... on Lagged { missed resumeFrom } } }`;
const here = () => ({ spaceId: gateway.demo.spaceId });
const address = () => `${gateway.url}/graphql/stream`;
const asked = (more: object = {}) => JSON.stringify({ query, variables: here(), ...more });
const json = { 'content-type': 'application/json' };
const events = { accept: 'text/event-stream' };
const inParts = { accept: 'multipart/mixed;boundary="graphql";subscriptionSpec=1.0' };

async function put(value: unknown) {
  const write = 'mutation ($input: WriteTreeNodeInput!) { writeTreeNode(input: $input) { eventCursor } }';
  const answer = await post(gateway.url, { query: write, variables: { input: { ...here(), path: '/s', value } } }, ada);
  if (answer.code) throw new Error(answer.text);
}

async function streamed(url: string, init: RequestInit): Promise<TestStream> {
  const stream = await streamFrom(url, init);
  open.push(stream);
  return stream;
}

const distinct = (headers: Record<string, string> = ada) =>
  streamed(address(), { method: 'POST', headers: { ...json, ...events, ...headers }, body: asked() });
const multipart = (headers: Record<string, string> = ada) =>
  streamed(`${gateway.url}/graphql`, { method: 'POST', headers: { ...json, ...inParts, ...headers }, body: asked() });

const reserve = (headers: Record<string, string> = ada) => send(address(), { method: 'PUT', headers });
const named = (token: string) => ({ 'x-graphql-event-stream-token': token });

async function shared(headers: Record<string, string> = ada) {
  const { text: token } = await reserve(headers);
  const stream = await streamed(address(), { headers: { ...events, ...headers, ...named(token) } });
  const operate = (operationId: unknown, more: Record<string, string> = headers, body: object = {}) =>
    send(address(), {
      method: 'POST',
      headers: { ...json, ...more, ...named(token) },
      body: asked({ extensions: { operationId }, ...body }),
    });
  const stop = (operationId: string, more = headers) =>
    send(`${address()}?operationId=${operationId}`, { method: 'DELETE', headers: { ...more, ...named(token) } });
  return { token, stream, operate, stop };
}

describe('a stream each', () => {
  test('says at once that it has begun, and what keeps proxies from holding it back', async () => {
    const stream = await distinct({ ...ada, 'x-request-id': 'stream-7' });
    expect(stream.response.status).toBe(200);
    expect(Object.fromEntries(stream.response.headers)).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
      'x-request-id': 'stream-7',
    });
    await stream.says(/^:\n\nevent: next\ndata: \{"data":\{"events":\{"__typename":"CaughtUp"\}\}\}\n\n/);
    expect(await logLine(gateway, (line) => line['requestId'] === 'stream-7')).toMatchObject({
      message: 'subscription',
    });
  });

  test('tells what is wrong with a document as its only result, and ends', async () => {
    const stream = await streamed(address(), {
      method: 'POST',
      headers: { ...json, ...events, ...ada, 'x-request-id': 'stream-8' },
      body: JSON.stringify({ query: '{ viewer { scopes } }' }),
    });
    expect(await stream.over).toBe('ended');
    expect(stream.text()).toMatch(
      /^:\n\nevent: next\ndata: \{"errors":\[\{"message":"Only subscriptions run here.*"code":"BAD_REQUEST","requestId":"stream-8"\}\}\]\}\n\nevent: complete\ndata:\n\n$/,
    );
  });

  test('is asked for by GET, too, by those whom no foreign page sends', async () => {
    const search = new URLSearchParams({ query, variables: JSON.stringify(here()) });
    const { cookie } = await cookieOf(gateway);
    const forged = await send(`${address()}?${search}`, { headers: { ...events, cookie } });
    expect({ status: forged.status, code: forged.code }).toEqual({ status: 400, code: 'BAD_REQUEST' });
    const stream = await streamed(`${address()}?${search}`, {
      headers: { ...events, cookie, 'graphql-require-preflight': '1' },
    });
    await stream.says(/CaughtUp/);
  });

  test.each<[string, RequestInit, number, string]>([
    ['a body that is no JSON', { headers: { ...json, ...events }, body: '{' }, 400, 'BAD_REQUEST'],
    ['no query', { headers: { ...json, ...events }, body: '{}' }, 400, 'BAD_REQUEST'],
    ['a form', { headers: { ...events, 'content-type': 'text/plain' }, body: '{}' }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
    ['a large body', { headers: { ...json, ...events }, body: ' '.repeat(1024 * 1024 + 1) }, 413, 'PAYLOAD_TOO_LARGE'],
    ['no stream', { headers: json, body: requestWith({ operationId: '1' }) }, 400, 'BAD_REQUEST'],
    [
      'a stream that is not there',
      { headers: { ...json, ...named('gone') }, body: requestWith({ operationId: '1' }) },
      404,
      'NOT_FOUND',
    ],
    ['no operationId', { headers: json, body: requestWith({}) }, 400, 'BAD_REQUEST'],
    ['an operationId of no text', { headers: json, body: requestWith({ operationId: {} }) }, 400, 'BAD_REQUEST'],
    ['a credential that does not count', { headers: { ...json, authorization: 'Bearer x' } }, 401, 'UNAUTHENTICATED'],
  ])('%s is refused as over HTTP', async (_, init, status, code) => {
    const answer = await send(address(), { method: 'POST', ...init });
    expect({ status: answer.status, code: answer.code }).toEqual({ status, code });
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(answer.body.errors[0].extensions.requestId).toBe(answer.headers.get('x-request-id'));
  });

  test('a cookie counts only for pages of origins that we trust', async () => {
    const { cookie } = await cookieOf(gateway);
    for (const [origin, says] of [
      ['https://app.example.com', /CaughtUp/],
      ['https://evil.example', /UNAUTHENTICATED/],
    ] as const) {
      const stream = await distinct({ cookie, origin });
      await stream.says(says);
    }
  });

  test('another method is refused, and pages may ask for those that there are', async () => {
    const answer = await send(address(), { method: 'PATCH', headers: ada });
    expect({ status: answer.status, allow: answer.headers.get('allow') }).toEqual({
      status: 405,
      allow: 'GET, POST, PUT, DELETE',
    });
    const preflight = await send(address(), {
      method: 'OPTIONS',
      headers: { origin: 'https://app.example.com', 'access-control-request-method': 'PUT' },
    });
    expect(preflight.headers.get('access-control-allow-methods')).toBe('GET, POST, PUT, DELETE');
    expect(preflight.headers.get('access-control-allow-headers')).toContain('x-graphql-event-stream-token');
  });
});

/** A request with these extensions. */
function requestWith(extensions: object): string {
  return JSON.stringify({ query: 'subscription { events(spaceId: "x") { __typename } }', extensions });
}

describe('one stream for many subscriptions', () => {
  test('carries each under its id, until it is stopped', async () => {
    const { stream, operate, stop } = await shared();
    expect((await operate('a')).status).toBe(202);
    expect((await operate('b')).status).toBe(202);
    for (const id of ['a', 'b']) await stream.says(new RegExp(`"id":"${id}".*CaughtUp`));
    await put('for both');
    for (const id of ['a', 'b']) await stream.says(new RegExp(`"id":"${id}".*for both`));
    expect((await stop('a')).status).toBe(200);
    await put('for one');
    await stream.says(/"id":"b".*for one/);
    expect(stream.text()).not.toMatch(/"id":"a".*for one/);
    expect((await operate('a')).status).toBe(202);
  });

  test('begins what was asked for before it was there', async () => {
    const { text: token } = await reserve();
    const answer = await send(address(), {
      method: 'POST',
      headers: { ...json, ...ada, ...named(token) },
      body: asked({ extensions: { operationId: 'early' } }),
    });
    expect(answer.status).toBe(202);
    const stream = await streamed(`${address()}?token=${token}`, { headers: { ...events, ...ada } });
    await stream.says(/"id":"early".*CaughtUp/);
  });

  test('ends a subscription that is refused when it begins', async () => {
    const { stream, operate } = await shared();
    await operate('lost', ada, { variables: { spaceId: 'space_00000000000000000000000000' } });
    await stream.says(/"id":"lost".*NOT_FOUND.*\n\nevent: complete\ndata: \{"id":"lost"\}/);
  });

  test('is opened once, and takes an id once at a time', async () => {
    const { token, operate, stream } = await shared();
    const twice = await send(address(), { headers: { ...events, ...ada, ...named(token) } });
    expect({ status: twice.status, code: twice.code }).toEqual({ status: 409, code: 'CONFLICT' });
    await operate('a');
    await stream.says(/CaughtUp/);
    const again = await operate('a');
    expect({ status: again.status, code: again.code }).toEqual({ status: 409, code: 'CONFLICT' });
  });

  test('is for its viewer alone: to others, and once it has ended, there is none', async () => {
    const { token, stream, operate, stop } = await shared();
    const { text: waiting } = await reserve();
    const key = { authorization: keyOf(gateway) };
    for (const headers of [{}, cleo, key]) {
      const answers = [
        await operate('x', headers),
        await stop('x', headers),
        await send(address(), { headers: { ...events, ...headers, ...named(waiting) } }),
      ];
      expect(answers.map(({ code }) => code)).toEqual(['NOT_FOUND', 'NOT_FOUND', 'NOT_FOUND']);
    }
    stream.leave();
    await eventually(async () => expect((await operate('y')).code).toBe('NOT_FOUND'));
    expect((await send(address(), { headers: { ...events, ...ada, ...named(token) } })).code).toBe('NOT_FOUND');
  });

  test('lives as long as the last token that was shown', async () => {
    const cookie = await cookieOf(gateway);
    const token = async () => {
      const { body } = await send(`${gateway.url}/api/auth/token`, { headers: cookie });
      return { authorization: `Bearer ${body.token}` };
    };
    const old = await token();
    const { stream, operate } = await shared(old);
    await operate('a', old);
    const alone = await distinct(old);
    for (const one of [stream, alone]) await one.says(/CaughtUp/);
    clockOffset = 10 * 60_000;
    expect((await operate('b', await token())).status).toBe(202);
    clockOffset = 17 * 60_000;
    await alone.says(/UNAUTHENTICATED/);
    clockOffset = 10 * 60_000;
    await put('afterwards');
    await stream.says(/"id":"a".*afterwards/);
    expect(stream.text()).not.toContain('UNAUTHENTICATED');
  });

  test('has at most 100 subscriptions', async () => {
    const { stream, operate } = await shared();
    for (let at = 0; at < 100; at += 1) expect((await operate(`s${at}`)).status).toBe(202);
    await stream.says(/"id":"s99"/);
    const answer = await operate('more');
    expect({ status: answer.status, code: answer.code }).toEqual({ status: 429, code: 'RATE_LIMITED' });
  });

  test('the place that was kept is given up when nobody comes', async () => {
    const { text: token } = await reserve();
    await eventually(async () => {
      const answer = await send(`${address()}?operationId=x`, {
        method: 'DELETE',
        headers: { ...ada, ...named(token) },
      });
      expect(answer.code).toBe('NOT_FOUND');
    });
  });
});

test('parts are those that clients of Apollo read', async () => {
  const stream = await multipart();
  expect(stream.response.headers.get('content-type')).toBe('multipart/mixed;boundary="graphql";subscriptionSpec=1.0');
  await stream.says(
    /^\r\n--graphql\r\ncontent-type: application\/json; charset=utf-8\r\n\r\n\{"payload":\{"data":\{"events":\{"__typename":"CaughtUp"\}\}\}\}\r\n--graphql/,
  );
});

test('a query is answered as ever to those who would take parts', async () => {
  const answer = await post(
    gateway.url,
    { query: '{ __typename }' },
    { accept: `${inParts.accept}, application/json` },
  );
  expect(answer.body).toEqual({ data: { __typename: 'Query' } });
});

test('sockets and streams count together: 20 for a viewer, and a place is free again when one goes', async () => {
  const input = { name: 'many', scopes: ['events:read'] };
  const create = 'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret } }';
  const { body } = await post(gateway.url, { query: create, variables: { input } }, ada);
  const key = { authorization: `Bearer ${body.data.createApiKey.secret}` };
  const sockets: TestSocket[] = [];
  for (let at = 0; at < 10; at += 1) {
    const socket = await socketTo(gateway.url);
    await socket.init(key);
    sockets.push(socket);
  }
  for (let at = 0; at < 9; at += 1) await (await distinct(key)).says(/CaughtUp/);
  const { text: token } = await reserve(key);
  expect(token).toMatch(/^[\w-]{24}$/);
  const late = await send(address(), { method: 'POST', headers: { ...json, ...events, ...key }, body: asked() });
  expect({ status: late.status, code: late.code, after: late.headers.get('retry-after') }).toEqual({
    status: 503,
    code: 'OVERLOADED',
    after: '1',
  });
  expect((await multipart(key)).response.status).toBe(503);
  for (const { socket } of sockets) socket.terminate();
  await eventually(async () => {
    const stream = await distinct(key);
    expect(stream.response.status).toBe(200);
  });
});

test('there is a beat when there is nothing to say', async () => {
  const streams = [await distinct(), await multipart()];
  await Promise.all([
    streams[0]?.says(/CaughtUp.*\n\n:\n\n$/),
    streams[1]?.says(/CaughtUp.*\r\n--graphql.*\{\}\r\n--graphql$/s),
  ]);
});

test('all are told when the server goes away, and end without having come to their end', async () => {
  const other = await startGateway();
  const key = { authorization: keyOf(other) };
  const body = JSON.stringify({ query, variables: { spaceId: other.demo.spaceId } });
  const events = await streamFrom(`${other.url}/graphql/stream`, {
    method: 'POST',
    headers: { ...json, accept: 'text/event-stream', ...key },
    body,
  });
  const parts = await streamFrom(`${other.url}/graphql`, {
    method: 'POST',
    headers: { ...json, ...inParts, ...key },
    body,
  });
  for (const stream of [events, parts]) await stream.says(/CaughtUp/);
  const began = performance.now();
  await other.close();
  expect(performance.now() - began).toBeLessThan(8_000);
  expect(await Promise.all([events.over, parts.over])).toEqual(['ended', 'ended']);
  const error =
    /\{"message":"The server is shutting down; resume elsewhere\.","extensions":\{"code":"SERVICE_UNAVAILABLE","retryable":true,"resumeFrom":"[\w-]+","requestId":"[\w-]+"\}\}/;
  expect(events.text()).toMatch(error);
  expect(events.text()).not.toContain('complete');
  expect(parts.text()).toMatch(new RegExp(`\\{"payload":null,"errors":\\[${error.source}\\]\\}\r\n--graphql--\r\n$`));
});

describe('who reads slowly', () => {
  const large = 'x'.repeat(200_000);
  const count = 80;

  async function unread(path: string, headers: Record<string, string>): Promise<IncomingMessage> {
    const sent = request(`${gateway.url}${path}`, { method: 'POST', agent: false, headers: { ...json, ...headers } });
    sent.end(asked());
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    return response.pause();
  }

  test.each([
    ['events', '/graphql/stream', events],
    ['parts', '/graphql', inParts],
  ])('of %s has little made ready for them, and misses nothing', async (what, path, accept) => {
    const response = await unread(path, { ...accept, ...ada });
    const reader = await distinct();
    await reader.says(/CaughtUp/);
    for (let at = 1; at <= count; at += 1) await put(`${what} ${at} ${large}`);
    await reader.says(new RegExp(`"${what} ${count} x`));
    let text = '';
    response.on('data', (chunk: Buffer) => {
      text += String(chunk).replace(/x+/g, 'x');
    });
    response.resume();
    // Each was made ready when its turn had come: it has the value of that time.
    const heard = () =>
      [...text.matchAll(new RegExp(`"version":(\\d+)[^x]*?"value":"${what} (\\d+) x`, 'g'))].map(
        ([, version, value]) => ({ version: Number(version), value: Number(value) }),
      );
    await eventually(async () => expect(heard()).toHaveLength(count));
    response.destroy();
    const first = heard()[0]?.version ?? 0;
    expect(heard().map(({ version }) => version - first)).toEqual(Array.from({ length: count }, (_, at) => at));
    expect(heard().filter(({ value }) => value < count).length).toBeLessThan(count / 2);
  });

  test('too slowly hears how much was left out, and has it from there', async () => {
    const response = await unread('/graphql/stream', { ...events, ...ada });
    const reader = await distinct();
    await reader.says(/CaughtUp/);
    const filler = 'x'.repeat(4_000);
    await gateway.app.database.query(
      `insert into "Event" (type, "spaceId", "resourceType", "resourceId", related)
        select 'tree.written', $1, 'TreeNode', 'x', jsonb_build_object('path', '/much', 'version', i, 'filler', $2::text) from generate_series(1, 5000) i`,
      [gateway.demo.spaceId, filler],
    );
    await put('behind it');
    let text = '';
    // The other reads along: it is behind for a while, and misses nothing.
    await reader.says(/behind it/);
    // Who takes nothing for a second is too slow.
    await sleep(1_100);
    response.on('data', (chunk: Buffer) => {
      text += String(chunk).replace(/x+/g, 'x');
    });
    response.resume();
    await eventually(async () => expect(text).toMatch(/"Lagged"/));
    response.destroy();
    const heard = (said: string) =>
      [...said.matchAll(/"path":"\/much"[^}]*?"version":(\d+)/g)].map(([, version]) => Number(version));
    const [, missed, after] = /"missed":(\d+),"resumeFrom":"([\w-]+)"/.exec(text) ?? [];
    const before = heard(text);
    expect(before).toEqual(Array.from({ length: before.length }, (_, at) => at + 1));
    expect(Number(missed)).toBe(5_001 - before.length);
    const resumed = await streamed(address(), {
      method: 'POST',
      headers: { ...json, ...events, ...ada },
      body: asked({ variables: { ...here(), after } }),
    });
    await resumed.says(/behind it/);
    expect(heard(resumed.text())).toEqual(
      Array.from({ length: 5_000 - before.length }, (_, at) => before.length + at + 1),
    );
  });
});
