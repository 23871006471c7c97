import { createHmac } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type CryptoKey, exportJWK, exportSPKI, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose';
import { oidcIssuers, oidcTokens } from '../../src/platform/tokens/oidc.js';
import { TokenError } from '../../src/platform/tokens/tokens.js';

interface Key {
  readonly kid: string;
  readonly alg: string;
  readonly publicKey: CryptoKey;
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
}

async function makeKey(kid: string, alg: string): Promise<Key> {
  const pair = await generateKeyPair(alg, { extractable: true });
  return { kid, alg, ...pair, jwk: { ...(await exportJWK(pair.publicKey)), kid, alg, use: 'sig' } };
}

let rsa: Key;
let ec: Key;
let server: Server;
let url: string;
let published: JWK[];
let requests: string[];
let status: number;
let clock: number;

beforeAll(async () => {
  [rsa, ec] = await Promise.all([makeKey('rsa-1', 'RS256'), makeKey('ec-1', 'ES256')]);
  server = createServer((request, response) => {
    requests.push(request.url ?? '');
    response.writeHead(status, { 'content-type': 'application/json' });
    const isDiscovery = request.url?.endsWith('/openid-configuration');
    response.end(JSON.stringify(isDiscovery ? { issuer: url, jwks_uri: `${url}/keys` } : { keys: published }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // a TCP server's address is never a string
});

afterAll(() => new Promise((resolve) => server.close(resolve)));

beforeEach(() => {
  published = [rsa.jwk, ec.jwk];
  requests = [];
  status = 200;
  clock = Date.now();
});

const seconds = () => Math.floor(clock / 1000);
const claims = (more: JWTPayload = {}): JWTPayload => ({
  iss: url,
  aud: 'api',
  sub: 'ada',
  exp: seconds() + 300,
  ...more,
});

const sign = (payload: JWTPayload, key: Key = rsa, header: Record<string, unknown> = {}) =>
  new SignJWT(payload).setProtectedHeader({ alg: key.alg, kid: key.kid, typ: 'JWT', ...header }).sign(key.privateKey);

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

function verifier(entry: Record<string, unknown> = {}) {
  const issuers = oidcIssuers.parse(JSON.stringify([{ preset: 'oidc', issuer: url, audience: 'api', ...entry }]));
  return oidcTokens({ issuers, now: () => clock });
}

const refused = (reason: 'invalid' | 'unavailable') => expect.objectContaining({ name: 'TokenError', reason });
const invalid = refused('invalid');

test('a good token tells who it is for', async () => {
  const token = await sign(
    claims({ email: 'ada@example.com', email_verified: true, name: 'Ada', sid: 's1', org_id: 'o1' }),
  );
  expect(await verifier().verify(token)).toEqual({
    issuer: url,
    subject: 'ada',
    email: 'ada@example.com',
    emailVerified: true,
    name: 'Ada',
    sessionId: 's1',
    organizationClaim: 'o1',
    scopes: null,
    expiresAt: new Date((seconds() + 300) * 1000),
  });
});

test('an e-mail counts as verified only when the claim is the boolean true', async () => {
  const token = await sign(claims({ email: 'ada@example.com', email_verified: 'true' }));
  expect(await verifier().verify(token)).toMatchObject({ email: 'ada@example.com', emailVerified: false });
});

describe('a forged token is invalid', () => {
  test('when its algorithm is none', async () => {
    const token = `${encode({ alg: 'none', typ: 'JWT', kid: 'rsa-1' })}.${encode(claims())}.`;
    await expect(verifier().verify(token)).rejects.toEqual(invalid);
  });

  test('when the public key was used as an HS256 secret', async () => {
    const head = `${encode({ alg: 'HS256', typ: 'JWT', kid: 'rsa-1' })}.${encode(claims())}`;
    for (const secret of [await exportSPKI(rsa.publicKey), JSON.stringify(rsa.jwk)]) {
      const signature = createHmac('sha256', secret).update(head).digest('base64url');
      await expect(verifier().verify(`${head}.${signature}`)).rejects.toEqual(invalid);
    }
  });

  test('when another key signed it under a known kid', async () => {
    const stranger = await makeKey('rsa-1', 'RS256');
    await expect(verifier().verify(await sign(claims(), stranger))).rejects.toEqual(invalid);
  });

  test('when its payload was changed', async () => {
    const [head, , signature] = (await sign(claims())).split('.');
    const token = `${head}.${encode(claims({ sub: 'eve' }))}.${signature}`;
    await expect(verifier().verify(token)).rejects.toEqual(invalid);
  });

  test('when it carries its own key or names an address for it', async () => {
    const stranger = await makeKey('mine', 'RS256');
    for (const header of [{ jwk: stranger.jwk }, { jku: `${url}/mine` }]) {
      await expect(verifier().verify(await sign(claims(), stranger, header))).rejects.toEqual(invalid);
    }
    expect(requests).not.toContain('/mine');
  });
});

describe('a token is invalid', () => {
  test.each([
    ['for another audience', () => claims({ aud: 'other' })],
    ['without an audience', () => claims({ aud: undefined })],
    ['of an issuer that is not configured', () => claims({ iss: 'https://elsewhere.example' })],
    ['of an issuer with a trailing slash more', () => claims({ iss: `${url}/` })],
    ['without an issuer', () => claims({ iss: undefined })],
    ['without a subject', () => claims({ sub: undefined })],
    ['with an empty subject', () => claims({ sub: '' })],
    ['without an expiry', () => claims({ exp: undefined })],
    ['that expired more than a minute ago', () => claims({ exp: seconds() - 61 })],
    ['that begins to count in more than a minute', () => claims({ nbf: seconds() + 62 })],
  ])('%s', async (_, make) => {
    await expect(verifier().verify(await sign(make()))).rejects.toEqual(invalid);
  });

  test.each([
    ['of another type', { typ: 'logout+jwt' }],
    ['without a kid', { kid: undefined }],
  ])('%s', async (_, header) => {
    await expect(verifier().verify(await sign(claims(), rsa, header))).rejects.toEqual(invalid);
  });

  test('with a crit header that nobody here understands', async () => {
    const token = await new SignJWT(claims())
      .setProtectedHeader({ alg: 'RS256', kid: 'rsa-1', crit: ['exotic'], exotic: 1 })
      .sign(rsa.privateKey, { crit: { exotic: true } });
    await expect(verifier().verify(token)).rejects.toEqual(invalid);
  });

  test('with an algorithm that is not on the issuer’s list', async () => {
    const strict = verifier({ algorithms: ['ES256'] });
    await expect(strict.verify(await sign(claims()))).rejects.toEqual(invalid);
    await expect(strict.verify(await sign(claims(), ec))).resolves.toMatchObject({ subject: 'ada' });
  });

  test('when it is too long to be one', async () => {
    await expect(verifier().verify(await sign(claims({ more: 'x'.repeat(8_192) })))).rejects.toEqual(invalid);
  });

  test.each(['', 'x', 'a.b.c', '..', `${encode([])}.${encode([])}.`, `${encode(null)}.${encode(1)}.x`])(
    'when it is garbage: %j',
    async (token) => {
      await expect(verifier().verify(token)).rejects.toEqual(invalid);
    },
  );
});

test('a clock that is a minute off does no harm', async () => {
  const tokens = verifier();
  await expect(tokens.verify(await sign(claims({ exp: seconds() - 55 })))).resolves.toMatchObject({ subject: 'ada' });
  await expect(tokens.verify(await sign(claims({ nbf: seconds() + 55 })))).resolves.toMatchObject({ subject: 'ada' });
});

test('a token stops to count when it expires, also when it was seen before', async () => {
  const tokens = verifier();
  const token = await sign(claims({ exp: seconds() + 10 }));
  await tokens.verify(token);
  clock += 71_000;
  await expect(tokens.verify(token)).rejects.toEqual(invalid);
});

describe('keys', () => {
  test('are loaded once for many tokens at once, from the discovered address', async () => {
    const tokens = verifier();
    const many = await Promise.all(Array.from({ length: 20 }, (_, i) => sign(claims({ sub: `s${i}` }))));
    await Promise.all(many.map((token) => tokens.verify(token)));
    expect(requests).toEqual(['/.well-known/openid-configuration', '/keys']);
  });

  test('that are new are found as soon as the cooldown allows', async () => {
    const tokens = verifier({ jwksUrl: `${url}/keys` });
    await tokens.verify(await sign(claims()));
    const next = await makeKey('rsa-2', 'RS256');
    published = [next.jwk];
    const token = await sign(claims(), next);
    await expect(tokens.verify(token)).rejects.toEqual(invalid);
    clock += 31_000;
    await expect(tokens.verify(token)).resolves.toMatchObject({ subject: 'ada' });
  });

  test('that are withdrawn stop to count within ten minutes', async () => {
    const tokens = verifier({ jwksUrl: `${url}/keys` });
    const token = await sign(claims({ exp: seconds() + 3600 }));
    await tokens.verify(token);
    published = [ec.jwk];
    clock += 10 * 60_000;
    await expect(tokens.verify(token)).rejects.toEqual(invalid);
  });

  test('that nobody knows do not make one request each', async () => {
    const tokens = verifier({ jwksUrl: `${url}/keys` });
    for (const kid of ['a', 'b', 'c', 'd']) {
      await expect(tokens.verify(await sign(claims(), rsa, { kid }))).rejects.toEqual(invalid);
    }
    expect(requests).toHaveLength(1);
  });

  test('that cannot be had make a token unavailable, not invalid, and it counts when they return', async () => {
    const tokens = verifier({ jwksUrl: `${url}/keys` });
    const token = await sign(claims());
    status = 503;
    await expect(tokens.verify(token)).rejects.toEqual(refused('unavailable'));
    await expect(tokens.verify(token)).rejects.toBeInstanceOf(TokenError);
    expect(requests).toHaveLength(1);
    status = 200;
    clock += 2_000;
    await expect(tokens.verify(token)).resolves.toMatchObject({ subject: 'ada' });
  });

  test('go on to count while their address is down', async () => {
    const tokens = verifier({ jwksUrl: `${url}/keys` });
    await tokens.verify(await sign(claims()));
    status = 500;
    clock += 60 * 60_000;
    await expect(tokens.verify(await sign(claims()))).resolves.toMatchObject({ subject: 'ada' });
    const unknown = await sign(claims(), rsa, { kid: 'unknown' });
    await expect(tokens.verify(unknown)).rejects.toEqual(refused('unavailable'));
  });

  test('behind an address where nothing listens are unavailable', async () => {
    const tokens = verifier({ jwksUrl: 'http://127.0.0.1:1/keys' });
    await expect(tokens.verify(await sign(claims()))).rejects.toEqual(refused('unavailable'));
  });
});

describe('Clerk', () => {
  const clerk = () => verifier({ preset: 'clerk', audience: ['https://app.example.com'] });
  const session = (more: JWTPayload = {}) =>
    sign(
      claims({
        aud: undefined,
        azp: 'https://app.example.com',
        sid: 'sess_1',
        sub: 'user_1',
        v: 2,
        sts: 'active',
        ...more,
      }),
    );

  test('tokens name their page in azp', async () => {
    const token = await session({ o: { id: 'org_1', rol: 'admin', slg: 'acme' } });
    expect(await clerk().verify(token)).toMatchObject({
      subject: 'user_1',
      sessionId: 'sess_1',
      organizationClaim: 'org_1',
    });
    expect(requests).toEqual(['/.well-known/jwks.json']);
  });

  test.each([
    ['for another page', { azp: 'https://evil.example.com' }],
    ['for no page', { azp: undefined }],
    ['of a session that is pending', { sts: 'pending' }],
  ])('tokens %s are invalid', async (_, more) => {
    await expect(clerk().verify(await session(more))).rejects.toEqual(invalid);
  });
});

describe('Cognito', () => {
  const cognito = (more = {}) => verifier({ preset: 'cognito', audience: ['client-1'], ...more });
  const access = (more: JWTPayload = {}) =>
    sign(
      claims({
        aud: undefined,
        client_id: 'client-1',
        token_use: 'access',
        origin_jti: 'origin-1',
        username: 'ada',
        scope: 'openid https://api.example.com/tree:read https://api.example.com/tree:write',
        ...more,
      }),
    );

  test('access tokens name their client in client_id', async () => {
    expect(await cognito().verify(await access())).toMatchObject({ sessionId: 'origin-1', scopes: null });
  });

  test('scopes with the configured prefix limit what the token may do', async () => {
    const limited = cognito({ scopePrefix: 'https://api.example.com/' });
    expect(await limited.verify(await access())).toMatchObject({ scopes: ['tree:read', 'tree:write'] });
    expect(await limited.verify(await access({ scope: 'openid' }))).toMatchObject({ scopes: [] });
  });

  test.each([
    ['ID tokens', { token_use: 'id', aud: 'client-1' }],
    ['tokens of another client', { client_id: 'client-2' }],
  ])('%s are invalid', async (_, more) => {
    await expect(cognito().verify(await access(more))).rejects.toEqual(invalid);
  });
});

describe('Supabase', () => {
  const supabase = () => verifier({ preset: 'supabase', audience: undefined });
  const session = (more: JWTPayload = {}) =>
    sign(
      claims({
        aud: 'authenticated',
        role: 'authenticated',
        session_id: 'session-1',
        email: 'ada@example.com',
        is_anonymous: false,
        user_metadata: { full_name: 'Ada Lovelace', email_verified: true },
        ...more,
      }),
      ec,
    );

  test('tokens are for the audience "authenticated", and metadata that people write themselves vouches for nothing', async () => {
    expect(await supabase().verify(await session())).toMatchObject({
      sessionId: 'session-1',
      name: 'Ada Lovelace',
      email: 'ada@example.com',
      emailVerified: false,
    });
  });

  test.each([
    ['of the page’s public key', { role: 'anon' }],
    ['of the service key', { role: 'service_role' }],
    ['of anonymous visitors', { is_anonymous: true }],
  ])('tokens %s are invalid', async (_, more) => {
    await expect(supabase().verify(await session(more))).rejects.toEqual(invalid);
  });
});

describe('the embedded issuer', () => {
  const local = async (keys: () => Promise<{ keys: JWK[] }>) =>
    oidcTokens({
      issuers: [],
      local: { name: 'canopy', url: 'http://here/api/auth', audience: 'canopy', keys },
      now: () => clock,
    });
  const own = (key: Key, header = {}) =>
    sign(claims({ iss: 'http://here/api/auth', aud: 'canopy', sid: 's1' }), key, { typ: 'at+jwt', ...header });

  test('is asked for its keys without a request, and its tokens have its lasting name', async () => {
    const key = await makeKey('own-1', 'EdDSA');
    const tokens = await local(async () => ({ keys: [key.jwk] }));
    expect(await tokens.verify(await own(key))).toMatchObject({ issuer: 'canopy', subject: 'ada', sessionId: 's1' });
    await expect(tokens.verify(await own(key, { typ: 'JWT' }))).rejects.toEqual(invalid);
    expect(requests).toEqual([]);
  });

  test('without its database is unavailable', async () => {
    const key = await makeKey('own-1', 'EdDSA');
    const tokens = await local(() => Promise.reject(new Error('connection refused')));
    await expect(tokens.verify(await own(key))).rejects.toEqual(refused('unavailable'));
  });
});

describe('OIDC_ISSUERS', () => {
  const parse = (...entries: unknown[]) => oidcIssuers.safeParse(JSON.stringify(entries)).success;
  const good = { preset: 'oidc', issuer: 'https://id.example.com', audience: 'api' };

  afterEach(() => expect(parse(good)).toBe(true));

  test('may be absent', () => expect(oidcIssuers.parse(undefined)).toEqual([]));
  test('must be JSON', () => expect(oidcIssuers.safeParse('{').success).toBe(false));
  test('must name the audience', () => expect(parse({ ...good, audience: undefined })).toBe(false));
  test('must not trust symmetric algorithms', () => expect(parse({ ...good, algorithms: ['HS256'] })).toBe(false));
  test('must not fetch keys in the clear', () =>
    expect(parse({ ...good, jwksUrl: 'http://id.example.com/k' })).toBe(false));
  test('must not name an issuer twice', () => expect(parse(good, good)).toBe(false));
  test('must not have unknown settings', () => expect(parse({ ...good, audiance: 'api' })).toBe(false));
});
