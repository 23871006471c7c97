import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { RunningApp } from '../../src/app.js';
import { lastUsed } from '../../src/domains/identity/last-used.js';
import { authenticate } from '../../src/gateway/authenticate.js';
import { eventually } from '../support/eventually.js';
import { account, anotherProcess, byCookie, byHeader, refusal, signIn } from '../support/sign-in.js';
import { type World, world } from '../support/world.js';

let w: World;
let other: RunningApp;
let clockOffset = 0;
const statements: string[] = [];

beforeAll(async () => {
  w = await world({ now: () => new Date(Date.now() + clockOffset) });
  other = await anotherProcess(w.databaseUrl, { observe: (text) => void statements.push(text) });
});
afterAll(async () => {
  await other.close();
  await w.close();
});

async function apiKey(input: object = {}, person = w.editor) {
  const { data, errors } = await person.run(
    'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret apiKey { id version } } }',
    { input: { name: 'robot', scopes: ['tree:read', 'account:read'], ...input } },
  );
  if (!data) throw new Error(JSON.stringify(errors));
  return { ...data.createApiKey.apiKey, authorization: `Bearer ${data.createApiKey.secret}` };
}

test('a request without a credential comes from nobody', async () => {
  expect(await authenticate(w.app, { authorization: null, cookie: null, cookiesAllowed: true })).toBeNull();
  expect(await authenticate(w.app, { cookie: 'theme=dark; lang=en', cookiesAllowed: true })).toBeNull();
});

test('a session cookie and the access tokens of its session are the same user', async () => {
  const { email } = await account(w.app, { name: 'Ada Lovelace' });
  const { cookie, authorization } = await signIn(w.app, email);
  const viewer = await byCookie(w.app, `theme=dark; ${cookie}`);
  expect(viewer).toMatchObject({ apiKeyId: null, organizationId: null, scopes: null, spaceIds: null });
  expect(await byHeader(other.app, authorization)).toMatchObject({
    userId: viewer?.userId,
    sessionId: viewer?.sessionId,
  });
  const user = await w.app.database.prisma.user.findUniqueOrThrow({
    where: { id: viewer?.userId ?? '' },
    include: { profile: true },
  });
  expect(user).toMatchObject({
    name: 'Ada Lovelace',
    email,
    handle: email.split('@')[0],
    profile: { lastLoginAt: expect.any(Date) },
  });
});

test('a cookie that its page may not use is no credential', async () => {
  const { cookie } = await signIn(w.app, (await account(w.app)).email);
  expect(await authenticate(w.app, { cookie, cookiesAllowed: false })).toBeNull();
});

test('two credentials at once are refused', async () => {
  const { cookie, authorization } = await signIn(w.app, (await account(w.app)).email);
  await expect(byCookie(w.app, cookie, authorization)).rejects.toMatchObject(refusal);
});

test.each([
  ['another scheme', 'Basic YTpi'],
  ['no token', 'Bearer '],
  ['two tokens', 'Bearer a b'],
  ['no JWT', 'Bearer abc'],
  ['a JWT that nobody signed', 'Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.'],
  ['an API key that was never made', `Bearer canopy_uk_${'A'.repeat(43)}`],
  ['a token that is too long', `Bearer ${'a'.repeat(9_000)}`],
])('%s is refused', async (_, authorization) => {
  await expect(byHeader(w.app, authorization)).rejects.toMatchObject(refusal);
});

test('a cookie that was tampered with is refused', async () => {
  const { cookie } = await signIn(w.app, (await account(w.app)).email);
  await expect(byCookie(w.app, cookie.replace(/=./, '=x').replace('=x', '=y'))).rejects.toMatchObject(refusal);
});

test('an API key is its owner, within its scopes and spaces', async () => {
  const { id, authorization } = await apiKey({ spaceIds: [w.space.id] });
  const viewer = await byHeader(w.app, authorization);
  expect(viewer).toMatchObject({
    userId: w.editor.id,
    apiKeyId: id,
    organizationId: null,
    sessionId: null,
    expiresAt: null,
  });
  expect(viewer?.scopes).toEqual(new Set(['tree:read', 'account:read']));
  expect(viewer?.spaceIds).toEqual(new Set([w.space.id]));
});

test("an organization's key is the organization", async () => {
  const { id, authorization } = await apiKey({ organizationId: w.organization.id }, w.owner);
  expect(await byHeader(w.app, authorization)).toMatchObject({
    userId: null,
    organizationId: w.organization.id,
    apiKeyId: id,
  });
});

test('a key that was rotated or revoked is refused at the next request, in this process and in others', async () => {
  const { id, version, authorization } = await apiKey();
  await Promise.all([byHeader(w.app, authorization), byHeader(other.app, authorization)]);
  const { data } = await w.editor.run(
    'mutation ($input: RotateApiKeyInput!) { rotateApiKey(input: $input) { secret } }',
    { input: { id, version } },
  );
  await expect(byHeader(w.app, authorization)).rejects.toMatchObject(refusal);
  await eventually(() => expect(byHeader(other.app, authorization)).rejects.toMatchObject(refusal));
  const next = `Bearer ${data.rotateApiKey.secret}`;
  await Promise.all([byHeader(w.app, next), byHeader(other.app, next)]);
  await w.editor.run('mutation ($input: RevokeApiKeyInput!) { revokeApiKey(input: $input) { revokedApiKeyId } }', {
    input: { id },
  });
  await expect(byHeader(w.app, next)).rejects.toMatchObject(refusal);
  await eventually(() => expect(byHeader(other.app, next)).rejects.toMatchObject(refusal));
});

test('what was remembered counts no longer than the credential itself', async () => {
  const { authorization } = await apiKey({ expiresAt: new Date(Date.now() + 60_000).toISOString() });
  const session = await signIn(w.app, (await account(w.app)).email);
  await Promise.all([byHeader(w.app, authorization), byHeader(w.app, session.authorization)]);
  clockOffset = 61_000;
  await expect(byHeader(w.app, authorization)).rejects.toMatchObject(refusal);
  await byHeader(w.app, session.authorization);
  clockOffset = 8 * 24 * 3_600_000;
  await expect(byCookie(w.app, session.cookie)).rejects.toMatchObject(refusal);
  clockOffset = 0;
});

test('a known credential costs no statement and next to no time', async () => {
  const { authorization } = await apiKey();
  const session = await signIn(other.app, (await account(other.app)).email);
  const all = [
    () => byHeader(other.app, authorization),
    () => byHeader(other.app, session.authorization),
    () => byCookie(other.app, session.cookie),
  ];
  for (const one of all) await one();
  await lastUsed(other.app).flush();
  const lookUps = () => statements.filter((text) => /"(ApiKey|Identity|IssuerSession)"/.test(text)).length;
  const before = lookUps();
  const start = process.cpuUsage();
  for (let round = 0; round < 1_000; round += 1) for (const one of all) await one();
  const { user, system } = process.cpuUsage(start);
  expect((user + system) / 1_000 / 3_000).toBeLessThan(0.6);
  expect(lookUps()).toBe(before);
});

test('the last use of a key is known to the minute, and written at most once in it', async () => {
  const { id, authorization } = await apiKey();
  const read = async () =>
    (await w.editor.run(`{ node(id: "${id}") { ... on ApiKey { lastUsedAt } } }`)).data.node.lastUsedAt;
  expect(await read()).toBeNull();
  await byHeader(w.app, authorization);
  await lastUsed(w.app).flush();
  const minute = new Date(Date.now() - (Date.now() % 60_000)).toISOString();
  const first = await read();
  expect(Math.abs(Date.parse(first) - Date.parse(minute))).toBeLessThanOrEqual(60_000);
  expect(Date.parse(first) % 60_000).toBe(0);
  clockOffset = 120_000;
  await byHeader(w.app, authorization);
  await lastUsed(w.app).flush();
  clockOffset = 0;
  expect(Date.parse(await read()) - Date.parse(first)).toBeGreaterThanOrEqual(60_000);
});

test('refused credentials are in the audit log, a few a minute for each address', async () => {
  const from = { requestId: 'r', ip: '198.51.100.7' };
  for (let attempt = 0; attempt < 30; attempt += 1) {
    await expect(
      authenticate(w.app, { authorization: `Bearer no-${attempt}`, cookiesAllowed: true }, from),
    ).rejects.toMatchObject(refusal);
  }
  await w.app.readAudit.flush();
  const entries = await w.app.database.prisma.auditEvent.findMany({ where: { ip: from.ip } });
  expect(entries).toHaveLength(10);
  expect(entries[0]).toMatchObject({
    operation: 'AUTH',
    action: 'account.signIn',
    success: false,
    errorCode: 'UNAUTHENTICATED',
    metadata: { credential: 'token' },
  });
});
