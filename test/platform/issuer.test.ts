import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { PrismaPg } from '@prisma/adapter-pg';
import { decodeProtectedHeader } from 'jose';
import { answerOverHttp } from '../../src/gateway/http/auth.js';
import { PrismaClient } from '../../src/generated/prisma/client.js';
import { type BetterAuthIssuerOptions, betterAuthIssuer } from '../../src/platform/issuer/better-auth.js';
import type { Issuer } from '../../src/platform/issuer/issuer.js';
import { oidcTokens } from '../../src/platform/tokens/oidc.js';
import { freshDatabase } from '../support/database.js';

const ORIGIN = 'http://canopy.test';
const PASSWORD = 'correct horse battery';
const generous = { max: 1000, seconds: 60 };

let database: Awaited<ReturnType<typeof freshDatabase>>;
let prisma: PrismaClient;
let issuer: Issuer;

const makeIssuer = (options: Partial<BetterAuthIssuerOptions> = {}) =>
  betterAuthIssuer({
    prisma,
    baseUrl: ORIGIN,
    secret: 'Zk3vN8qLr5xT1wYb7mHc9dGf2sPa6jUe',
    trustedOrigins: ['http://app.test'],
    limits: { signIn: generous, signUp: generous, account: generous },
    ...options,
  });

beforeAll(async () => {
  database = await freshDatabase();
  prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString: database.url }) });
  issuer = makeIssuer();
});

afterAll(async () => {
  await prisma.$disconnect();
  await database.drop();
});

interface Call {
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  readonly address?: string;
  readonly to?: Issuer;
}

async function call(method: string, path: string, { body, headers, address = '192.0.2.1', to = issuer }: Call = {}) {
  const json = body === undefined ? undefined : JSON.stringify(body);
  const type = json === undefined ? undefined : { 'content-type': 'application/json' };
  const request = new Request(`${ORIGIN}/api/auth${path}`, { method, headers: { ...type, ...headers }, body: json });
  const response = await to.handle(request, { address, requestId: 'request-1' });
  const text = await response.text();
  const cookie = response.headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ');
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: text === '' ? null : JSON.parse(text),
    cookie,
  };
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
let people = 0;

async function signUp() {
  const email = `person-${people++}@example.com`;
  await call('POST', '/sign-up/email', { body: { email, password: PASSWORD, name: 'Ada' } });
  return email;
}

async function signIn(email: string, more: Call = {}) {
  const answer = await call('POST', '/sign-in/email', { ...more, body: { email, password: PASSWORD } });
  expect(answer.status).toBe(200);
  const info = await issuer.sessionOf(new Headers({ cookie: answer.cookie }));
  if (!info) throw new Error('The session of a sign-in is not there.');
  return { token: String(answer.body.token), cookie: answer.cookie, headers: answer.headers, ...info };
}

const wrong = (email: string, more: Call = {}) =>
  call('POST', '/sign-in/email', { ...more, body: { email, password: 'not the password' } });

describe('signing up and in', () => {
  test('gives a session, by cookie and by token', async () => {
    const email = await signUp();
    const session = await signIn(email.toUpperCase());
    expect(session).toMatchObject({ email, emailVerified: false, name: 'Ada' });
    expect(await issuer.sessionById(session.sessionId)).toMatchObject({ subject: session.subject, email });
    expect((await call('GET', '/get-session', { headers: bearer(session.token) })).body.user.id).toBe(session.subject);
  });

  test('the cookie is HttpOnly and Lax, and Secure behind https', async () => {
    const email = await signUp();
    const plain = (await signIn(email)).headers.get('set-cookie');
    expect(plain).toMatch(/HttpOnly.*SameSite=Lax/);
    expect(plain).not.toMatch(/Secure/);
    const to = makeIssuer({ baseUrl: 'https://canopy.test' });
    const secure = await call('POST', '/sign-in/email', { to, body: { email, password: PASSWORD } });
    expect(secure.headers.get('set-cookie')).toMatch(/^__Secure-.*HttpOnly; Secure; SameSite=Lax/);
  });

  test('the secret of a session is nowhere in the database, and no page can read it', async () => {
    const { token, cookie } = await signIn(await signUp());
    expect(Buffer.from(token, 'base64url')).toHaveLength(32);
    expect(JSON.stringify(await prisma.issuerSession.findMany())).not.toContain(token);
    expect((await call('GET', '/get-session', { headers: { cookie } })).text).not.toContain(token);
  });

  test('passwords are kept as bcrypt of cost 12', async () => {
    const { subject } = await signIn(await signUp());
    const [account] = await prisma.issuerAccount.findMany({ where: { userId: subject } });
    expect(account?.password).toMatch(/^\$2b\$12\$/);
  });

  test('a taken e-mail gets the same answer as a free one and keeps its password', async () => {
    const email = await signUp();
    const free = { email: 'free@example.com', password: 'another password', name: 'Eve' };
    const answers = await Promise.all(
      [free, { ...free, email }].map((body) => call('POST', '/sign-up/email', { body })),
    );
    expect(answers.map(({ status, body, cookie }) => [status, body.token, cookie, Object.keys(body.user)])).toEqual([
      [200, null, '', Object.keys(answers[0]?.body.user)],
      [200, null, '', Object.keys(answers[0]?.body.user)],
    ]);
    await signIn(email);
  });

  test('two sign-ups at once make one subject', async () => {
    const body = { email: 'twice@example.com', password: PASSWORD, name: 'Ada' };
    await Promise.all([call('POST', '/sign-up/email', { body }), call('POST', '/sign-up/email', { body })]);
    const rows = await prisma.issuerUser.findMany({ where: { email: body.email }, include: { accounts: true } });
    expect(rows.map(({ accounts }) => accounts.length)).toEqual([1]);
  });

  test.each([
    ['73 bytes', 'x'.repeat(73), 'PASSWORD_TOO_LONG'],
    ['37 letters of two bytes', 'é'.repeat(37), 'PASSWORD_TOO_LONG'],
    ['7 characters', 'seven77', 'PASSWORD_TOO_SHORT'],
    ['U+0000', 'null\0null', 'INVALID_TEXT'],
  ])('a password of %s is refused, not cut', async (_, password, reason) => {
    const email = `refused-${people++}@example.com`;
    const answer = await call('POST', '/sign-up/email', { body: { email, password, name: 'Ada' } });
    expect([answer.status, answer.body.errors[0].extensions]).toEqual([
      400,
      { code: 'BAD_USER_INPUT', reason, requestId: 'request-1' },
    ]);
    expect(await prisma.issuerUser.count({ where: { email } })).toBe(0);
  });

  test('a password of 72 bytes works, and one more byte at its end does not', async () => {
    const email = `long-${people++}@example.com`;
    const password = 'é'.repeat(36);
    await call('POST', '/sign-up/email', { body: { email, password, name: 'Ada' } });
    expect((await call('POST', '/sign-in/email', { body: { email, password } })).status).toBe(200);
    expect((await call('POST', '/sign-in/email', { body: { email, password: `${password}x` } })).status).toBe(400);
  });

  test('an unknown account and a wrong password cannot be told apart', async () => {
    const email = await signUp();
    const timed = async (address: string) => {
      const start = performance.now();
      const { status, text } = await wrong(address);
      return { status, text, took: performance.now() - start };
    };
    const known: number[] = [];
    const unknown: number[] = [];
    for (let i = 0; i < 7; i++) {
      const a = await timed(email);
      const b = await timed(`nobody-${i}@example.com`);
      expect([a.status, a.text]).toEqual([401, b.text]);
      known.push(a.took);
      unknown.push(b.took);
    }
    // The quickest of each is what the work takes; a busy machine makes even that longer, by a share of it.
    const [one, other] = [Math.min(...known), Math.min(...unknown)];
    expect(Math.abs(one - other)).toBeLessThan(Math.max(30, one / 4));
  });
});

describe('sessions', () => {
  test('are listed newest first, without those of others', async () => {
    const email = await signUp();
    await signIn(await signUp());
    const first = await signIn(email, { headers: { 'user-agent': 'one' } });
    const second = await signIn(email, { headers: { 'user-agent': 'two' }, address: '198.51.100.7' });
    expect(await issuer.sessions(first.subject)).toMatchObject([
      { sessionId: second.sessionId, userAgent: 'two', address: '198.51.100.7' },
      { sessionId: first.sessionId, userAgent: 'one', address: '192.0.2.1' },
    ]);
  });

  test('end at once when revoked, and only their owner’s', async () => {
    const email = await signUp();
    const [kept, ended] = [await signIn(email), await signIn(email)];
    const other = await signIn(await signUp());
    expect(await issuer.revokeSession(other.subject, ended.sessionId)).toBe(false);
    expect((await call('GET', '/token', { headers: bearer(ended.token) })).status).toBe(200);

    expect(await issuer.revokeSession(ended.subject, ended.sessionId)).toBe(true);
    expect((await call('GET', '/token', { headers: bearer(ended.token) })).status).toBe(401);
    expect((await call('POST', '/refresh', { headers: bearer(ended.token) })).status).toBe(401);
    expect(await issuer.sessionOf(new Headers({ cookie: ended.cookie }))).toBeNull();
    expect(await issuer.sessionById(ended.sessionId)).toBeNull();
    expect(await issuer.sessionById(kept.sessionId)).not.toBeNull();
  });

  test('end with a sign-out and with their subject', async () => {
    const email = await signUp();
    const [one, two] = [await signIn(email), await signIn(email)];
    await call('POST', '/sign-out', { headers: bearer(one.token) });
    expect(await issuer.sessionById(one.sessionId)).toBeNull();
    await issuer.removeSubject(two.subject);
    await issuer.removeSubject(two.subject);
    expect(await issuer.sessionById(two.sessionId)).toBeNull();
    expect((await wrong(email)).status).toBe(401);
  });

  test('end when their time is over', async () => {
    const session = await signIn(await signUp());
    const later = makeIssuer({ now: () => Date.now() + 8 * 24 * 60 * 60_000 });
    expect(await later.sessionById(session.sessionId)).toBeNull();
    expect(await later.sessions(session.subject)).toEqual([]);
  });

  test('of a forged cookie are none', async () => {
    const { cookie } = await signIn(await signUp());
    const forged = cookie.replace(/=.../, '=abc');
    expect(await issuer.sessionOf(new Headers({ cookie: forged }))).toBeNull();
    expect(await issuer.sessionOf(new Headers())).toBeNull();
  });
});

describe('access tokens', () => {
  const verifier = () => oidcTokens({ issuers: [], local: issuer });

  test('verify against the published keys and name the session', async () => {
    const session = await signIn(await signUp());
    const { body } = await call('GET', '/token', { headers: bearer(session.token) });
    expect(body.expiresIn).toBe(900);
    expect(decodeProtectedHeader(body.token)).toMatchObject({ alg: 'EdDSA', typ: 'at+jwt' });
    expect(await verifier().verify(body.token)).toMatchObject({
      issuer: 'canopy',
      subject: session.subject,
      sessionId: session.sessionId,
      email: session.email,
      emailVerified: false,
      name: 'Ada',
    });
    expect((await call('GET', '/jwks')).body).toEqual(await issuer.keys());
    expect(JSON.stringify(await issuer.keys())).not.toContain('"d":');
  });

  test('are for sessions only: a token is no credential for another token', async () => {
    const session = await signIn(await signUp());
    const { body } = await call('GET', '/token', { headers: bearer(session.token) });
    expect((await call('GET', '/token', { headers: bearer(body.token) })).status).toBe(401);
    expect((await call('GET', '/token')).status).toBe(401);
  });

  test('the private keys are encrypted in the database', async () => {
    await issuer.keys();
    expect(JSON.stringify(await prisma.issuerJwks.findMany())).not.toContain('\\"d\\":');
  });
});

describe('refresh', () => {
  test('exchanges the secret and keeps the session', async () => {
    const session = await signIn(await signUp());
    const { body } = await call('POST', '/refresh', { headers: bearer(session.token) });
    expect(body.refreshToken).not.toBe(session.token);
    const next = await call('POST', '/refresh', { headers: bearer(body.refreshToken) });
    expect(next.status).toBe(200);
    expect((await issuer.sessions(session.subject)).map(({ sessionId }) => sessionId)).toEqual([session.sessionId]);
  });

  test('of the same secret at the same time succeeds once and ends nothing', async () => {
    const session = await signIn(await signUp());
    const answers = await Promise.all(
      [1, 2, 3, 4].map(() => call('POST', '/refresh', { headers: bearer(session.token) })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401, 401, 401]);
    expect(await issuer.sessionById(session.sessionId)).not.toBeNull();
  });

  test.each([
    ['POST', '/refresh'],
    ['GET', '/token'],
  ])('with a secret spent a while ago, %s %s ends the whole session', async (method, path) => {
    const session = await signIn(await signUp());
    const { body } = await call('POST', '/refresh', { headers: bearer(session.token) });
    await prisma.issuerSpentToken.updateMany({ data: { spentAt: new Date(Date.now() - 60_000) } });
    expect((await call(method, path, { headers: bearer(session.token) })).status).toBe(401);
    expect((await call('GET', '/token', { headers: bearer(body.refreshToken) })).status).toBe(401);
    expect(await issuer.sessionById(session.sessionId)).toBeNull();
  });
});

describe('limits', () => {
  const limits = { signIn: generous, signUp: generous, account: { max: 3, seconds: 60 } };
  const tooMany = (answer: Awaited<ReturnType<typeof call>>) => {
    expect(answer.status).toBe(429);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(answer.body.errors[0].extensions.code).toBe('RATE_LIMITED');
  };

  test('hold for an account from all addresses and on all instances, known or not', async () => {
    const instances = [makeIssuer({ limits }), makeIssuer({ limits })];
    for (const email of [await signUp(), 'never-seen@example.com']) {
      const attempt = (i: number) => wrong(email, { to: instances[i % 2], address: `203.0.113.${i}` });
      for (const i of [0, 1, 2]) expect((await attempt(i)).status).toBe(401);
      tooMany(await attempt(3));
    }
  });

  test('for an account begin anew with a successful sign-in', async () => {
    const to = makeIssuer({ limits });
    const email = await signUp();
    for (const _ of [1, 2]) await wrong(email, { to });
    await signIn(email, { to });
    for (const _ of [1, 2, 3]) expect((await wrong(email, { to })).status).toBe(401);
    tooMany(await wrong(email, { to }));
  });

  test('hold for an address over all accounts, whatever headers it sends, and for its whole IPv6 network', async () => {
    const to = makeIssuer({ limits: { signIn: { max: 3, seconds: 60 }, account: generous } });
    const attempt = (i: number) =>
      wrong(`many-${i}@example.com`, {
        to,
        address: `2001:db8::${i}`,
        headers: { 'x-forwarded-for': `10.0.0.${i}`, 'x-canopy-address': '10.1.1.1' },
      });
    for (const i of [1, 2, 3]) expect((await attempt(i)).status).toBe(401);
    tooMany(await attempt(4));
    expect((await wrong('many-5@example.com', { to, address: '2001:db8:1::1' })).status).toBe(401);
  });

  test('hold for attempts at the same moment', async () => {
    const to = makeIssuer({ limits: { ...limits, signIn: { max: 4, seconds: 60 }, account: generous } });
    const at = { to, address: '198.51.100.99' };
    const answers = await Promise.all(Array.from({ length: 10 }, (_, i) => wrong(`burst-${i}@example.com`, at)));
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(6);
  });
});

describe('the edge', () => {
  test('a cookie counts from trusted origins only', async () => {
    const { cookie, sessionId } = await signIn(await signUp());
    expect((await call('POST', '/sign-out', { headers: { cookie } })).status).toBe(403);
    for (const origin of ['http://evil.test', 'http://app.test.evil.test', 'null']) {
      expect((await call('POST', '/sign-out', { headers: { cookie, origin } })).status).toBe(403);
    }
    expect(await issuer.sessionById(sessionId)).not.toBeNull();
    expect((await call('POST', '/sign-out', { headers: { cookie, origin: 'http://app.test' } })).status).toBe(200);
  });

  test('a foreign page cannot sign anybody in', async () => {
    const email = await signUp();
    const foreign = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors' };
    for (const headers of [{ ...foreign, origin: 'http://evil.test' }, foreign, { origin: 'http://evil.test' }]) {
      const answer = await call('POST', '/sign-in/email', {
        headers: { ...headers },
        body: { email, password: PASSWORD },
      });
      expect([answer.status, answer.cookie]).toEqual([403, '']);
    }
  });

  test.each([
    ['GET', '/sign-in/email', 405, 'METHOD_NOT_ALLOWED'],
    ['POST', '/update-user', 404, 'NOT_FOUND'],
    ['POST', '/delete-user', 404, 'NOT_FOUND'],
    ['GET', '/list-sessions', 404, 'NOT_FOUND'],
    ['GET', '/../auth/error', 404, 'NOT_FOUND'],
  ])('%s %s is refused', async (method, path, status, code) => {
    const answer = await call(method, path);
    expect([answer.status, answer.body.errors[0].extensions.code]).toEqual([status, code]);
  });

  test.each([
    ['an array', []],
    ['a text', 'text'],
    ['null', null],
    ['numbers for texts', { email: 1, password: 2 }],
    ['a lone surrogate', { email: 'a@example.com', password: 'x\uD800xxxxxxxx' }],
    ['nothing needed', {}],
  ])('a body that is %s is bad input, in the error body of the product', async (_, body) => {
    const answer = await call('POST', '/sign-in/email', { body });
    expect([answer.status, answer.body.errors[0].extensions.code]).toEqual([400, 'BAD_USER_INPUT']);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
  });

  test('a body of more than 16 KiB is not read to its end', async () => {
    expect((await call('POST', '/sign-in/email', { body: { email: 'x'.repeat(20_000) } })).status).toBe(413);
  });

  test('answers over HTTP, and closes the connection of a client that sends without end', async () => {
    const email = await signUp();
    const server = createServer((incoming, outgoing) =>
      answerOverHttp(issuer, incoming, outgoing, { address: incoming.socket.remoteAddress ?? '' }),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo; // a TCP server's address is never a string
    const post = (body: string) =>
      fetch(`http://127.0.0.1:${port}/api/auth/sign-in/email`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
    try {
      const good = await post(JSON.stringify({ email, password: PASSWORD }));
      expect([good.status, good.headers.getSetCookie().length]).toEqual([200, 1]);
      const big = await post(' '.repeat(1_000_000));
      expect([big.status, big.headers.get('connection')]).toEqual([413, 'close']);
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });

  test('without a database every answer is an error, never a sign-out', async () => {
    const gone = new PrismaClient({ adapter: new PrismaPg({ connectionString: 'postgresql://x@127.0.0.1:1/x' }) });
    const { cookie, token, sessionId } = await signIn(await signUp());
    const to = makeIssuer({ prisma: gone });
    await expect(call('GET', '/token', { to, headers: bearer(token) })).rejects.toThrow();
    await expect(call('GET', '/get-session', { to, headers: { cookie } })).rejects.toThrow();
    await expect(to.sessionOf(new Headers({ cookie }))).rejects.toThrow();
    await expect(to.sessionById(sessionId)).rejects.toThrow();
    await gone.$disconnect();
  });
});

test('subjects of the demo world are made once, with a verified e-mail', async () => {
  const demo = { email: 'Demo@example.com', password: PASSWORD, name: 'Demo' };
  const made = await issuer.createSubject(demo);
  expect(await issuer.createSubject({ ...demo, password: 'something else' })).toEqual({ ...made, created: false });
  expect(await signIn('demo@example.com')).toMatchObject({ subject: made.subject, emailVerified: true });
});

test('a sweep removes what has expired and nothing else', async () => {
  const [old, living] = [await signIn(await signUp()), await signIn(await signUp())];
  const past = new Date(Date.now() - 1000);
  await prisma.issuerSession.update({ where: { id: old.sessionId }, data: { expiresAt: past } });
  await prisma.issuerAttempt.updateMany({ data: { endsAt: past } });
  await issuer.sweep();
  expect(
    await prisma.issuerSession.findMany({ where: { id: { in: [old.sessionId, living.sessionId] } } }),
  ).toHaveLength(1);
  expect(await prisma.issuerAttempt.count()).toBe(0);
});
