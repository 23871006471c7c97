import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import type { RunningApp } from '../../src/app.js';
import { openDatabase } from '../../src/platform/database/pool.js';
import type { OidcIssuer } from '../../src/platform/tokens/oidc.js';
import { eventually } from '../support/eventually.js';
import {
  account,
  anotherProcess,
  ask,
  byCookie,
  byHeader,
  password,
  refusal,
  signIn,
  silent,
} from '../support/sign-in.js';
import { type World, world } from '../support/world.js';

let w: World;
let other: RunningApp;
let jwks: Server;
let keysUp = true;
let trusted: OidcIssuer;
let foreignToken: (claims: JWTPayload) => Promise<string>;

beforeAll(async () => {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const jwk = { ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256' };
  jwks = createServer((_, response) => {
    response.writeHead(keysUp ? 200 : 500, { 'content-type': 'application/json' }).end(JSON.stringify({ keys: [jwk] }));
  });
  await new Promise<void>((resolve) => jwks.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(jwks.address() as AddressInfo).port}`;
  trusted = { preset: 'oidc', issuer, audience: ['api'], jwksUrl: `${issuer}/keys`, scopePrefix: 'canopy:' };
  foreignToken = (claims) =>
    new SignJWT({ iss: issuer, aud: 'api', ...claims })
      .setProtectedHeader({ alg: 'ES256', kid: 'one' })
      .setIssuedAt()
      .setExpirationTime('5 minutes')
      .sign(privateKey);
  w = await world();
  other = await anotherProcess(w.databaseUrl, { oidcIssuers: [trusted] });
});
afterAll(async () => {
  await other.close();
  await w.close();
  await new Promise((resolve) => jwks.close(resolve));
});

test('a session that was revoked is refused at the next request, its access tokens too', async () => {
  const { email } = await account(w.app);
  const { cookie, authorization } = await signIn(w.app, email);
  const viewer = await byHeader(w.app, authorization);
  await Promise.all([byCookie(w.app, cookie), byHeader(other.app, authorization)]);
  const person = w.client(viewer);
  const { data } = await person.run(
    'mutation ($input: RevokeSessionInput!) { revokeSession(input: $input) { revokedSessionId eventCursor } }',
    { input: { id: viewer?.sessionId } },
  );
  expect(data.revokeSession).toEqual({ revokedSessionId: viewer?.sessionId, eventCursor: expect.any(String) });
  await expect(byHeader(w.app, authorization)).rejects.toMatchObject(refusal);
  await expect(byCookie(w.app, cookie)).rejects.toMatchObject(refusal);
  await eventually(() => expect(byHeader(other.app, authorization)).rejects.toMatchObject(refusal));
});

test('signing out ends the access tokens of the session', async () => {
  const { cookie, authorization } = await signIn(w.app, (await account(w.app)).email);
  await Promise.all([byHeader(w.app, authorization), byHeader(other.app, authorization)]);
  expect((await ask(w.app, 'POST', '/sign-out', { cookie }, {})).status).toBe(200);
  await expect(byHeader(w.app, authorization)).rejects.toMatchObject(refusal);
  await eventually(() => expect(byHeader(other.app, authorization)).rejects.toMatchObject(refusal));
});

test('a new password that ends the other sessions ends their access tokens', async () => {
  const { email } = await account(w.app);
  const [stolen, own] = [await signIn(w.app, email), await signIn(w.app, email)];
  await byHeader(w.app, stolen.authorization);
  const change = { currentPassword: password, newPassword: 'another horse battery', revokeOtherSessions: true };
  expect((await ask(w.app, 'POST', '/change-password', { cookie: own.cookie }, change)).status).toBe(200);
  await expect(byHeader(w.app, stolen.authorization)).rejects.toMatchObject(refusal);
});

test('many first sights of one subject at once, in two processes, make one user', async () => {
  const { email, subject } = await account(w.app);
  const signedIn = await Promise.all(Array.from({ length: 6 }, () => signIn(w.app, email)));
  const viewers = await Promise.all(
    signedIn.map(({ authorization }, at) => byHeader(at % 2 ? w.app : other.app, authorization)),
  );
  expect(new Set(viewers.map((viewer) => viewer?.userId)).size).toBe(1);
  expect(await w.app.database.prisma.identity.count({ where: { subject } })).toBe(1);
  expect(
    await w.app.database.prisma.event.count({ where: { type: 'user.created', resourceId: viewers[0]?.userId ?? '' } }),
  ).toBe(1);
});

test("an e-mail address that is another user's does not make two people one", async () => {
  const { email } = await w.app.database.prisma.user.findUniqueOrThrow({ where: { id: w.viewer.id } });
  await account(w.app, { email: email ?? '', name: 'Vera Two' });
  const viewer = await byHeader(w.app, (await signIn(w.app, email ?? '')).authorization);
  expect(viewer?.userId).not.toBe(w.viewer.id);
  const user = await w.app.database.prisma.user.findUniqueOrThrow({ where: { id: viewer?.userId ?? '' } });
  expect(user.email).toBeNull();
  expect(user.handle).toMatch(/^vera-[a-z0-9]+-[0-9a-f]{6}$/);
});

test('an e-mail address that nobody has verified is not kept', async () => {
  const email = 'unverified@example.org';
  await ask(w.app, 'POST', '/sign-up/email', {}, { email, password, name: 'Úna Ó Sé' });
  const viewer = await byHeader(w.app, (await signIn(w.app, email)).authorization);
  expect(await w.app.database.prisma.user.findUniqueOrThrow({ where: { id: viewer?.userId ?? '' } })).toMatchObject({
    email: null,
    handle: 'una-o-se',
    name: 'Úna Ó Sé',
  });
});

test("a trusted issuer's token is a user of ours, within the scopes that it names", async () => {
  const authorization = `Bearer ${await foreignToken({ sub: 'auth|1', name: 'Grace Hopper', email: 'grace@example.net', email_verified: true, scope: 'openid canopy:tree:read', sid: 'theirs' })}`;
  const viewer = await byHeader(other.app, authorization);
  expect(viewer).toMatchObject({ sessionId: null, apiKeyId: null, scopes: new Set(['tree:read']) });
  expect(await w.app.database.prisma.user.findUniqueOrThrow({ where: { id: viewer?.userId ?? '' } })).toMatchObject({
    name: 'Grace Hopper',
    email: 'grace@example.net',
    handle: 'grace',
  });
  await expect(byHeader(w.app, authorization)).rejects.toMatchObject(refusal);
});

test("when an issuer's keys or the database cannot be reached it says so, and signs nobody out", async () => {
  keysUp = false;
  const fresh = await anotherProcess(w.databaseUrl, { oidcIssuers: [trusted] });
  await expect(byHeader(fresh.app, `Bearer ${await foreignToken({ sub: 'auth|2' })}`)).rejects.toMatchObject({
    code: 'SERVICE_UNAVAILABLE',
  });
  keysUp = true;
  await fresh.close();
  const database = openDatabase({ url: 'postgres://nobody@127.0.0.1:1/none', max: 1, log: silent });
  const authorization = `Bearer canopy_uk_${'A'.repeat(43)}`;
  await expect(byHeader({ ...w.app, database }, authorization)).rejects.toMatchObject({
    code: 'SERVICE_UNAVAILABLE',
    details: { retryable: true },
  });
  await database.close();
});

test('a suspended user is refused', async () => {
  const { cookie, authorization } = await signIn(w.app, (await account(w.app)).email);
  const viewer = await byHeader(w.app, authorization);
  await w.app.database.prisma.user.update({ where: { id: viewer?.userId ?? '' }, data: { status: 'SUSPENDED' } });
  w.app.memory.forgetAll();
  await expect(byHeader(w.app, authorization)).rejects.toMatchObject(refusal);
  await expect(byCookie(w.app, cookie)).rejects.toMatchObject(refusal);
});
