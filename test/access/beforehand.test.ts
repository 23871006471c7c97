import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { scopes } from '../../src/core/actions.js';
import { newId } from '../../src/core/ids.js';
import { viewerOf, type World, world } from '../support/world.js';

let w: World;
beforeAll(async () => {
  w = await world();
});
afterAll(() => w.close());

const keyOf = (userId: string, held: readonly string[]) =>
  w.client(viewerOf(userId, { apiKeyId: newId('key'), scopes: new Set(held) }));

test('a key that may not read what a mutation answers is refused before anything is changed', async () => {
  const key = keyOf(w.editor.id, ['tree:write']);
  const input = { spaceId: w.space.id, path: '/unseen', value: 1 };
  const document = (selection: string) =>
    `mutation ($input: WriteTreeNodeInput!) { writeTreeNode(input: $input) { ...F } } fragment F on WriteTreeNodePayload { ${selection} }`;
  expect((await key.run(document('treeNode { id }'), { input })).code).toBe('FORBIDDEN');
  const read = 'query ($id: ID!) { treeNode(spaceId: $id, path: "/unseen") { exists } }';
  expect((await w.viewer.run(read, { id: w.space.id })).data.treeNode.exists).toBe(false);
  expect((await key.run(document('eventCursor'), { input })).code).toBeNull();
});

test('no key closes an account, whatever it may do', async () => {
  const someone = await w.person('Sam');
  const close = 'mutation { deleteUser(input: { mode: ANONYMIZE }) { deletedUserId } }';
  expect((await keyOf(someone.id, scopes).run(close)).code).toBe('FORBIDDEN');
  expect((await someone.run(close)).code).toBeNull();
});

test('who closes their account does nothing after it, not even in the same document', async () => {
  const someone = await w.person('Sue');
  const document = `mutation {
    deleteUser(input: { mode: ANONYMIZE }) { deletedUserId }
    createSpace(input: { slug: "after", name: "After" }) { space { id } }
  }`;
  const { errors } = await someone.run(document);
  expect(errors).toMatchObject([{ path: ['createSpace'], extensions: { code: 'UNAUTHENTICATED' } }]);
  expect(await w.app.database.prisma.space.count({ where: { ownerUserId: someone.id } })).toBe(0);
});

test('a list tells a key no more than its items would', async () => {
  const key = keyOf(w.owner.id, ['account:read']);
  expect((await key.run('{ viewer { spaces { totalCount edges { cursor } } } }')).code).toBe('FORBIDDEN');
});

test('values that are no cursor of a list are the mistake of the caller', async () => {
  const list =
    'query ($after: String) { viewer { spaces(first: 1, after: $after) { nodes { id } pageInfo { endCursor } } } }';
  const { data } = await w.owner.run(list);
  const [tag] = JSON.parse(Buffer.from(data.viewer.spaces.pageInfo.endCursor, 'base64url').toString());
  for (const value of [-1, 1.5, 1e20, 'x', '\u0000']) {
    const after = Buffer.from(JSON.stringify([tag, value])).toString('base64url');
    expect([null, 'BAD_USER_INPUT']).toContain((await w.owner.run(list, { after })).code);
  }
  const members =
    'query ($id: ID!, $after: String) { space(by: { id: $id }) { members(first: 1, after: $after) { pageInfo { endCursor } } } }';
  const first = (await w.owner.run(members, { id: w.space.id })).data.space.members.pageInfo.endCursor;
  const [memberTag] = JSON.parse(Buffer.from(first, 'base64url').toString());
  for (const values of [
    ['x', 'y'],
    [-1, 'y'],
    [1e20, 5],
  ]) {
    const after = Buffer.from(JSON.stringify([memberTag, ...values])).toString('base64url');
    expect((await w.owner.run(members, { id: w.space.id, after })).code).toBe('BAD_USER_INPUT');
  }
});
