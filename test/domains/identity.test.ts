import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newId } from '../../src/core/ids.js';
import { signedIn, signIn } from '../support/sign-in.js';
import { newSpace } from '../support/tenancy.js';
import { type Person, type World, world } from '../support/world.js';

let w: World;
beforeAll(async () => {
  w = await world();
});
afterAll(() => w.close());

const me =
  '{ viewer { user { id handle name avatarUrl email profile { fullName bio preferences lastLoginAt } } scopes apiKeys { id } sessions { id } } }';
const who =
  'query ($by: UserBy!) { user(by: $by) { id handle name email profile { fullName bio preferences lastLoginAt } } }';
const update =
  'mutation ($input: UpdateProfileInput!) { updateProfile(input: $input) { eventCursor user { handle name avatarUrl profile { fullName bio preferences } } } }';

const see = async (person: Person, by: object) => (await person.run(who, { by })).data?.user ?? null;
const change = (person: Person, input: object) => person.run(update, { input });

const createSpace = async (person: Person, slug: string) => (await newSpace(person, { slug })).id;

test('the viewer is who is signed in, and nobody when nobody is', async () => {
  expect((await w.nobody.run(me)).data.viewer).toBeNull();
  expect((await w.editor.run(me)).data.viewer).toMatchObject({
    user: { id: w.editor.id, name: 'Edda', email: expect.stringContaining('@') },
    scopes: null,
    apiKeys: [],
    sessions: [],
  });
});

test('people see each other when they share a space or an organization, by id and by handle', async () => {
  const { handle } = await see(w.editor, { id: w.editor.id });
  expect(await see(w.guest, { id: w.editor.id })).toMatchObject({ id: w.editor.id, name: 'Edda' });
  expect(await see(w.guest, { handle })).toMatchObject({ id: w.editor.id });
  expect(await see(w.stranger, { id: w.editor.id })).toBeNull();
  expect(await see(w.stranger, { handle })).toBeNull();
  expect(await see(w.stranger, { id: newId('user') })).toBeNull();
  expect((await w.nobody.run(who, { by: { handle } })).code).toBe('UNAUTHENTICATED');
});

test('the owner of a public space is seen by all who are signed in', async () => {
  const person = await w.person('Petra');
  const id = await createSpace(person, 'open');
  expect(await see(w.stranger, { id: person.id })).toBeNull();
  await w.app.database.prisma.space.update({ where: { id }, data: { visibility: 'PUBLIC' } });
  expect(await see(w.stranger, { id: person.id })).toMatchObject({
    name: 'Petra',
    email: null,
    profile: { preferences: null },
  });
});

test('an e-mail address is for its owner and for admins of an organization of theirs', async () => {
  expect((await see(w.editor, { id: w.editor.id })).email).toMatch(/@example.com$/);
  expect((await see(w.owner, { id: w.editor.id })).email).toMatch(/@example.com$/);
  expect((await see(w.admin, { id: w.editor.id })).email).toBeNull();
  expect((await see(w.owner, { id: w.guest.id })).email).toBeNull();
});

test('the e-mail addresses and profiles of a whole page of people take one statement each', async () => {
  const { sql, data } = await w.owner.run(
    `{ organization(by: { id: "${w.organization.id}" }) { members(first: 50) { nodes { user { email profile { bio } } } } } }`,
  );
  const emails = data.organization.members.nodes.map(({ user }: { user: { email: string | null } }) => user.email);
  expect(emails.length).toBeGreaterThan(3);
  expect(emails).not.toContain(null);
  expect(sql.filter((text) => text.includes('distinct "userId"'))).toHaveLength(1);
  expect(sql.filter((text) => text.includes('join "Profile"'))).toHaveLength(1);
});

test('a profile is seen with its user; preferences and the last sign-in are their own', async () => {
  await change(w.editor, { bio: 'Grows beans.', fullName: 'Edda Ek', preferences: { theme: 'dark' } });
  expect((await see(w.guest, { id: w.editor.id })).profile).toEqual({
    fullName: 'Edda Ek',
    bio: 'Grows beans.',
    preferences: null,
    lastLoginAt: null,
  });
  expect((await see(w.editor, { id: w.editor.id })).profile).toMatchObject({ preferences: { theme: 'dark' } });
});

test('what is given changes, null clears, and the rest stays', async () => {
  const person = await w.person('Uma');
  const first = await change(person, {
    name: '  Uma U ',
    handle: 'uma-u',
    avatarUrl: 'https://example.com/u.png',
    fullName: 'Uma Uno',
    bio: 'Hi',
  });
  expect(first.data.updateProfile).toMatchObject({
    eventCursor: expect.any(String),
    user: { name: 'Uma U', handle: 'uma-u', avatarUrl: 'https://example.com/u.png' },
  });
  const { data } = await change(person, { avatarUrl: null, bio: null });
  expect(data.updateProfile.user).toEqual({
    name: 'Uma U',
    handle: 'uma-u',
    avatarUrl: null,
    profile: { fullName: 'Uma Uno', bio: null, preferences: {} },
  });
  expect((await change(person, { version: 2, name: 'Late' })).errors[0].extensions).toMatchObject({
    code: 'CONFLICT',
    currentVersion: 3,
  });
  expect((await change(person, { version: 3, name: 'In time' })).data.updateProfile.user.name).toBe('In time');
});

test('a handle belongs to one user', async () => {
  const [one, two] = [await w.person('Ida'), await w.person('Ivo')];
  await change(one, { handle: 'the-one' });
  expect((await change(two, { handle: 'the-one', name: 'Changed' })).code).toBe('CONFLICT');
  expect((await see(two, { id: two.id })).name).toBe('Ivo');
});

test('a field that breaks a rule is named once', async () => {
  const { errors } = await change(w.editor, { name: 'a\u0000', bio: 'x'.repeat(2_001) });
  expect(errors[0].extensions.fields).toEqual([
    { path: 'name', message: 'must not hold U+0000 or lone surrogates' },
    { path: 'bio', message: 'must be at most 2000 characters' },
  ]);
});

test('what cannot be kept is refused', async () => {
  const refused = async (input: object) => expect((await change(w.editor, input)).code).toBe('BAD_USER_INPUT');
  await refused({ name: ' ' });
  await refused({ name: null });
  await refused({ name: 'x'.repeat(201) });
  await refused({ name: 'a\u0000' });
  await refused({ bio: '\ud800' });
  await refused({ bio: 'x'.repeat(2_001) });
  await refused({ avatarUrl: 'javascript:alert(1)' });
  await refused({ handle: 'No Spaces' });
  await refused({ preferences: [1] });
  await refused({ preferences: null });
  await refused({ preferences: { text: 'a\u0000b' } });
  await refused({ preferences: { '\udfff': 1 } });
  await refused({ preferences: { big: 'x'.repeat(65_536) } });
});

test('preferences merge, and patches of different keys at the same time all stand', async () => {
  const person = await w.person('Mia');
  await change(person, { preferences: { a: { x: 1, y: 2 }, gone: true } });
  await change(person, { preferences: { a: { y: null, z: [1] }, gone: null } });
  const patches = Array.from({ length: 12 }, (_, at) => change(person, { preferences: { [`key${at}`]: at } }));
  for (const { errors } of await Promise.all(patches)) expect(errors).toEqual([]);
  const { preferences } = (await see(person, { id: person.id })).profile;
  expect(preferences).toMatchObject({ a: { x: 1, z: [1] }, key0: 0, key11: 11 });
  expect(Object.keys(preferences)).toHaveLength(13);
  const input = JSON.parse('{ "preferences": { "__proto__": { "polluted": true } } }');
  expect(Object.keys((await change(person, input)).data.updateProfile.user.profile.preferences)).toContain('__proto__');
});

test('sign-ins are listed, and one of them can be ended', async () => {
  const person = await signedIn(w);
  await signIn(w.app, person.email);
  const list = async () =>
    (await person.run('{ viewer { sessions { id current ipAddress createdAt lastUsedAt expiresAt } } }')).data.viewer
      .sessions;
  const sessions = await list();
  expect(sessions.map(({ current }: { current: boolean }) => current).sort()).toEqual([false, true]);
  const other = sessions.find(({ current }: { current: boolean }) => !current);
  const revoke = (by: Person, id: string) =>
    by.run('mutation ($input: RevokeSessionInput!) { revokeSession(input: $input) { revokedSessionId } }', {
      input: { id },
    });
  expect((await revoke(w.editor, other.id)).code).toBe('NOT_FOUND');
  expect((await revoke(person, other.id)).data.revokeSession.revokedSessionId).toBe(other.id);
  expect((await revoke(person, other.id)).code).toBe('NOT_FOUND');
  expect(await list()).toHaveLength(1);
});
