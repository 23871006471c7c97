import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { freshSlug, join, newOrganization, newSpace } from '../support/tenancy.js';
import { type Person, type World, world } from '../support/world.js';

let w: World;
beforeAll(async () => {
  w = await world();
});
afterAll(() => w.close());

const create =
  'mutation ($input: CreateOrganizationInput!) { createOrganization(input: $input) { organization { id slug name viewerRole version } eventCursor } }';
const update =
  'mutation ($input: UpdateOrganizationInput!) { updateOrganization(input: $input) { organization { slug name version } } }';
const remove =
  'mutation ($input: DeleteOrganizationInput!) { deleteOrganization(input: $input) { deletedOrganizationId } }';
const updateMember =
  'mutation ($input: UpdateOrganizationMemberInput!) { updateOrganizationMember(input: $input) { organizationMember { role version user { id } } } }';
const removeMember =
  'mutation ($input: RemoveOrganizationMemberInput!) { removeOrganizationMember(input: $input) { removedUserId } }';
const read = 'query ($by: OrganizationBy!) { organization(by: $by) { id slug name viewerRole } }';
const members =
  'query ($id: ID!) { organization(by: { id: $id }) { members { totalCount nodes { role user { id } } } } }';
const spaceMembers = 'query ($id: ID!) { space(by: { id: $id }) { members { nodes { role user { id } } } } }';

const into = (organizationId: string, organizationRole: string) => ({ organizationId, organizationRole });

/** An organization of the owner's with an ADMIN and a MEMBER. */
async function staffed() {
  const { id, version } = await newOrganization(w.owner);
  await join(w.owner, w.admin, into(id, 'ADMIN'));
  await join(w.owner, w.editor, into(id, 'MEMBER'));
  const setRole = (by: Person, whom: Person, role: string, version = 1) =>
    by.run(updateMember, { input: { organizationId: id, userId: whom.id, role, version } });
  const takeOut = (by: Person, whom: Person) =>
    by.run(removeMember, { input: { organizationId: id, userId: whom.id } });
  return { id, version, setRole, takeOut };
}

test('whoever makes an organization owns it', async () => {
  const slug = freshSlug();
  const made = await w.owner.run(create, { input: { slug, name: '  Garden club ' } });
  expect(made).toMatchObject({
    data: { createOrganization: { organization: { slug, name: 'Garden club', viewerRole: 'OWNER', version: 1 } } },
  });
  expect(await w.owner.run(read, { by: { slug } })).toMatchObject({
    data: { organization: { slug, viewerRole: 'OWNER' } },
  });
});

test('a slug belongs to one organization', async () => {
  const { slug } = await newOrganization(w.owner);
  expect(await w.stranger.run(create, { input: { slug, name: 'Other' } })).toMatchObject({ code: 'CONFLICT' });
});

test('names are trimmed and not empty', async () => {
  const answer = await w.owner.run(create, { input: { slug: freshSlug(), name: '   ' } });
  expect(answer).toMatchObject({ code: 'BAD_USER_INPUT', errors: [{ extensions: { fields: [{ path: 'name' }] } }] });
});

test('outsiders cannot tell that an organization exists', async () => {
  const { id, slug } = await newOrganization(w.owner);
  expect(await w.stranger.run(read, { by: { id } })).toMatchObject({ data: { organization: null } });
  expect(await w.stranger.run(read, { by: { slug } })).toMatchObject({ data: { organization: null } });
  expect(await w.stranger.run(update, { input: { id, version: 1, name: 'Mine' } })).toMatchObject({
    code: 'NOT_FOUND',
  });
  expect(await w.nobody.run(read, { by: { id } })).toMatchObject({ code: 'UNAUTHENTICATED' });
});

test('of two changes to one version, the second is refused and told the version', async () => {
  const { id } = await newOrganization(w.owner);
  const change = { input: { id, version: 1, name: 'New name' } };
  expect(await w.owner.run(update, change)).toMatchObject({
    data: { updateOrganization: { organization: { name: 'New name', version: 2 } } },
  });
  expect(await w.owner.run(update, change)).toMatchObject({
    code: 'CONFLICT',
    errors: [{ extensions: { currentVersion: 2 } }],
  });
});

test('only owners rename and delete', async () => {
  const { id, version } = await staffed();
  for (const person of [w.admin, w.editor]) {
    expect(await person.run(update, { input: { id, version, name: 'Mine' } })).toMatchObject({ code: 'FORBIDDEN' });
    expect(await person.run(remove, { input: { id, version } })).toMatchObject({ code: 'FORBIDDEN' });
  }
});

test('an organization that owns a space stays; without one it goes for good and frees its slug', async () => {
  const { id, slug } = await newOrganization(w.owner);
  const space = await newSpace(w.owner, { organizationId: id });
  expect(await w.owner.run(remove, { input: { id, version: 1 } })).toMatchObject({ code: 'CONFLICT' });
  await w.owner.run('mutation ($input: DeleteSpaceInput!) { deleteSpace(input: $input) { deletedSpaceId } }', {
    input: { id: space.id, version: 1 },
  });
  expect(await w.owner.run(remove, { input: { id, version: 7 } })).toMatchObject({
    code: 'CONFLICT',
    errors: [{ extensions: { currentVersion: 1 } }],
  });
  expect(await w.owner.run(remove, { input: { id, version: 1 } })).toMatchObject({
    data: { deleteOrganization: { deletedOrganizationId: id } },
  });
  expect(await w.owner.run(read, { by: { id } })).toMatchObject({ data: { organization: null } });
  const restore = 'mutation ($input: RestoreSpaceInput!) { restoreSpace(input: $input) { space { id } } }';
  expect(await w.owner.run(restore, { input: { id: space.id } })).toMatchObject({ code: 'NOT_FOUND' });
  expect(await w.owner.run(create, { input: { slug, name: 'Again' } })).toMatchObject({
    data: { createOrganization: { organization: { slug } } },
  });
});

test('admins give roles up to their own', async () => {
  const { setRole } = await staffed();
  expect(await setRole(w.admin, w.editor, 'OWNER')).toMatchObject({ code: 'FORBIDDEN' });
  expect(await setRole(w.admin, w.editor, 'ADMIN')).toMatchObject({
    data: { updateOrganizationMember: { organizationMember: { role: 'ADMIN', version: 2 } } },
  });
  expect(await setRole(w.admin, w.editor, 'MEMBER')).toMatchObject({
    code: 'CONFLICT',
    errors: [{ extensions: { currentVersion: 2 } }],
  });
});

test('nobody changes or removes a member above them', async () => {
  const { setRole, takeOut } = await staffed();
  expect(await setRole(w.admin, w.owner, 'MEMBER')).toMatchObject({ code: 'FORBIDDEN' });
  expect(await takeOut(w.admin, w.owner)).toMatchObject({ code: 'FORBIDDEN' });
  expect(await takeOut(w.editor, w.admin)).toMatchObject({ code: 'FORBIDDEN' });
  expect(await setRole(w.admin, w.stranger, 'MEMBER')).toMatchObject({ code: 'NOT_FOUND' });
});

test('the last owner neither steps down nor leaves', async () => {
  const { setRole, takeOut } = await staffed();
  expect(await setRole(w.owner, w.owner, 'ADMIN')).toMatchObject({ code: 'CONFLICT' });
  expect(await takeOut(w.owner, w.owner)).toMatchObject({ code: 'CONFLICT' });
  await setRole(w.owner, w.admin, 'OWNER');
  expect(await takeOut(w.owner, w.owner)).toMatchObject({
    data: { removeOrganizationMember: { removedUserId: w.owner.id } },
  });
});

test('two owners who demote or remove each other at once leave one', async () => {
  for (const action of ['demote', 'remove', 'leave'] as const) {
    const { id, setRole, takeOut } = await staffed();
    await setRole(w.owner, w.admin, 'OWNER');
    const runs = {
      demote: () => [setRole(w.owner, w.admin, 'MEMBER', 2), setRole(w.admin, w.owner, 'MEMBER', 1)],
      remove: () => [takeOut(w.owner, w.admin), takeOut(w.admin, w.owner)],
      leave: () => [takeOut(w.owner, w.owner), takeOut(w.admin, w.admin)],
    };
    const answers = await Promise.all(runs[action]());
    expect(answers.filter(({ code }) => code === null)).toHaveLength(1);
    const seen = await Promise.all([w.owner, w.admin].map((person) => person.run(members, { id })));
    const roles = seen.flatMap(({ data }) => data.organization?.members.nodes ?? []);
    expect(roles).toContainEqual(expect.objectContaining({ role: 'OWNER' }));
  }
});

test('members leave by themselves', async () => {
  const { id, takeOut } = await staffed();
  expect(await takeOut(w.editor, w.editor)).toMatchObject({
    data: { removeOrganizationMember: { removedUserId: w.editor.id } },
  });
  expect(await w.editor.run(read, { by: { id } })).toMatchObject({ data: { organization: null } });
  expect(await takeOut(w.editor, w.editor)).toMatchObject({ code: 'NOT_FOUND' });
});

test('who is taken out loses their roles in the organization’s spaces, and none is left without an owner', async () => {
  const { id, takeOut } = await staffed();
  const own = await newSpace(w.editor, { organizationId: id });
  const shared = await newSpace(w.owner, { organizationId: id });
  await join(w.owner, w.editor, { spaceId: shared.id, spaceRole: 'EDITOR' });
  expect(await takeOut(w.admin, w.editor)).toMatchObject({
    data: { removeOrganizationMember: { removedUserId: w.editor.id } },
  });
  for (const space of [own, shared]) {
    expect(await w.editor.run(spaceMembers, { id: space.id })).toMatchObject({ data: { space: null } });
    const nodes = [{ role: 'OWNER', user: { id: w.owner.id } }];
    expect(await w.owner.run(spaceMembers, { id: space.id })).toMatchObject({
      data: { space: { members: { nodes } } },
    });
  }
});

test('guests see the name of an organization and nothing of its people', async () => {
  const { id, slug } = await newOrganization(w.owner);
  const [open, closed] = [
    await newSpace(w.owner, { organizationId: id }),
    await newSpace(w.owner, { organizationId: id }),
  ];
  await join(w.owner, w.stranger, { spaceId: open.id, spaceRole: 'VIEWER' });
  const look =
    'query ($id: ID!) { organization(by: { id: $id }) { slug viewerRole members { totalCount nodes { role } } spaces { nodes { id } } } }';
  expect(await w.stranger.run(look, { id })).toMatchObject({
    data: {
      organization: {
        slug,
        viewerRole: null,
        members: { totalCount: 0, nodes: [] },
        spaces: { nodes: [{ id: open.id }] },
      },
    },
  });
  expect(await w.stranger.run('query ($id: ID!) { space(by: { id: $id }) { id } }', { id: closed.id })).toMatchObject({
    data: { space: null },
  });
  expect(
    await w.stranger.run('query ($id: ID!) { organization(by: { id: $id }) { invitations { totalCount } } }', { id }),
  ).toMatchObject({ code: 'NOT_FOUND' });
});

test('members come in the order of joining, in pages', async () => {
  const { id } = await staffed();
  const page = `query ($id: ID!, $after: String) { organization(by: { id: $id }) {
    members(first: 2, after: $after) { totalCount pageInfo { hasNextPage endCursor } edges { role joinedAt node { user { id } } } } } }`;
  const first = await w.editor.run(page, { id });
  expect(first).toMatchObject({
    data: {
      organization: {
        members: {
          totalCount: 3,
          pageInfo: { hasNextPage: true },
          edges: [
            { role: 'OWNER', joinedAt: expect.any(String), node: { user: { id: w.owner.id } } },
            { role: 'ADMIN', node: { user: { id: w.admin.id } } },
          ],
        },
      },
    },
  });
  const after = first.data.organization.members.pageInfo.endCursor;
  const edges = [{ role: 'MEMBER', node: { user: { id: w.editor.id } } }];
  expect(await w.editor.run(page, { id, after })).toMatchObject({
    data: { organization: { members: { pageInfo: { hasNextPage: false }, edges } } },
  });
});

test('my organizations with their members and spaces take one statement a level, however many they are', async () => {
  const query = `{ viewer { organizations(first: 3) { nodes { slug viewerRole
    members { nodes { role user { handle } } } spaces { nodes { slug owner { ... on Organization { name } } } } } } } }`;
  for (const _ of [1, 2]) {
    const { id } = await newOrganization(w.commenter);
    await newSpace(w.commenter, { organizationId: id });
  }
  const few = await w.commenter.run(query);
  for (const _ of [1, 2, 3]) {
    const { id } = await newOrganization(w.commenter);
    await newSpace(w.commenter, { organizationId: id });
    await newSpace(w.commenter, { organizationId: id });
  }
  const many = await w.commenter.run(query);
  expect(many.errors).toEqual([]);
  expect(many.data.viewer.organizations.nodes).toHaveLength(3);
  expect(many.sql.length).toBe(few.sql.length);
  expect(many.sql.length).toBeLessThanOrEqual(6);
});
