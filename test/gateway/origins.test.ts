import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { cookieOf, type HttpAnswer, keyOf, legacy, modern, post, send, tokenOf } from '../support/client.js';
import { startGateway, type TestGateway } from '../support/gateway.js';

const friend = 'https://app.example.com';
const stranger = 'https://evil.example';
const forged = 'graphql-require-preflight';

let gateway: TestGateway;
let session: { cookie: string };
beforeAll(async () => {
  gateway = await startGateway({ corsOrigins: [friend], publicUrl: 'https://api.example.com' });
  session = await cookieOf(gateway);
});
afterAll(() => gateway.close());

const who = { query: '{ viewer { user { name } } }' };
const outcome = ({ status, code }: HttpAnswer) => ({ status, code });
const get = (headers: Record<string, string>, query = '{ __typename }') =>
  send(`${gateway.url}/graphql?query=${encodeURIComponent(query)}`, { headers });
const refused = { status: 401, code: 'UNAUTHENTICATED' };

describe('a credential', () => {
  test.each([
    ['a token that is none', { authorization: 'Bearer abc' }],
    ['an unknown scheme', { authorization: 'Basic YTpi' }],
    ['no token at all', { authorization: 'Bearer' }],
    ['an API key that never was', { authorization: `Bearer canopy_uk_${'A'.repeat(43)}` }],
    ['a session that never was', { cookie: 'canopy.session_token=abc.def' }],
  ])('that is invalid is refused even on a public field: %s', async (_, headers) => {
    for (const accept of [modern, legacy]) {
      const answer = await post(gateway.url, { query: '{ __typename }' }, { accept, ...headers });
      expect(outcome(answer)).toEqual(refused);
      expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    }
    expect(outcome(await send(`${gateway.url}/schema.graphql`, { headers }))).toEqual(refused);
  });

  test('in the address is none', async () => {
    const { authorization } = await tokenOf(gateway);
    const answer = await send(
      `${gateway.url}/graphql?query=${encodeURIComponent(who.query)}&access_token=${authorization.slice(7)}`,
    );
    expect(answer.body.data).toEqual({ viewer: null });
  });

  test('comes alone: a cookie and a token at once are refused', async () => {
    expect(outcome(await post(gateway.url, who, { ...session, authorization: keyOf(gateway) }))).toEqual(refused);
    expect(outcome(await post(gateway.url, who, { ...session, ...(await tokenOf(gateway)) }))).toEqual(refused);
  });

  test('that is a cookie counts for our pages and those of trusted origins, and for no other', async () => {
    const name = async (headers: Record<string, string>) =>
      (await post(gateway.url, who, { ...session, ...headers })).body.data.viewer?.user.name ?? null;
    expect(await name({})).toBe('Ada Marsh');
    expect(await name({ origin: gateway.url })).toBe('Ada Marsh');
    expect(await name({ origin: friend })).toBe('Ada Marsh');
    expect(await name({ origin: stranger })).toBeNull();
    expect(await name({ origin: 'null' })).toBeNull();
    expect(await name({ 'sec-fetch-site': 'cross-site' })).toBeNull();
    expect(await name({ origin: `${gateway.url}.evil.example` })).toBeNull();
  });
});

describe('a GET', () => {
  test.each([
    ['with a cookie', () => session],
    ['by a page of another site', () => ({ 'sec-fetch-site': 'cross-site' })],
    ['with an origin', () => ({ origin: stranger })],
    [
      'of an image tag',
      () => ({ ...session, 'sec-fetch-site': 'cross-site', 'sec-fetch-dest': 'image', accept: '*/*' }),
    ],
  ])('that any page could have sent is refused: %s', async (_, headers) => {
    expect(outcome(await get(headers() as Record<string, string>))).toEqual({ status: 400, code: 'BAD_REQUEST' });
    expect(outcome(await get({ ...(headers() as Record<string, string>), [forged]: '1' }))).toEqual({
      status: 200,
      code: null,
    });
  });

  test('of a program needs nothing', async () => {
    expect(outcome(await get({}))).toEqual({ status: 200, code: null });
    expect(outcome(await get({ authorization: keyOf(gateway) }))).toEqual({ status: 200, code: null });
  });
});

test.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'])(
  'a form of another site cannot send %s with a cookie',
  async (type) => {
    const body = '{"query":"mutation { __typename }"}';
    const answer = await send(`${gateway.url}/graphql`, {
      method: 'POST',
      headers: { ...session, 'content-type': type, origin: stranger, [forged]: '1' },
      body,
    });
    expect(outcome(answer)).toEqual({ status: 415, code: 'UNSUPPORTED_MEDIA_TYPE' });
  },
);

describe('pages of other origins', () => {
  const preflight = (origin: string) =>
    send(`${gateway.url}/graphql`, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization, content-type',
      },
    });

  test('may call when they are on the list, with credentials', async () => {
    const { status, headers } = await preflight(friend);
    expect(status).toBe(204);
    expect(headers.get('access-control-allow-origin')).toBe(friend);
    expect(headers.get('access-control-allow-credentials')).toBe('true');
    expect(headers.get('access-control-allow-methods')).toBe('GET, POST');
    expect(headers.get('access-control-allow-headers')).toContain('authorization');
    const answer = await post(gateway.url, who, { origin: friend });
    expect(answer.headers.get('access-control-allow-origin')).toBe(friend);
    expect(answer.headers.get('vary')).toMatch(/origin/i);
    const refusal = await post(gateway.url, '{', { origin: friend });
    expect(refusal.headers.get('access-control-allow-origin')).toBe(friend);
  });

  test.each([
    stranger,
    'null',
    'https://app.example.com.evil.example',
    'http://app.example.com',
    'https://APP.example.com:444',
  ])('may not when they are not: %s', async (origin) => {
    expect((await preflight(origin)).headers.get('access-control-allow-origin')).toBeNull();
    const answer = await post(gateway.url, who, { origin });
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
  });
});

test('an https address tells browsers to stay with https', async () => {
  const answer = await post(gateway.url, who);
  expect(answer.headers.get('strict-transport-security')).toBe('max-age=31536000');
});
