import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { purgeSpaces } from '../../src/jobs/purge-spaces.js';
import { anotherApp } from '../support/another-app.js';
import { chatting } from '../support/chats.js';
import { invite, join, make, newOrganization, newSpace } from '../support/tenancy.js';
import { treeOf } from '../support/tree.js';
import { type World, world } from '../support/world.js';

type Made = Awaited<ReturnType<typeof newSpace>>;

const dayMs = 24 * 60 * 60 * 1_000;
let later = 0;
const now = () => new Date(Date.now() + later);

let w: World;
beforeAll(async () => {
  w = await world({ now });
});
afterAll(() => w.close());

const remove = 'mutation ($input: DeleteSpaceInput!) { deleteSpace(input: $input) { deletedSpaceId } }';
const restore = 'mutation ($input: RestoreSpaceInput!) { restoreSpace(input: $input) { space { id } } }';

const createNote = 'mutation ($input: CreateNoteInput!) { createNote(input: $input) { note { id } } }';
const createLink = 'mutation ($input: CreateLinkInput!) { createLink(input: $input) { link { id } } }';
const createPost = 'mutation ($input: CreatePostInput!) { createPost(input: $input) { post { id } } }';
const createTask = 'mutation ($input: CreateTaskInput!) { createTask(input: $input) { task { id } } }';
const createComment = 'mutation ($input: CreateCommentInput!) { createComment(input: $input) { comment { id } } }';

const drop = async ({ id }: Made) =>
  expect(await w.owner.run(remove, { input: { id, version: 1 } })).toMatchObject({ code: null });

const tables = [
  'Task',
  'Comment',
  'Post',
  'Note',
  'Keyword',
  'Link',
  'AccessGrant',
  'FileVersion',
  'File',
  'UploadSession',
  'Folder',
  'TreeNode',
  'TreeNodeVersion',
  'Chat',
  'Message',
  'ChatStream',
  'SpaceMember',
  'Invitation',
];

/** How many rows of each table are of a space. */
async function held(id: string): Promise<Record<string, number>> {
  const parts = tables.map((table) => `(select count(*)::int from "${table}" where "spaceId" = $1) as "${table}"`);
  const [row] = await w.app.database.query<Record<string, number>>(
    `select (select count(*)::int from "Space" where id = $1) as "Space", ${parts.join(', ')}`,
    [id],
  );
  return row ?? {};
}

async function filled(more: object = {}): Promise<Made> {
  const space = await newSpace(w.owner, more);
  const tree = treeOf(w.owner, space.id);
  for (const path of ['/a', '/a/b', '/c']) await tree.put(path, { n: 1 });
  await tree.put('/a', 2);
  await tree.remove('/c');
  const note = () => make<{ note: Made }>(w.owner, createNote, { spaceId: space.id, title: 'Beans' });
  const [one, other] = [await note(), await note()];
  await make(w.owner, createLink, { sourceId: one.note.id, targetId: other.note.id });
  const { post } = await make<{ post: { id: string } }>(w.owner, createPost, { spaceId: space.id, title: 'A post' });
  await make(w.owner, createTask, { spaceId: space.id, title: 'A task' });
  const comment = { subjectId: post.id, content: 'A comment' };
  const { comment: top } = await make<{ comment: { id: string } }>(w.owner, createComment, comment);
  await make(w.owner, createComment, { ...comment, parentId: top.id });
  const chat = await chatting(w.owner).begin(space.id);
  await chatting(w.owner).say(chat.id, 'Hello');
  const { streamId } = await chatting(w.owner).open(chat.id);
  await chatting(w.owner).append(streamId, [{ text: 'Half' }]);
  await join(w.owner, w.editor, { spaceId: space.id, spaceRole: 'EDITOR' });
  await invite(w.owner, w.viewer, { spaceId: space.id, spaceRole: 'VIEWER' });
  return space;
}

const none = { Space: 0, ...Object.fromEntries(tables.map((table) => [table, 0])) };

test('a space goes with all it held once it can no longer be restored, and its slug is free', async () => {
  later = 0;
  const organization = await newOrganization(w.owner);
  const spaces = [await filled(), await filled({ organizationId: organization.id })];
  const [live, young] = [await filled(), await filled()];
  for (const space of spaces) await drop(space);
  later = 29 * dayMs;
  await drop(young);
  expect(await purgeSpaces(w.app)).toBe(0);
  expect(await held(spaces[0]?.id ?? '')).toMatchObject({
    Space: 1,
    TreeNode: 3,
    Note: 2,
    Keyword: 2,
    Link: 1,
    Task: 1,
    Comment: 2,
    Post: 1,
    SpaceMember: 2,
    Invitation: 2,
  });
  later = 31 * dayMs;
  expect(await purgeSpaces(w.app)).toBe(2);
  for (const { id } of spaces) {
    expect(await held(id)).toEqual(none);
    expect(await w.owner.run(restore, { input: { id } })).toMatchObject({ code: 'NOT_FOUND' });
  }
  for (const { id } of [live, young]) expect(await held(id)).toMatchObject({ Space: 1, TreeNode: 3 });
  expect(await w.owner.run(restore, { input: { id: young.id } })).toMatchObject({ code: null });
  expect(await newSpace(w.owner, { slug: spaces[0]?.slug })).toMatchObject({ slug: spaces[0]?.slug });
  expect(await purgeSpaces(w.app)).toBe(0);
});

test('a space of more than one batch goes, and two processes at it do not hinder each other', async () => {
  later = 0;
  const spaces = [await newSpace(w.owner), await newSpace(w.owner), await newSpace(w.owner)];
  for (const { id } of spaces) {
    await w.app.database.query(
      `with node as (
        insert into "TreeNode" (id, "spaceId", path, "parentPath", name, depth, value, "contentType", checksum, "sizeBytes")
        select $1 || '_' || i, $1, '/' || i, '/', i::text, 1, '1', 'application/json', '', 1 from generate_series(1, 1500) i returning *)
      insert into "TreeNodeVersion" ("nodeId", version, "spaceId", path, value, "contentType", checksum, "sizeBytes", operation)
      select id, 1, "spaceId", path, value, "contentType", checksum, "sizeBytes", 'WRITE' from node`,
      [id],
    );
    await w.owner.run(remove, { input: { id, version: 1 } });
  }
  later = 31 * dayMs;
  // By its own clock it has nothing to remove when it starts.
  const other = await anotherApp(w.databaseUrl);
  try {
    const [mine, theirs] = await Promise.all([purgeSpaces(w.app), purgeSpaces({ ...other.app, now })]);
    expect(mine + theirs).toBe(3);
  } finally {
    await other.close();
  }
  for (const { id } of spaces) expect(await held(id)).toEqual(none);
});
