import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { cookieOf, keyOf, post, send, tokenOf } from '../support/client.js';
import { startGateway, type TestGateway } from '../support/gateway.js';
import { socketTo, type TestSocket } from '../support/socket.js';

const minuteMs = 60_000;
/** So long may it take until a connection learns that its credential does not count any more, and some patience. */
const soonMs = 5_000 + 5_000;
let later = 0;
let gateway: TestGateway;
const open: TestSocket[] = [];
beforeAll(async () => {
  gateway = await startGateway({ now: () => new Date(Date.now() + later) });
});
afterAll(() => gateway.close());
beforeEach(() => {
  later = 0;
});
afterEach(() => {
  for (const { socket } of open.splice(0)) socket.terminate();
});

const events = 'subscription ($spaceId: ID!) { events(spaceId: $spaceId) { __typename } }';
const createKey =
  'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret apiKey { id version } } }';

async function connected(payload: object): Promise<TestSocket & { expiresAt: string | null }> {
  const one = await socketTo(gateway.url);
  open.push(one);
  one.say({ type: 'connection_init', payload });
  const { payload: greeting } = await one.hear(({ type }) => type === 'connection_ack');
  return { ...one, expiresAt: greeting.expiresAt };
}

async function newKey(as: { authorization: string }, scopes: string[]) {
  const { body } = await post(gateway.url, { query: createKey, variables: { input: { name: 'live', scopes } } }, as);
  const { secret, apiKey } = body.data.createApiKey;
  return { ...apiKey, authorization: `Bearer ${secret}` };
}

const refreshed = async ({ say, hear }: TestSocket, authorization: unknown) => {
  say({ type: 'ping', payload: { authorization } });
  return (await hear(({ type }) => type === 'pong')).payload;
};

const closedSoon = async ({ closed }: TestSocket) => {
  const began = performance.now();
  const { code } = await closed;
  return { code, isSoon: performance.now() - began < soonMs };
};
const forbidden = { code: 4403, isSoon: true };

describe('a connection that does nothing', () => {
  test('ends with 4403 when its token has expired, unless a ping brought the next one', async () => {
    const first = await tokenOf(gateway);
    const [left, kept] = [await connected(first), await connected(first)];
    const end = Date.parse(kept.expiresAt ?? '');
    expect(end - Date.now()).toBeLessThanOrEqual(15 * minuteMs);
    kept.subscribe('1', events, { spaceId: gateway.demo.spaceId });
    await kept.hear(({ type }) => type === 'next');
    later = 10 * minuteMs;
    const { authorization } = await tokenOf(gateway);
    const pong = await refreshed(kept, authorization);
    expect(Date.parse(pong.expiresAt) - end).toBeGreaterThan(9 * minuteMs);
    expect(JSON.stringify(pong)).not.toContain(authorization.slice(7));
    // Past the minute's leeway that clocks are given.
    later = 16 * minuteMs + 30_000;
    expect(await closedSoon(left)).toEqual(forbidden);
    const { body } = await post(
      gateway.url,
      {
        query: 'mutation ($input: WriteTreeNodeInput!) { writeTreeNode(input: $input) { eventCursor } }',
        variables: { input: { spaceId: gateway.demo.spaceId, path: '/kept', value: 1 } },
      },
      { authorization },
    );
    expect(body.errors).toBeUndefined();
    await kept.hear(({ payload }) => payload?.data?.events?.__typename === 'Event');
    expect(kept.socket.readyState).toBe(kept.socket.OPEN);
    later = 27 * minuteMs;
    expect(await closedSoon(kept)).toEqual(forbidden);
  });

  test('ends with 4403 when its session is signed out, or revoked from another one', async () => {
    const cookie = await cookieOf(gateway);
    const { token } = (await send(`${gateway.url}/api/auth/token`, { headers: cookie })).body;
    const [byCookie, byToken] = [
      await socketTo(gateway.url, { headers: cookie }),
      await connected({ authorization: `Bearer ${token}` }),
    ];
    open.push(byCookie);
    await byCookie.init();
    const other = await connected(await tokenOf(gateway));
    await send(`${gateway.url}/api/auth/sign-out`, {
      method: 'POST',
      headers: { ...cookie, origin: gateway.url, 'content-type': 'application/json' },
      body: '{}',
    });
    expect(await Promise.all([byCookie, byToken].map(closedSoon))).toEqual([forbidden, forbidden]);
    expect(other.socket.readyState).toBe(other.socket.OPEN);
    const ada = await tokenOf(gateway);
    const { body } = await post(gateway.url, { query: '{ viewer { sessions { id current } } }' }, ada);
    const gone = body.data.viewer.sessions.filter(({ current }: { current: boolean }) => !current);
    for (const { id } of gone)
      await post(
        gateway.url,
        {
          query: 'mutation ($input: RevokeSessionInput!) { revokeSession(input: $input) { revokedSessionId } }',
          variables: { input: { id } },
        },
        ada,
      );
    expect(await closedSoon(other)).toEqual(forbidden);
  });

  test('ends with 4403 when its key is revoked', async () => {
    const ada = await tokenOf(gateway);
    const key = await newKey(ada, ['events:read']);
    const one = await connected({ authorization: key.authorization });
    expect(one.expiresAt).toBeNull();
    await post(
      gateway.url,
      {
        query: 'mutation ($input: RevokeApiKeyInput!) { revokeApiKey(input: $input) { revokedApiKeyId } }',
        variables: { input: { id: key.id } },
      },
      ada,
    );
    expect(await closedSoon(one)).toEqual(forbidden);
  });
});

describe('a ping with a credential', () => {
  test('may bring the next secret of the same key, and goes on as the same', async () => {
    const ada = await tokenOf(gateway);
    const key = await newKey(ada, ['events:read']);
    const one = await connected({ authorization: key.authorization });
    const { body } = await post(
      gateway.url,
      {
        query: 'mutation ($input: RotateApiKeyInput!) { rotateApiKey(input: $input) { secret } }',
        variables: { input: { id: key.id, version: key.version } },
      },
      ada,
    );
    expect(await refreshed(one, `Bearer ${body.data.rotateApiKey.secret}`)).toEqual({ expiresAt: null });
    one.subscribe('1', events, { spaceId: gateway.demo.spaceId });
    await one.hear(({ type }) => type === 'next');
  });

  const cases: readonly (readonly [string, () => Promise<unknown>])[] = [
    ["another user's", async () => (await tokenOf(gateway, 1)).authorization],
    ['one that does not count', async () => 'Bearer abc'],
    ['no text', async () => ({ $ne: '' })],
    ['a key of the same user', async () => keyOf(gateway)],
    ['nothing', async () => ''],
  ];
  test.each(cases)('ends the connection with 4403 when that is %s', async (_, credential) => {
    const one = await connected(await tokenOf(gateway));
    one.say({ type: 'ping', payload: { authorization: await credential() } });
    expect((await one.closed).code).toBe(4403);
  });

  test('ends a connection with 4403 that came without one, and one with 4401 that has not begun', async () => {
    const { authorization } = await tokenOf(gateway);
    const nobody = await connected({});
    nobody.say({ type: 'ping', payload: { authorization } });
    expect((await nobody.closed).code).toBe(4403);
    const early = await socketTo(gateway.url);
    early.say({ type: 'ping', payload: { authorization } });
    expect((await early.closed).code).toBe(4401);
  });

  test('that has none is answered as it is', async () => {
    const one = await connected(await tokenOf(gateway));
    one.say({ type: 'ping', payload: { at: 7 } });
    expect(await one.hear()).toEqual({ type: 'pong', payload: { at: 7 } });
  });
});
