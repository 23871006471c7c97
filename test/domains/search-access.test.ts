import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { lettersModel, lettersService } from '../support/letters.js';
import type { LocalService } from '../support/local-service.js';
import { pathsFound, searchAs } from '../support/search.js';
import { newSpace } from '../support/tenancy.js';
import { treeOf } from '../support/tree.js';
import { viewerOf, type World, world } from '../support/world.js';

let w: World;
let model: LocalService;
beforeAll(async () => {
  model = await lettersService();
  w = await world({ embeddings: lettersModel(model) });
  await treeOf(w.editor, w.space.id).put('/mine', 'A secret recipe for gooseberry jam.');
  await treeOf(w.owner, w.otherSpace.id).put('/theirs', 'A secret recipe for gooseberry wine.');
  await w.runJobs();
});
afterAll(async () => {
  await w.close();
  await model.close();
});

const modes = ['EXACT', 'SEMANTIC', 'HYBRID'] as const;

test.each(modes)('%s finds in the spaces of the viewer, and in no other', async (mode) => {
  const found = (who: keyof typeof people, more: object = {}) =>
    pathsFound(people[who], 'gooseberry recipe', { mode, ...more });
  const people = { viewer: w.viewer, owner: w.owner, stranger: w.stranger };
  expect(await found('viewer')).toEqual(['/mine']);
  expect((await found('owner')).sort()).toEqual(['/mine', '/theirs']);
  expect(await found('owner', { spaceId: w.space.id })).toEqual(['/mine']);
  expect(await found('owner', { spaceId: w.otherSpace.id })).toEqual(['/theirs']);
  expect(await found('stranger')).toEqual([]);
});

test('a space that one may not know of answers as one that does not exist', async () => {
  const hidden = await searchAs(w.stranger, 'gooseberry', { spaceId: w.space.id });
  const absent = await searchAs(w.stranger, 'gooseberry', { spaceId: 'space_00000000000000000000000000' });
  expect(hidden).toMatchObject({ code: 'NOT_FOUND', data: null });
  expect(hidden.errors[0]).toMatchObject({ message: absent.errors[0].message, extensions: { code: 'NOT_FOUND' } });
  expect(await searchAs(w.nobody, 'gooseberry')).toMatchObject({ code: 'UNAUTHENTICATED' });
});

test('whoever has left finds nothing more', async () => {
  const guest = await w.member('Gerda', w.space.id, 'VIEWER');
  expect(await pathsFound(guest, 'gooseberry')).toEqual(['/mine']);
  const remove = 'mutation ($input: RemoveSpaceMemberInput!) { removeSpaceMember(input: $input) { removedUserId } }';
  await w.owner.run(remove, { input: { spaceId: w.space.id, userId: guest.id } });
  expect(await pathsFound(guest, 'gooseberry')).toEqual([]);
  expect(await searchAs(guest, 'gooseberry', { spaceId: w.space.id })).toMatchObject({ code: 'NOT_FOUND' });
});

test('a public space can be searched by anyone who names it', async () => {
  const open = await newSpace(w.owner, { visibility: 'PUBLIC' });
  await treeOf(w.owner, open.id).put('/open', 'There are gooseberries for all of us.');
  await w.runJobs();
  for (const mode of modes)
    expect(await pathsFound(w.stranger, 'gooseberry', { mode, spaceId: open.id })).toEqual(['/open']);
  expect(await pathsFound(w.stranger, 'gooseberry')).toEqual([]);
});

test('a key finds within its spaces what its scopes cover', async () => {
  const key = (scopes: string[], spaceIds: string[] | null) =>
    w.client(
      viewerOf(w.owner.id, { apiKeyId: 'key', scopes: new Set(scopes), spaceIds: spaceIds && new Set(spaceIds) }),
    );
  const all = ['search:read', 'tree:read'];
  expect(await pathsFound(key(all, [w.space.id]), 'gooseberry')).toEqual(['/mine']);
  expect((await pathsFound(key(all, null), 'gooseberry recipe')).sort()).toEqual(['/mine', '/open', '/theirs']);
  expect(await pathsFound(key(['search:read'], null), 'gooseberry')).toEqual([]);
  expect(await searchAs(key(['tree:read'], null), 'gooseberry')).toMatchObject({ code: 'FORBIDDEN' });
});

describe('where many may not be seen', () => {
  let spaceId: string;
  const seen = Array.from({ length: 25 }, (_, at) => `/n/11-${at}`);
  beforeAll(async () => {
    ({ id: spaceId } = await newSpace(w.owner));
    const writes = (batch: number) =>
      Array.from({ length: 25 }, (_, at) => ({
        write: { path: `/n/${batch}-${at}`, value: `walnut cake of walnut cake number ${at} here` },
      }));
    for (let batch = 0; batch < 12; batch += 1) await treeOf(w.owner, spaceId).batch(writes(batch));
    await w.runJobs();
    // Out of sight while search still knows them, as what is hidden or deleted is until its job has run.
    const hide = `update "TreeNode" set "deletedAt" = now() where "spaceId" = $1 and path <> all($2::text[])`;
    await w.app.database.query(hide, [spaceId, seen]);
  }, 60_000);

  test.each(modes)('%s fills its pages all the same, and counts none of them', async (mode) => {
    const { data } = await searchAs(w.owner, 'walnut cake', { mode, spaceId, first: 20 });
    const paths = data.search.nodes.map(({ node }: { node: { path: string } | null }) => node?.path);
    expect(paths).toHaveLength(20);
    for (const path of paths) expect(seen).toContain(path);
    expect(data.search).toMatchObject({ totalCount: 25, pageInfo: { hasNextPage: true } });
  });
});
