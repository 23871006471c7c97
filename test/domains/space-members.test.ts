import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { handleOf, join, newOrganization, newSpace } from '../support/tenancy.js';
import { type Person, type World, world } from '../support/world.js';

let w: World;
beforeAll(async () => {
  w = await world();
});
afterAll(() => w.close());

const addMember =
  'mutation ($input: AddSpaceMemberInput!) { addSpaceMember(input: $input) { spaceMember { role version user { id } } } }';
const updateMember =
  'mutation ($input: UpdateSpaceMemberInput!) { updateSpaceMember(input: $input) { spaceMember { role version } } }';
const removeMember =
  'mutation ($input: RemoveSpaceMemberInput!) { removeSpaceMember(input: $input) { removedUserId } }';
const read = 'query ($by: SpaceBy!) { space(by: $by) { id slug name viewerRole } }';
const members = 'query ($id: ID!) { space(by: { id: $id }) { members { totalCount nodes { role user { id } } } } }';

/** A personal space of the owner's with an ADMIN and an EDITOR. */
async function staffed() {
  const { id } = await newSpace(w.owner);
  const add = (by: Person, whom: Person, role: string) =>
    by.run(addMember, { input: { spaceId: id, user: { id: whom.id }, role } });
  const setRole = (by: Person, whom: Person, role: string, version = 1) =>
    by.run(updateMember, { input: { spaceId: id, userId: whom.id, role, version } });
  const takeOut = (by: Person, whom: Person) => by.run(removeMember, { input: { spaceId: id, userId: whom.id } });
  await add(w.owner, w.admin, 'ADMIN');
  await add(w.owner, w.editor, 'EDITOR');
  return { id, add, setRole, takeOut };
}

test('people are added by id or handle, if one may see them', async () => {
  const { id } = await newSpace(w.owner);
  const input = (user: object) => ({ input: { spaceId: id, user, role: 'VIEWER' } });
  expect(await w.owner.run(addMember, input({ handle: await handleOf(w.viewer) }))).toMatchObject({
    data: { addSpaceMember: { spaceMember: { user: { id: w.viewer.id } } } },
  });
  expect(await w.owner.run(addMember, input({ id: w.viewer.id }))).toMatchObject({ code: 'CONFLICT' });
  expect(await w.owner.run(addMember, input({ id: w.stranger.id }))).toMatchObject({ code: 'NOT_FOUND' });
  expect(await w.owner.run(addMember, input({ handle: await handleOf(w.stranger) }))).toMatchObject({
    code: 'NOT_FOUND',
  });
  expect(await w.viewer.run(addMember, input({ id: w.admin.id }))).toMatchObject({ code: 'FORBIDDEN' });
  expect(await w.stranger.run(addMember, input({ id: w.stranger.id }))).toMatchObject({ code: 'NOT_FOUND' });
});

test('admins give roles up to their own', async () => {
  const { add, setRole } = await staffed();
  expect(await add(w.admin, w.viewer, 'OWNER')).toMatchObject({ code: 'FORBIDDEN' });
  expect(await add(w.admin, w.viewer, 'ADMIN')).toMatchObject({
    data: { addSpaceMember: { spaceMember: { role: 'ADMIN' } } },
  });
  expect(await setRole(w.admin, w.editor, 'OWNER')).toMatchObject({ code: 'FORBIDDEN' });
  expect(await setRole(w.admin, w.admin, 'OWNER')).toMatchObject({ code: 'FORBIDDEN' });
  expect(await setRole(w.admin, w.editor, 'COMMENTER')).toMatchObject({
    data: { updateSpaceMember: { spaceMember: { role: 'COMMENTER', version: 2 } } },
  });
  expect(await setRole(w.admin, w.editor, 'VIEWER')).toMatchObject({
    code: 'CONFLICT',
    errors: [{ extensions: { currentVersion: 2 } }],
  });
});

test('nobody changes or removes a member above them', async () => {
  const { setRole, takeOut } = await staffed();
  expect(await setRole(w.admin, w.owner, 'VIEWER')).toMatchObject({ code: 'FORBIDDEN' });
  expect(await takeOut(w.admin, w.owner)).toMatchObject({ code: 'FORBIDDEN' });
  expect(await takeOut(w.editor, w.admin)).toMatchObject({ code: 'FORBIDDEN' });
  expect(await takeOut(w.admin, w.stranger)).toMatchObject({ code: 'NOT_FOUND' });
  expect(await setRole(w.admin, w.stranger, 'VIEWER')).toMatchObject({ code: 'NOT_FOUND' });
});

test('the last owner neither steps down nor leaves', async () => {
  const { id, setRole, takeOut } = await staffed();
  expect(await setRole(w.owner, w.owner, 'ADMIN')).toMatchObject({ code: 'CONFLICT' });
  expect(await takeOut(w.owner, w.owner)).toMatchObject({ code: 'CONFLICT' });
  await setRole(w.owner, w.admin, 'OWNER');
  expect(await takeOut(w.owner, w.owner)).toMatchObject({ data: { removeSpaceMember: { removedUserId: w.owner.id } } });
  expect(await w.owner.run(read, { by: { id } })).toMatchObject({ data: { space: null } });
});

test('two owners who demote or remove each other at once leave one', async () => {
  for (const action of ['demote', 'remove', 'leave'] as const) {
    const { id, setRole, takeOut } = await staffed();
    await setRole(w.owner, w.admin, 'OWNER');
    const runs = {
      demote: () => [setRole(w.owner, w.admin, 'VIEWER', 2), setRole(w.admin, w.owner, 'VIEWER', 1)],
      remove: () => [takeOut(w.owner, w.admin), takeOut(w.admin, w.owner)],
      leave: () => [takeOut(w.owner, w.owner), takeOut(w.admin, w.admin)],
    };
    const answers = await Promise.all(runs[action]());
    expect(answers.filter(({ code }) => code === null)).toHaveLength(1);
    const { data } = await w.editor.run(members, { id });
    const owners = data.space.members.nodes.filter(({ role }: { role: string }) => role === 'OWNER');
    expect(owners).toHaveLength(1);
  }
});

test('members leave by themselves and see the space no more', async () => {
  const { id, takeOut } = await staffed();
  expect(await takeOut(w.editor, w.editor)).toMatchObject({
    data: { removeSpaceMember: { removedUserId: w.editor.id } },
  });
  expect(await w.editor.run(read, { by: { id } })).toMatchObject({ data: { space: null } });
  expect(await takeOut(w.editor, w.editor)).toMatchObject({ code: 'NOT_FOUND' });
});

test('owners and admins of an organization hold their role in each of its spaces', async () => {
  const organization = await newOrganization(w.owner);
  await join(w.owner, w.admin, { organizationId: organization.id, organizationRole: 'ADMIN' });
  await join(w.owner, w.editor, { organizationId: organization.id, organizationRole: 'MEMBER' });
  const { id } = await newSpace(w.owner, { organizationId: organization.id });
  expect(await w.admin.run(read, { by: { id } })).toMatchObject({ data: { space: { viewerRole: 'ADMIN' } } });
  expect(await w.editor.run(read, { by: { id } })).toMatchObject({ data: { space: null } });
  expect(
    await w.admin.run(addMember, { input: { spaceId: id, user: { id: w.editor.id }, role: 'OWNER' } }),
  ).toMatchObject({ code: 'FORBIDDEN' });
  expect(
    await w.admin.run(addMember, { input: { spaceId: id, user: { id: w.editor.id }, role: 'EDITOR' } }),
  ).toMatchObject({ data: { addSpaceMember: {} } });
  expect(await w.editor.run(read, { by: { id } })).toMatchObject({ data: { space: { viewerRole: 'EDITOR' } } });
});
