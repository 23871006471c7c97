import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { authenticate } from '../../src/gateway/authenticate.js';
import { join, newOrganization } from '../support/tenancy.js';
import { type Person, viewerOf, type World, world } from '../support/world.js';

let w: World;
beforeAll(async () => {
  w = await world();
});
afterAll(() => w.close());

const create = `mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret eventCursor
  apiKey { id name prefix scopes spaceIds expiresAt lastUsedAt version } } }`;
const createOnce = (key: string) =>
  create.replace('createApiKey(input: $input)', `createApiKey(input: $input) @idempotent(key: "${key}")`);
const rotate =
  'mutation ($input: RotateApiKeyInput!) { rotateApiKey(input: $input) { secret apiKey { id version prefix } } }';
const revoke =
  'mutation ($input: RevokeApiKeyInput!) { revokeApiKey(input: $input) { revokedApiKeyId apiKey { id name version } } }';
const list = '{ viewer { apiKeys { id name } } }';

const key = { name: 'robot', scopes: ['tree:read'] };
const make = async (person: Person, more: object = {}) => {
  const { data, errors } = await person.run(create, { input: { ...key, ...more } });
  if (!data) throw new Error(JSON.stringify(errors));
  return data.createApiKey;
};
const fieldsOf = ({ errors }: { errors: readonly { extensions: { fields: { path: string }[] } }[] }) =>
  errors[0]?.extensions.fields.map(({ path }) => path);
const inAnHour = () => new Date(Date.now() + 3_600_000).toISOString();

test('a key is shown once, with a secret of 256 random bits of which only a digest is kept', async () => {
  const { apiKey, secret, eventCursor } = await make(w.editor, {
    name: '  robot ',
    spaceIds: [w.space.id, w.space.id],
  });
  expect(secret).toMatch(/^canopy_uk_[A-Za-z0-9_-]{43}$/);
  expect(apiKey).toMatchObject({
    name: 'robot',
    scopes: ['tree:read'],
    spaceIds: [w.space.id],
    expiresAt: null,
    lastUsedAt: null,
    version: 1,
  });
  expect(secret.startsWith(apiKey.prefix)).toBe(true);
  expect(eventCursor).toEqual(expect.any(String));
  const dump = await w.app.database.query<{ row: string }>(
    `select row_to_json(k)::text as row from "ApiKey" k union all select row_to_json(e)::text from "Event" e`,
    [],
  );
  expect(dump.some(({ row }) => row.includes(secret.slice(apiKey.prefix.length)))).toBe(false);
});

test('what is wrong with a new key is named', async () => {
  const refused = async (more: object) => {
    const answer = await w.editor.run(create, { input: { ...key, ...more } });
    expect(answer.code).toBe('BAD_USER_INPUT');
    return fieldsOf(answer);
  };
  expect(await refused({ name: ' ', scopes: ['tree:everything'] })).toEqual(['name', 'scopes.0']);
  expect(await refused({ name: 'a\u0000b' })).toEqual(['name']);
  expect(await refused({ name: 'x'.repeat(101) })).toEqual(['name']);
  expect(await refused({ scopes: [] })).toEqual(['scopes']);
  expect(await refused({ spaceIds: Array.from({ length: 101 }, (_, at) => `space_${at}`) })).toEqual(['spaceIds']);
  expect(await refused({ expiresAt: '2020-01-01T00:00:00Z' })).toEqual(['expiresAt']);
});

test('a key can be restricted to spaces where its owner has a role, and to no others', async () => {
  expect((await w.editor.run(create, { input: { ...key, spaceIds: [w.space.id, w.otherSpace.id] } })).code).toBe(
    'NOT_FOUND',
  );
  expect((await w.stranger.run(create, { input: { ...key, spaceIds: [w.space.id] } })).code).toBe('NOT_FOUND');
  expect((await w.editor.run(create, { input: { ...key, spaceIds: ['space_none'] } })).code).toBe('NOT_FOUND');
});

test('only admins of an organization make its keys, for its own spaces', async () => {
  const organizationId = w.organization.id;
  expect((await w.stranger.run(create, { input: { ...key, organizationId } })).code).toBe('NOT_FOUND');
  expect((await w.editor.run(create, { input: { ...key, organizationId } })).code).toBe('FORBIDDEN');
  const { secret, apiKey } = await make(w.owner, { organizationId, spaceIds: [w.otherSpace.id] });
  expect(secret).toMatch(/^canopy_ok_/);
  const mine = await w.owner.run(
    'mutation ($input: CreateSpaceInput!) { createSpace(input: $input) { space { id } } }',
    { input: { slug: 'own', name: 'Own' } },
  );
  expect(
    (await w.owner.run(create, { input: { ...key, organizationId, spaceIds: [mine.data.createSpace.space.id] } })).code,
  ).toBe('NOT_FOUND');
  const node = '{ node(id: "ID") { ... on ApiKey { name } } }'.replace('ID', apiKey.id);
  expect((await w.owner.run(node)).data.node).toEqual({ name: 'robot' });
  expect((await w.editor.run(node)).data.node).toBeNull();
  expect((await w.editor.run(rotate, { input: { id: apiKey.id, version: 1 } })).code).toBe('NOT_FOUND');
  expect((await w.editor.run(revoke, { input: { id: apiKey.id } })).code).toBe('NOT_FOUND');
});

test('the keys of an organization are listed for its admins, newest first, and for no one else', async () => {
  const { id } = await newOrganization(w.owner);
  await join(w.owner, w.admin, { organizationId: id, organizationRole: 'ADMIN' });
  await join(w.owner, w.editor, { organizationId: id, organizationRole: 'MEMBER' });
  const ids: string[] = [];
  for (const name of ['one', 'two', 'three'])
    ids.unshift((await make(w.owner, { name, organizationId: id })).apiKey.id);
  await make(w.owner, { name: 'of mine' });
  await w.owner.run(revoke, { input: { id: ids[1] } });
  const ask = 'query ($id: ID!) { organization(by: { id: $id }) { apiKeys { id name lastUsedAt } } }';
  for (const person of [w.owner, w.admin]) {
    expect((await person.run(ask, { id })).data.organization.apiKeys).toEqual([
      { id: ids[0], name: 'three', lastUsedAt: null },
      { id: ids[2], name: 'one', lastUsedAt: null },
    ]);
  }
  expect((await w.editor.run(ask, { id })).code).toBe('FORBIDDEN');
  expect((await w.stranger.run(ask, { id })).data.organization).toBeNull();
  const robot = w.client(viewerOf(w.owner.id, { scopes: new Set(['organizations:read']) }));
  expect((await robot.run(ask, { id })).code).toBe('FORBIDDEN');
});

test('the keys of all organizations of a page take one statement', async () => {
  const person = await w.person('Ada');
  const ask = '{ viewer { organizations { nodes { apiKeys { name } } } } }';
  const owned = async () => make(person, { organizationId: (await newOrganization(person)).id });
  await owned();
  const one = await person.run(ask);
  for (let more = 0; more < 3; more += 1) await owned();
  const four = await person.run(ask);
  expect(four.data.viewer.organizations.nodes).toEqual(
    Array.from({ length: 4 }, () => ({ apiKeys: [{ name: 'robot' }] })),
  );
  expect(four.sql.length).toBe(one.sql.length);
});

test('a key cannot make, or take over, a key that may do more than itself', async () => {
  const limits = {
    apiKeyId: 'key_self',
    scopes: new Set(['account:read', 'account:write', 'tree:read']),
    expiresAt: new Date(Date.now() + 1_000_000),
  };
  const robot = w.client(viewerOf(w.editor.id, limits));
  const within = { ...key, spaceIds: [w.space.id], expiresAt: new Date(Date.now() + 900_000).toISOString() };
  expect((await robot.run(create, { input: within })).data.createApiKey.apiKey.scopes).toEqual(['tree:read']);
  expect((await robot.run(create, { input: { ...within, scopes: ['tree:read', 'tree:write'] } })).code).toBe(
    'FORBIDDEN',
  );
  const fenced = w.client(viewerOf(w.editor.id, { ...limits, spaceIds: new Set([w.space.id]) }));
  expect((await fenced.run(create, { input: within })).code).toBe('FORBIDDEN');
  expect((await robot.run(create, { input: { ...within, expiresAt: null } })).code).toBe('FORBIDDEN');
  expect((await robot.run(create, { input: { ...within, expiresAt: inAnHour() } })).code).toBe('FORBIDDEN');
  const { apiKey } = await make(w.editor, { scopes: ['tree:write'] });
  expect((await robot.run(rotate, { input: { id: apiKey.id, version: 1 } })).code).toBe('FORBIDDEN');
  expect(
    (await w.client(viewerOf(w.editor.id, { scopes: new Set(['tree:read']) })).run(create, { input: key })).code,
  ).toBe('FORBIDDEN');
});

test('rotating needs the version last seen, and gives a new secret', async () => {
  const { apiKey, secret } = await make(w.editor);
  const { data } = await w.editor.run(rotate, { input: { id: apiKey.id, version: 1 } });
  expect(data.rotateApiKey.apiKey).toMatchObject({ id: apiKey.id, version: 2 });
  expect(data.rotateApiKey.secret).not.toBe(secret);
  const late = await w.editor.run(rotate, { input: { id: apiKey.id, version: 1 } });
  expect(late.errors[0].extensions).toMatchObject({ code: 'CONFLICT', currentVersion: 2 });
});

test('a revoked key is gone for good', async () => {
  const person = await w.person('Rhea');
  const [one, two] = [await make(person, { name: 'one' }), await make(person, { name: 'two' })];
  expect((await person.run(list)).data.viewer.apiKeys).toEqual([
    { id: two.apiKey.id, name: 'two' },
    { id: one.apiKey.id, name: 'one' },
  ]);
  const { data } = await person.run(revoke, { input: { id: two.apiKey.id } });
  expect(data.revokeApiKey).toEqual({
    revokedApiKeyId: two.apiKey.id,
    apiKey: { id: two.apiKey.id, name: 'two', version: 2 },
  });
  expect((await person.run(list)).data.viewer.apiKeys).toEqual([{ id: one.apiKey.id, name: 'one' }]);
  expect((await person.run(revoke, { input: { id: two.apiKey.id } })).code).toBe('NOT_FOUND');
  expect((await person.run(rotate, { input: { id: two.apiKey.id, version: 2 } })).code).toBe('NOT_FOUND');
  expect((await person.run(`{ node(id: "${two.apiKey.id}") { id } }`)).data.node).toBeNull();
});

test('a repeated call answers the same key and not its secret; a repeated revocation succeeds', async () => {
  const first = await w.editor.run(createOnce('make-1'), { input: key });
  const again = await w.editor.run(createOnce('make-1'), { input: key });
  expect(first.data.createApiKey.secret).toEqual(expect.any(String));
  expect(again.data.createApiKey).toEqual({ ...first.data.createApiKey, secret: null });
  const stored = await w.app.database.prisma.idempotencyRecord.findMany({ where: { key: 'make-1' } });
  expect(Buffer.from(stored[0]?.response ?? []).includes(first.data.createApiKey.secret.slice(20))).toBe(false);
  const { id } = first.data.createApiKey.apiKey;
  const once = revoke.replace('(input: $input)', '(input: $input) @idempotent(key: "revoke-1")');
  for (let time = 0; time < 2; time += 1)
    expect((await w.editor.run(once, { input: { id } })).data.revokeApiKey).toMatchObject({
      revokedApiKeyId: id,
      apiKey: { id },
    });
});

test('a key reads what its scopes let it, and nothing of its owner beside', async () => {
  const { secret } = await make(w.editor);
  const robot = w.client(await authenticate(w.app, { authorization: `Bearer ${secret}`, cookiesAllowed: false }));
  expect((await robot.run('{ viewer { scopes } }')).data.viewer.scopes).toEqual(['tree:read']);
  for (const list of ['apiKeys', 'sessions'])
    expect((await robot.run(`{ viewer { ${list} { id } } }`)).code).toBe('FORBIDDEN');
  const { data } = await robot.run(
    'query ($id: ID!) { user(by: { id: $id }) { name email profile { preferences lastLoginAt } } }',
    { id: w.editor.id },
  );
  expect(data.user).toEqual({ name: 'Edda', email: null, profile: { preferences: null, lastLoginAt: null } });
  expect((await robot.run('mutation { updateProfile(input: { name: "Robot" }) { user { id } } }')).code).toBe(
    'FORBIDDEN',
  );
});

test('nobody has more than a hundred keys', async () => {
  const person = await w.person('Kim');
  const hash = (at: number) => `digest of nothing ${at}`;
  const keys = Array.from({ length: 100 }, (_, at) => ({
    id: `key_${at}`,
    name: 'k',
    prefix: 'canopy_uk_',
    hash: hash(at),
    userId: person.id,
    scopes: [],
    spaceIds: [],
  }));
  await w.app.database.prisma.apiKey.createMany({ data: keys });
  expect((await person.run(create, { input: key })).code).toBe('QUOTA_EXCEEDED');
});
