import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type HttpAnswer, legacy, modern, post, send } from '../support/client.js';
import { startGateway, type TestGateway } from '../support/gateway.js';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.close());

const ok = JSON.stringify({ query: '{ __typename }' });
const mib = 1024 * 1024;
const outcome = ({ status, code }: HttpAnswer) => ({ status, code });
const tooLarge = { status: 413, code: 'PAYLOAD_TOO_LARGE' };

function sendBytes(body: Uint8Array<ArrayBuffer> | string, headers: Record<string, string> = {}): Promise<HttpAnswer> {
  return send(`${gateway.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': legacy, accept: modern, ...headers },
    body,
  });
}

describe('the size of a body', () => {
  test('up to 1 MiB passes', async () => {
    const padded = ok.slice(0, -1).padEnd(mib - 1, ' ');
    expect(outcome(await sendBytes(`${padded}}`))).toEqual({ status: 200, code: null });
  });

  test('more is refused, whether it says so or not', async () => {
    const large = JSON.stringify({ query: `{ __typename } #${'x'.repeat(3 * mib)}` });
    expect(outcome(await sendBytes(large))).toEqual(tooLarge);
    const chunks = Readable.toWeb(
      Readable.from(
        (function* () {
          for (let at = 0; at < 48; at += 1) yield Buffer.alloc(64 * 1024, ' ');
        })(),
      ),
    );
    const init = { method: 'POST', headers: { 'content-type': legacy }, body: chunks, duplex: 'half' };
    expect(outcome(await send(`${gateway.url}/graphql`, init as RequestInit))).toEqual(tooLarge);
  });

  test('a small body that unpacks to more is refused, with next to no memory used', async () => {
    const bomb = gzipSync(Buffer.alloc(200 * mib, ' '));
    expect(bomb.length).toBeLessThan(mib);
    const before = process.memoryUsage().rss;
    expect(outcome(await sendBytes(new Uint8Array(bomb), { 'content-encoding': 'gzip' }))).toEqual(tooLarge);
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * mib);
  });

  test('a connection goes on after a refusal', async () => {
    for (let at = 0; at < 5; at += 1) {
      expect(outcome(await sendBytes(' '.repeat(mib + 1)))).toEqual(tooLarge);
      expect(outcome(await sendBytes(ok))).toEqual({ status: 200, code: null });
    }
  });
});

describe('the encoding of a body', () => {
  test.each([
    ['gzip', gzipSync(ok)],
    ['GZIP', gzipSync(ok)],
    ['deflate', deflateSync(ok)],
    ['br', brotliCompressSync(ok)],
    ['identity', Buffer.from(ok)],
  ])('%s is taken', async (encoding, body) => {
    expect(outcome(await sendBytes(new Uint8Array(body), { 'content-encoding': encoding }))).toEqual({
      status: 200,
      code: null,
    });
  });

  test('any other is refused, and so is a body that is not what it says', async () => {
    expect(outcome(await sendBytes(ok, { 'content-encoding': 'zstd' }))).toEqual({
      status: 415,
      code: 'UNSUPPORTED_MEDIA_TYPE',
    });
    expect(
      outcome(await sendBytes(new Uint8Array(gzipSync(gzipSync(ok))), { 'content-encoding': 'gzip, gzip' })),
    ).toEqual({ status: 415, code: 'UNSUPPORTED_MEDIA_TYPE' });
    expect(outcome(await sendBytes(ok, { 'content-encoding': 'gzip' }))).toEqual({ status: 400, code: 'BAD_REQUEST' });
    expect(
      outcome(await sendBytes(new Uint8Array(gzipSync(ok).subarray(0, 20)), { 'content-encoding': 'gzip' })),
    ).toEqual({ status: 400, code: 'BAD_REQUEST' });
  });

  test('bytes that are no UTF-8 are refused instead of changed', async () => {
    const bytes = Buffer.concat([
      Buffer.from('{"query":"{ __typename } #'),
      Buffer.from([0xff, 0xfe]),
      Buffer.from('"}'),
    ]);
    expect(outcome(await sendBytes(new Uint8Array(bytes)))).toEqual({ status: 400, code: 'BAD_REQUEST' });
  });
});

test.each([
  'text/plain',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'application/json; charset=latin1',
  'application/jsonx',
  'application/graphql',
  '',
])('the content type "%s" is refused', async (type) => {
  expect(outcome(await sendBytes(ok, { 'content-type': type }))).toEqual({
    status: 415,
    code: 'UNSUPPORTED_MEDIA_TYPE',
  });
});

test.each([
  'application/json',
  'Application/JSON',
  'application/json; charset=utf-8',
  'application/json;charset=UTF-8',
  'application/json; charset="utf-8"',
])('the content type "%s" is taken', async (type) => {
  expect(outcome(await sendBytes(ok, { 'content-type': type }))).toEqual({ status: 200, code: null });
});

test('JSON keys such as __proto__ are data', async () => {
  const answer = await post(
    gateway.url,
    '{"query":"{ __typename }","__proto__":{"query":1},"constructor":{},"variables":{"__proto__":{"a":1}}}',
  );
  expect(outcome(answer)).toEqual({ status: 200, code: null });
  expect(({} as Record<string, unknown>)['a']).toBeUndefined();
});

/** Sends bytes as they are, and reads until the server closes. */
function raw(bytes: string, end = true): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1', () =>
      end ? socket.end(bytes) : socket.write(bytes),
    );
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk.toString();
    });
    socket.on('close', () => resolve(answer));
    socket.on('error', reject);
  });
}

describe('bytes that are no request we take', () => {
  test.each([
    [
      'headers of more than 16 KiB',
      `GET /graphql HTTP/1.1\r\nhost: a\r\nx-large: ${'x'.repeat(17_000)}\r\n\r\n`,
      '431 Request Header Fields Too Large',
      'BAD_REQUEST',
    ],
    [
      'an address of more than 16 KiB',
      `GET /${'x'.repeat(17_000)} HTTP/1.1\r\nhost: a\r\n\r\n`,
      '431 Request Header Fields Too Large',
      'BAD_REQUEST',
    ],
    ['no HTTP at all', 'hello\r\n\r\n', '400 Bad Request', 'BAD_REQUEST'],
    [
      'two lengths',
      'POST /graphql HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}',
      '400 Bad Request',
      'BAD_REQUEST',
    ],
    [
      'a length and chunks',
      'POST /graphql HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      '400 Bad Request',
      'BAD_REQUEST',
    ],
    [
      'an upgrade to something else',
      'GET /graphql HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n',
      '400 Bad Request',
      'BAD_REQUEST',
    ],
    [
      'an upgrade elsewhere',
      'GET /socket HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n',
      '404 Not Found',
      'NOT_FOUND',
    ],
  ])('%s are refused in our form', async (_, bytes, status, code) => {
    const answer = await raw(bytes, false);
    const [head = '', body = ''] = answer.split('\r\n\r\n');
    expect(head).toContain(`HTTP/1.1 ${status}`);
    expect(head).toMatch(/x-content-type-options: nosniff/);
    expect(head).toMatch(/cache-control: no-store/);
    const { extensions } = JSON.parse(body).errors[0];
    expect(extensions.code).toBe(code);
    expect(head).toContain(`x-request-id: ${extensions.requestId}`);
  });

  test('headers that trickle in are cut off after ten seconds', async () => {
    const began = performance.now();
    const answer = await raw('POST /graphql HTTP/1.1\r\nhost: a\r\nx-slow: ', false);
    expect(answer).toMatch(/^HTTP\/1\.1 408 Request Timeout.*"code":"BAD_REQUEST"/s);
    expect(performance.now() - began).toBeLessThan(20_000);
  }, 40_000);

  test('a client that goes away in the middle of its body leaves nothing behind', async () => {
    const before = gateway.lines.length;
    for (let at = 0; at < 5; at += 1) {
      const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1');
      socket.write(
        'POST /graphql HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"query"',
      );
      await sleep(20);
      socket.destroy();
    }
    expect(outcome(await sendBytes(ok))).toEqual({ status: 200, code: null });
    await sleep(50);
    expect(gateway.lines.slice(before).filter((line) => /"level":"(warn|error)"/.test(line))).toEqual([]);
  });
});
