import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Stage, stage } from '../access/stage.js';
import { freshSlug, newOrganization, newSpace } from '../support/tenancy.js';
import { type Answer, type Person, type World, world } from '../support/world.js';

let w: World;
beforeAll(async () => {
  w = await world();
});
afterAll(() => w.close());

/** Calls a mutation with a key of its own, twice or, all at once, three times. */
async function repeated(who: Person, field: string, input: object, answers: string, together = false) {
  const type = `${field[0]?.toUpperCase()}${field.slice(1)}Input`;
  const text = `mutation ($input: ${type}!) { ${field}(input: $input) @idempotent(key: "${field} ${freshSlug()}") { ${answers} eventCursor } }`;
  if (together) return Promise.all([1, 2, 3].map(() => who.run(text, { input })));
  return [await who.run(text, { input }), await who.run(text, { input })];
}

function expectSame(answers: readonly Answer[]) {
  for (const { code } of answers) expect(code).toBeNull();
  for (const { data } of answers) expect(data).toEqual(answers[0]?.data);
}

/** A space of the owner's, in which someone else is an OWNER too. */
async function sharedSpace() {
  const { id } = await newSpace(w.owner);
  const add = 'mutation ($input: AddSpaceMemberInput!) { addSpaceMember(input: $input) { spaceMember { role } } }';
  await w.owner.run(add, { input: { spaceId: id, user: { id: w.admin.id }, role: 'OWNER' } });
  return id;
}

async function sharedOrganization() {
  const { id } = await newOrganization(w.owner);
  await w.app.database.prisma.organizationMember.create({
    data: { organizationId: id, userId: w.admin.id, role: 'OWNER' },
  });
  w.app.memory.forgetAll();
  return id;
}

describe.each([
  ['one after the other', false],
  ['all at once', true],
])('a call that takes away its own right answers the same when it is repeated %s', (_, together) => {
  test('deleting and restoring a space', async () => {
    const { id } = await newSpace(w.owner);
    const answers = 'deletedSpaceId restorableUntil';
    expectSame(await repeated(w.owner, 'deleteSpace', { id, version: 1 }, answers, together));
    expectSame(await repeated(w.owner, 'restoreSpace', { id }, 'space { id version }', together));
  });

  test('leaving a space', async () => {
    const spaceId = await sharedSpace();
    expectSame(
      await repeated(w.owner, 'removeSpaceMember', { spaceId, userId: w.owner.id }, 'removedUserId', together),
    );
  });

  test('giving up one’s own rank', async () => {
    const input = { spaceId: await sharedSpace(), userId: w.owner.id, role: 'VIEWER', version: 1 };
    expectSame(await repeated(w.owner, 'updateSpaceMember', input, 'spaceMember { role }', together));
  });

  test('leaving an organization', async () => {
    const input = { organizationId: await sharedOrganization(), userId: w.owner.id };
    expectSame(await repeated(w.owner, 'removeOrganizationMember', input, 'removedUserId', together));
  });

  test('deleting an organization', async () => {
    const { id } = await newOrganization(w.owner);
    expectSame(await repeated(w.owner, 'deleteOrganization', { id, version: 1 }, 'deletedOrganizationId', together));
  });

  test('deleting and restoring a node', async () => {
    const node = { spaceId: w.space.id, path: `/${freshSlug()}` };
    await w.owner.run('mutation ($i: WriteTreeNodeInput!) { writeTreeNode(input: $i) { treeNode { id } } }', {
      i: { ...node, value: 1 },
    });
    expectSame(await repeated(w.owner, 'deleteTreeNode', node, 'deletedCount', together));
    expectSame(await repeated(w.owner, 'restoreTreeNode', node, 'treeNode { version }', together));
  });

  test.each<[string, string, (on: Stage) => object]>([
    ['deleteNote', 'deletedNoteId', ({ note }) => ({ id: note.id })],
    ['deleteLink', 'deletedLinkId', ({ link }) => ({ id: link.id })],
    ['deleteFile', 'deletedFileId', ({ file }) => ({ id: file.id, version: 1 })],
    [
      'deleteFolder',
      'deletedFolderId deletedFileCount',
      ({ folder }) => ({ id: folder.id, version: 1, recursive: true }),
    ],
    ['revokeAccess', 'revokedAccessGrantId', ({ grant }) => ({ id: grant.id })],
    ['deletePost', 'deletedPostId', ({ post }) => ({ id: post.id, version: 1 })],
    ['deleteComment', 'deletedCommentId', ({ comment }) => ({ id: comment.id, version: 1 })],
    ['createLink', 'eventCursor', ({ note, post }) => ({ sourceId: note.id, targetId: post.id, kind: 'again' })],
  ])('%s', async (field, answers, input) => {
    const on = await stage(w);
    expectSame(await repeated(w.client(on.viewer('owner', '')), field, input(on), answers, together));
  });

  test('revoking a key and an invitation', async () => {
    const key = await w.owner.run('mutation ($i: CreateApiKeyInput!) { createApiKey(input: $i) { apiKey { id } } }', {
      i: { name: 'k', scopes: ['tree:read'] },
    });
    const { id } = key.data.createApiKey.apiKey;
    expectSame(await repeated(w.owner, 'revokeApiKey', { id }, 'revokedApiKeyId', together));
    const offer = await w.owner.run(
      'mutation ($i: CreateInvitationInput!) { createInvitation(input: $i) { invitation { id } } }',
      { i: { spaceId: w.space.id, spaceRole: 'VIEWER', email: `${freshSlug()}@example.com` } },
    );
    const invitation = { id: offer.data.createInvitation.invitation.id };
    expectSame(await repeated(w.owner, 'revokeInvitation', invitation, 'revokedInvitationId', together));
  });
});

test('without the right, neither another’s key nor one’s own with other arguments answers anything', async () => {
  const spaceId = await sharedSpace();
  const leave = (who: Person, userId: string) =>
    who.run(
      'mutation ($input: RemoveSpaceMemberInput!) { removeSpaceMember(input: $input) @idempotent(key: "left") { removedUserId } }',
      { input: { spaceId, userId } },
    );
  expect((await leave(w.owner, w.owner.id)).code).toBeNull();
  expect((await leave(w.stranger, w.owner.id)).code).toBe('NOT_FOUND');
  expect((await leave(w.owner, w.admin.id)).code).toBe('NOT_FOUND');
  expect((await leave(w.owner, w.owner.id)).code).toBeNull();
});
