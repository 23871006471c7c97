import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { freshSlug, handleOf, join, newOrganization, newSpace } from '../support/tenancy.js';
import { viewerOf, type World, world } from '../support/world.js';

let w: World;
beforeAll(async () => {
  w = await world();
});
afterAll(() => w.close());

const create = `mutation ($input: CreateSpaceInput!) { createSpace(input: $input) { eventCursor space { id slug name visibility viewerRole version
  owner { ... on User { id } ... on Organization { id } } members { nodes { role user { id } } } tree { nodes { path value version } } } } }`;
const update =
  'mutation ($input: UpdateSpaceInput!) { updateSpace(input: $input) { space { slug name visibility version } } }';
const remove = 'mutation ($input: DeleteSpaceInput!) { deleteSpace(input: $input) { deletedSpaceId restorableUntil } }';
const restore =
  'mutation ($input: RestoreSpaceInput!) { restoreSpace(input: $input) { space { id version tree { nodes { path } } } } }';
const addMember =
  'mutation ($input: AddSpaceMemberInput!) { addSpaceMember(input: $input) { spaceMember { role version user { id } } } }';
const read = 'query ($by: SpaceBy!) { space(by: $by) { id slug name viewerRole } }';

/** A personal space of the owner's with an ADMIN and an EDITOR. */
async function staffed() {
  const { id } = await newSpace(w.owner);
  await w.owner.run(addMember, { input: { spaceId: id, user: { id: w.admin.id }, role: 'ADMIN' } });
  await w.owner.run(addMember, { input: { spaceId: id, user: { id: w.editor.id }, role: 'EDITOR' } });
  return { id };
}

test('a new space begins with its owner and its first content', async () => {
  const slug = freshSlug();
  const tree = [{ path: '/beds/north', value: { crop: 'beans' } }, { path: '/beds/south' }];
  expect(await w.owner.run(create, { input: { slug, name: ' Garden ', tree } })).toMatchObject({
    data: {
      createSpace: {
        eventCursor: expect.any(String),
        space: {
          slug,
          name: 'Garden',
          visibility: 'PRIVATE',
          viewerRole: 'OWNER',
          version: 1,
          owner: { id: w.owner.id },
          members: { nodes: [{ role: 'OWNER', user: { id: w.owner.id } }] },
          tree: {
            nodes: [
              { path: '/beds/north', value: { crop: 'beans' }, version: 1 },
              { path: '/beds/south', value: null },
            ],
          },
        },
      },
    },
  });
});

test('first content that is refused leaves no space', async () => {
  const slug = freshSlug();
  const refused = [
    [[{ path: '/good' }, { path: '/bad/../worse' }], 'BAD_USER_INPUT'],
    [[{ path: '/_system/x' }], 'BAD_USER_INPUT'],
    [[{ path: '/a' }, { path: '/a' }], 'CONFLICT'],
    [[{ path: '/a', contentType: 'nonsense' }], 'BAD_USER_INPUT'],
    [[{ path: '/a', value: 'x'.repeat(300_000) }], 'PAYLOAD_TOO_LARGE'],
    [Array.from({ length: 26 }, (_, at) => ({ path: `/${at}` })), 'BAD_USER_INPUT'],
  ] as const;
  for (const [tree, code] of refused)
    expect(await w.owner.run(create, { input: { slug, name: 'Garden', tree } })).toMatchObject({ code });
  expect(await w.owner.run(create, { input: { slug, name: 'Garden' } })).toMatchObject({
    data: { createSpace: { space: { slug } } },
  });
});

test('a refused first node is named by its place', async () => {
  const answer = await w.owner.run(create, {
    input: { slug: freshSlug(), name: 'Garden', tree: [{ path: '/a' }, { path: 'b' }] },
  });
  expect(answer).toMatchObject({
    code: 'BAD_USER_INPUT',
    errors: [{ extensions: { fields: [{ path: 'tree.1.path' }] } }],
  });
});

test('what happened to a new space and its content is in its own log', async () => {
  const { id } = await newSpace(w.owner, { tree: [{ path: '/a' }] });
  const log = 'query ($id: ID!, $after: EventCursor) { events(spaceId: $id, after: $after) { nodes { type } } }';
  const first = Buffer.from('0.0').toString('base64url');
  // Readers wait for transactions that began earlier, those of other databases of the server included.
  await eventually(async () => {
    expect(await w.owner.run(log, { id, after: first })).toMatchObject({
      data: { events: { nodes: [{ type: 'space.created' }, { type: 'tree.written' }] } },
    });
  });
});

test('members make spaces in their organization, others cannot tell that it exists', async () => {
  const organization = await newOrganization(w.owner);
  await join(w.owner, w.editor, { organizationId: organization.id, organizationRole: 'MEMBER' });
  const input = { slug: freshSlug(), name: 'Shared', organizationId: organization.id };
  expect(await w.stranger.run(create, { input })).toMatchObject({ code: 'NOT_FOUND' });
  const made = await w.editor.run(create, { input });
  expect(made).toMatchObject({
    data: { createSpace: { space: { viewerRole: 'OWNER', owner: { id: organization.id } } } },
  });
  expect(await w.owner.run(read, { by: { slug: { owner: organization.slug, slug: input.slug } } })).toMatchObject({
    data: { space: { viewerRole: 'OWNER' } },
  });
});

test('an organization’s key makes spaces, and one of its owners owns them', async () => {
  const organization = await newOrganization(w.owner);
  const key = w.client(viewerOf('', { userId: null, apiKeyId: 'key_test', organizationId: organization.id }));
  const made = await key.run(create, {
    input: { slug: freshSlug(), name: 'Made by a program', organizationId: organization.id, tree: [{ path: '/a' }] },
  });
  expect(made).toMatchObject({
    data: {
      createSpace: {
        space: { viewerRole: 'ADMIN', members: { nodes: [{ role: 'OWNER', user: { id: w.owner.id } }] } },
      },
    },
  });
  expect(await key.run(create, { input: { slug: freshSlug(), name: 'Personal' } })).toMatchObject({
    code: 'FORBIDDEN',
  });
});

test('the database refuses a space of nobody, and one of two owners', async () => {
  const insert = (ownerUserId: string | null, organizationId: string | null) =>
    w.app.database.query(
      'insert into "Space" (id, slug, name, "ownerUserId", "organizationId") values ($1, $1::text, $1::text, $2, $3)',
      [freshSlug(), ownerUserId, organizationId],
    );
  await expect(insert(null, null)).rejects.toThrow('Space_one_owner');
  await expect(insert(w.owner.id, w.organization.id)).rejects.toThrow('Space_one_owner');
});

test('a slug is taken once for each owner', async () => {
  const { slug } = await newSpace(w.owner);
  expect(await w.owner.run(create, { input: { slug, name: 'Twin' } })).toMatchObject({ code: 'CONFLICT' });
  expect(await w.admin.run(create, { input: { slug, name: 'Namesake' } })).toMatchObject({
    data: { createSpace: { space: { slug } } },
  });
});

test('a space is found by its owner and slug', async () => {
  const { id, slug } = await newSpace(w.owner);
  const by = { slug: { owner: await handleOf(w.owner), slug } };
  expect(await w.owner.run(read, { by })).toMatchObject({ data: { space: { id } } });
  expect(await w.stranger.run(read, { by })).toMatchObject({ data: { space: null } });
  expect(await w.owner.run(read, { by: { slug: { owner: 'no-one-here', slug } } })).toMatchObject({
    data: { space: null },
  });
});

test('anyone reads a public space, and nobody outside sees its members', async () => {
  const { id } = await newSpace(w.owner, { visibility: 'PUBLIC', tree: [{ path: '/a', value: 1 }] });
  const look = `query ($id: ID!) { space(by: { id: $id }) { viewerRole owner { ... on User { handle } } members { totalCount nodes { role } } tree { nodes { value } } } }`;
  for (const person of [w.stranger, w.nobody]) {
    expect(await person.run(look, { id })).toMatchObject({
      data: {
        space: {
          viewerRole: null,
          owner: { handle: expect.any(String) },
          members: { totalCount: 0, nodes: [] },
          tree: { nodes: [{ value: 1 }] },
        },
      },
    });
  }
  expect(await w.stranger.run(update, { input: { id, version: 1, name: 'Mine' } })).toMatchObject({
    code: 'FORBIDDEN',
  });
  await w.owner.run(update, { input: { id, version: 1, visibility: 'PRIVATE' } });
  expect(await w.nobody.run(read, { by: { id } })).toMatchObject({ data: { space: null } });
});

test('of two changes to one version, the second is refused and told the version', async () => {
  const { id } = await newSpace(w.owner);
  const change = { input: { id, version: 1, name: 'New name' } };
  expect(await w.owner.run(update, change)).toMatchObject({
    data: { updateSpace: { space: { name: 'New name', version: 2 } } },
  });
  expect(await w.owner.run(update, change)).toMatchObject({
    code: 'CONFLICT',
    errors: [{ extensions: { currentVersion: 2 } }],
  });
});

test('admins change a space, owners delete it, editors do neither', async () => {
  const { id } = await staffed();
  expect(await w.editor.run(update, { input: { id, version: 1, name: 'E' } })).toMatchObject({ code: 'FORBIDDEN' });
  expect(await w.admin.run(update, { input: { id, version: 1, name: 'A' } })).toMatchObject({
    data: { updateSpace: { space: { name: 'A' } } },
  });
  expect(await w.admin.run(remove, { input: { id, version: 2 } })).toMatchObject({ code: 'FORBIDDEN' });
  expect(await w.stranger.run(remove, { input: { id, version: 2 } })).toMatchObject({ code: 'NOT_FOUND' });
  expect(await w.owner.run(remove, { input: { id, version: 1 } })).toMatchObject({ code: 'CONFLICT' });
  expect(await w.owner.run(remove, { input: { id, version: 2 } })).toMatchObject({
    data: { deleteSpace: { deletedSpaceId: id } },
  });
});

test('a deleted space is gone for all, keeps its slug, and comes back with all it held', async () => {
  const { id, slug } = await newSpace(w.owner, { tree: [{ path: '/a' }] });
  await w.owner.run(addMember, { input: { spaceId: id, user: { id: w.admin.id }, role: 'ADMIN' } });
  expect(await w.owner.run(restore, { input: { id } })).toMatchObject({ code: 'NOT_FOUND' });
  await w.owner.run(remove, { input: { id, version: 1 } });
  for (const person of [w.owner, w.admin])
    expect(await person.run(read, { by: { id } })).toMatchObject({ data: { space: null } });
  expect(await w.owner.run(create, { input: { slug, name: 'Twin' } })).toMatchObject({ code: 'CONFLICT' });
  expect(await w.admin.run(restore, { input: { id } })).toMatchObject({ code: 'FORBIDDEN' });
  expect(await w.stranger.run(restore, { input: { id } })).toMatchObject({ code: 'NOT_FOUND' });
  expect(await w.owner.run(restore, { input: { id } })).toMatchObject({
    data: { restoreSpace: { space: { id, version: 3, tree: { nodes: [{ path: '/a' }] } } } },
  });
  expect(await w.admin.run(read, { by: { id } })).toMatchObject({ data: { space: { viewerRole: 'ADMIN' } } });
});

test('after 30 days a deleted space stays deleted', async () => {
  const { id } = await newSpace(w.owner);
  await w.owner.run(remove, { input: { id, version: 1 } });
  await w.app.database.query(`update "Space" set "deletedAt" = "deletedAt" - interval '30 days' where id = $1`, [id]);
  expect(await w.owner.run(restore, { input: { id } })).toMatchObject({ code: 'NOT_FOUND' });
});

test('my spaces are those where I have a role, newest first, in pages', async () => {
  const ids: string[] = [];
  for (const _ of [1, 2, 3]) ids.unshift((await newSpace(w.commenter)).id);
  await newSpace(w.owner, { visibility: 'PUBLIC' });
  const page =
    'query ($after: String) { viewer { spaces(first: 2, after: $after) { pageInfo { hasNextPage endCursor } nodes { id } } } }';
  const first = await w.commenter.run(page);
  expect(first).toMatchObject({
    data: { viewer: { spaces: { pageInfo: { hasNextPage: true }, nodes: [{ id: ids[0] }, { id: ids[1] }] } } },
  });
  const { endCursor: after } = first.data.viewer.spaces.pageInfo;
  await newSpace(w.commenter);
  const { data } = await w.commenter.run(page, { after });
  expect(data.viewer.spaces.nodes[0]).toEqual({ id: ids[2] });
});

test('my spaces with owners and members take one statement a level, however many they are', async () => {
  const query =
    '{ viewer { spaces(first: 50) { nodes { slug viewerRole owner { ... on User { handle } ... on Organization { slug } } members { totalCount edges { role node { user { handle } } } } } } } }';
  await staffed();
  const few = await w.admin.run(query);
  for (const _ of [1, 2, 3]) await staffed();
  const many = await w.admin.run(query);
  expect(many.errors).toEqual([]);
  expect(many.sql.length).toBe(few.sql.length);
  expect(many.sql.length).toBeLessThanOrEqual(7);
});
