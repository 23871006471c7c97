import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newId } from '../../src/core/ids.js';
import { contextFor } from '../../src/core/operation.js';
import { leave } from '../../src/domains/all.js';
import { deleteUser } from '../../src/domains/identity/delete-user.js';
import { authenticate } from '../../src/gateway/authenticate.js';
import { signedIn, signIn } from '../support/sign-in.js';
import { newSpace } from '../support/tenancy.js';
import { type Person, viewerOf, type World, world } from '../support/world.js';

let w: World;
beforeAll(async () => {
  w = await world();
});
afterAll(() => w.close());

const who =
  'query ($by: UserBy!) { user(by: $by) { id handle name email profile { fullName bio preferences lastLoginAt } } }';
const update =
  'mutation ($input: UpdateProfileInput!) { updateProfile(input: $input) { eventCursor user { handle name avatarUrl profile { fullName bio preferences } } } }';
const close = 'mutation ($input: DeleteUserInput!) { deleteUser(input: $input) { deletedUserId eventCursor } }';

const see = async (person: Person, by: object) => (await person.run(who, { by })).data?.user ?? null;
const change = (person: Person, input: object) => person.run(update, { input });

const createSpace = async (person: Person, slug: string) => (await newSpace(person, { slug })).id;

test('an account that is closed leaves nothing personal, and its credentials are refused', async () => {
  const person = await signedIn(w, { name: 'Xanthippe Quux' });
  await w.app.database.prisma.spaceMember.create({ data: { spaceId: w.space.id, userId: person.id, role: 'EDITOR' } });
  await w.app.database.prisma.invitation.create({
    data: {
      id: newId('inv'),
      organizationId: w.organization.id,
      email: person.email,
      organizationRole: 'MEMBER',
      tokenHash: 'closing',
      expiresAt: new Date(),
    },
  });
  w.app.memory.forgetAll();
  await change(person, {
    fullName: 'Xanthippe Quux',
    handle: 'xanthippe',
    bio: 'quuxy',
    avatarUrl: 'https://quux.example/x.png',
  });
  const written = await person.run(
    'mutation ($input: WriteTreeNodeInput!) { writeTreeNode(input: $input) { treeNode { createdBy { id } } } }',
    { input: { spaceId: w.space.id, path: '/left', value: 1 } },
  );
  expect(written.data.writeTreeNode.treeNode.createdBy.id).toBe(person.id);
  const key = await person.run('mutation { createApiKey(input: { name: "quux", scopes: ["tree:read"] }) { secret } }');
  const personal = await createSpace(person, 'hers');
  const answer = await person.run(close, { input: { mode: 'ANONYMIZE' } });
  expect(answer.data.deleteUser).toEqual({ deletedUserId: person.id, eventCursor: expect.any(String) });

  for (const authorization of [person.authorization, `Bearer ${key.data.createApiKey.secret}`]) {
    await expect(authenticate(w.app, { authorization, cookiesAllowed: false })).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
    });
  }
  const tables = [
    'User',
    'Profile',
    'Identity',
    'ApiKey',
    'Invitation',
    'SpaceMember',
    'IssuerUser',
    'IssuerAccount',
    'IssuerSession',
    'IdempotencyRecord',
    'Event',
    'AuditEvent',
  ];
  for (const table of tables) {
    const rows = await w.app.database.query<{ row: string }>(
      `select row_to_json(t)::text as row from "${table}" t`,
      [],
    );
    for (const { row } of rows)
      for (const trace of [person.email, person.subject, 'anthippe', 'uux']) expect(row).not.toContain(trace);
  }
  expect(await w.app.database.prisma.space.findUnique({ where: { id: personal } })).toMatchObject({
    deletedAt: expect.any(Date),
  });
  const { data } = await w.editor.run(
    `{ treeNode(spaceId: "${w.space.id}", path: "/left") { value node { createdBy { name } } } }`,
  );
  expect(data.treeNode).toEqual({ value: 1, node: { createdBy: null } });
  expect(await w.app.database.prisma.user.findUnique({ where: { id: person.id } })).toMatchObject({
    status: 'DELETED',
    name: 'Deleted user',
  });
});

test('closing that was cut short is finished when the subject is seen again', async () => {
  const person = await signedIn(w);
  const { issuer } = w.app;
  const broken = {
    ...w.app,
    issuer: { ...issuer, removeSubject: () => Promise.reject(new Error('The line is cut.')) },
  };
  await deleteUser(contextFor(broken, person.viewer, { requestId: 'r', ip: null }), { mode: 'ANONYMIZE' }, leave);
  expect(await w.app.database.prisma.issuerUser.count({ where: { id: person.subject } })).toBe(1);
  const again = await signIn(w.app, person.email);
  await expect(authenticate(w.app, { cookie: again.cookie, cookiesAllowed: true })).rejects.toMatchObject({
    code: 'UNAUTHENTICATED',
  });
  expect(await w.app.database.prisma.issuerUser.count({ where: { id: person.subject } })).toBe(0);
});

test('personal spaces go to the user who is named, with another slug where theirs has it', async () => {
  const [from, to] = [await w.member('Fay', w.space.id, 'VIEWER'), await w.member('Tom', w.space.id, 'VIEWER')];
  const [garden, theirs] = [await createSpace(from, 'garden'), await createSpace(to, 'garden')];
  const plain = await createSpace(from, 'plain');
  const view = `query ($id: ID!) { space(by: { id: $id }) { slug viewerRole owner { ... on User { id } } } }`;
  expect((await to.run(view, { id: garden })).data.space).toBeNull();
  expect((await from.run(close, { input: { mode: 'TRANSFER', to: to.id } })).errors).toEqual([]);
  expect((await to.run(view, { id: garden })).data.space).toEqual({
    slug: 'garden-2',
    viewerRole: 'OWNER',
    owner: { id: to.id },
  });
  expect((await to.run(view, { id: plain })).data.space).toEqual({
    slug: 'plain',
    viewerRole: 'OWNER',
    owner: { id: to.id },
  });
  expect((await to.run(view, { id: theirs })).data.space.slug).toBe('garden');
});

test('spaces go only to someone active whom the viewer shares something with', async () => {
  const person = await w.member('Gil', w.space.id, 'VIEWER');
  const give = async (to: string | null) => (await person.run(close, { input: { mode: 'TRANSFER', to } })).code;
  expect(await give(null)).toBe('BAD_USER_INPUT');
  expect(await give(person.id)).toBe('BAD_USER_INPUT');
  expect(await give(w.stranger.id)).toBe('NOT_FOUND');
  expect(await give(newId('user'))).toBe('NOT_FOUND');
  const gone = await w.member('Hal', w.space.id, 'VIEWER');
  await w.app.database.prisma.user.update({ where: { id: gone.id }, data: { status: 'SUSPENDED' } });
  expect(await give(gone.id)).toBe('NOT_FOUND');
  expect((await person.run(close, { input: { mode: 'ANONYMIZE', to: w.editor.id } })).code).toBe('BAD_USER_INPUT');
});

test('the last owner of an organization cannot leave it behind', async () => {
  const answer = await w.owner.run(close, { input: { mode: 'ANONYMIZE' } });
  expect(answer.code).toBe('CONFLICT');
  expect(answer.errors[0].message).toContain('Garden');
  expect(await see(w.owner, { id: w.owner.id })).toMatchObject({ name: 'Olga' });
});

test('a space whose only OWNER closes their account gets whom it belongs to as OWNER', async () => {
  const space = await w.app.database.prisma.space.create({
    data: { id: newId('space'), organizationId: w.organization.id, slug: 'orphan', name: 'Orphan' },
  });
  const person = await w.member('Zoe', space.id, 'OWNER', { id: w.organization.id, role: 'MEMBER' });
  expect((await person.run(close, { input: { mode: 'ANONYMIZE' } })).errors).toEqual([]);
  const members = await w.app.database.prisma.spaceMember.findMany({ where: { spaceId: space.id } });
  expect(members).toMatchObject([{ userId: w.owner.id, role: 'OWNER' }]);
});

test('a key that may enter some spaces only cannot close the account', async () => {
  const person = await w.person('Sol');
  const robot = w.client(
    viewerOf(person.id, {
      apiKeyId: 'key_self',
      scopes: new Set(['account:write', 'account:read']),
      spaceIds: new Set([w.space.id]),
    }),
  );
  expect((await robot.run(close, { input: { mode: 'ANONYMIZE' } })).code).toBe('FORBIDDEN');
});
