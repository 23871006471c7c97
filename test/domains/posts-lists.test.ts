import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newComment, newDraft, newPost, postsOf } from '../support/posts.js';
import { newSpace } from '../support/tenancy.js';
import { type World, world } from '../support/world.js';

let w: World;
beforeAll(async () => {
  w = await world();
});
afterAll(() => w.close());

const addMember = 'mutation ($input: AddSpaceMemberInput!) { addSpaceMember(input: $input) { spaceMember { role } } }';

/** A space with posts a (published last), b (a draft) and c (published first) of the owner's, and d (a draft) of an editor's. */
async function shelf(more: object = {}) {
  const { id } = await newSpace(w.owner, more);
  await w.owner.run(addMember, { input: { spaceId: id, user: { id: w.editor.id }, role: 'EDITOR' } });
  const a = await newDraft(w.owner, id, { title: 'a' });
  const b = await newDraft(w.owner, id, { title: 'b' });
  const c = await newPost(w.owner, id, { title: 'c' });
  const d = await newDraft(w.editor, id, { title: 'd' });
  // Publications of one millisecond would be ordered by id.
  await w.app.database.query(`update "Post" set "publishedAt" = "publishedAt" - interval '1 hour' where id = $1`, [
    c.id,
  ]);
  await postsOf(w.owner).publish({ id: a.id, version: 1 });
  return { id, a, b, c, d };
}

test('posts are listed by creation or publication, of all or one author, drafts or published', async () => {
  const { id } = await shelf();
  const titles = async (filter: object | null, orderBy?: string) =>
    (await postsOf(w.owner).titles(id, { filter, ...(orderBy && { orderBy }) })).join('');
  expect(await titles(null)).toBe('dcba');
  expect(await titles({})).toBe('dcba');
  expect(await titles({ isPublished: null, authorId: null })).toBe('dcba');
  expect(await titles({ isPublished: true })).toBe('ca');
  expect(await titles({ isPublished: false })).toBe('db');
  expect(await titles({ authorId: w.owner.id })).toBe('cba');
  expect(await titles({ authorId: w.editor.id, isPublished: false })).toBe('d');
  expect(await titles({ authorId: w.stranger.id })).toBe('');
  expect(await titles(null, 'PUBLISHED_DESC')).toBe('ac');
  expect(await titles({ authorId: w.owner.id }, 'PUBLISHED_DESC')).toBe('ac');
  expect(await titles({ isPublished: false }, 'PUBLISHED_DESC')).toBe('');
});

test('pages go forth and back, and a cursor holds for its own list only', async () => {
  const { id } = await shelf();
  const mine = postsOf(w.owner);
  for (const [orderBy, whole] of [
    ['CREATED_DESC', 'dcba'],
    ['PUBLISHED_DESC', 'ac'],
  ] as const) {
    let seen = '';
    let after: string | null = null;
    do {
      const page = await mine.list(id, { orderBy, first: 1, after });
      expect(page.totalCount).toBe(whole.length);
      seen += page.nodes[0].title;
      after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
    } while (after !== null);
    expect(seen).toBe(whole);
    const last = await mine.list(id, { orderBy, last: 1 });
    expect(last.nodes[0].title).toBe(whole.at(-1));
    expect((await mine.list(id, { orderBy, last: 5, before: last.pageInfo.startCursor })).nodes).toHaveLength(
      whole.length - 1,
    );
  }
  const { endCursor } = (await mine.list(id, { first: 1 })).pageInfo;
  const query =
    'query ($id: ID!, $after: String, $orderBy: PostOrder! = CREATED_DESC, $filter: PostFilter) { space(by: { id: $id }) { posts(first: 1, after: $after, orderBy: $orderBy, filter: $filter) { nodes { id } } } }';
  for (const other of [{ orderBy: 'PUBLISHED_DESC' }, { filter: { isPublished: true } }])
    expect(await w.owner.run(query, { id, after: endCursor, ...other })).toMatchObject({ code: 'BAD_USER_INPUT' });
});

test('in a public space anyone reads what is published, and its comments, and nothing of drafts', async () => {
  const { id, a, b, c } = await shelf({ visibility: 'PUBLIC' });
  await newComment(w.owner, a.id, 'for all');
  await newComment(w.owner, b.id, 'on a draft');
  for (const person of [w.nobody, w.stranger]) {
    const theirs = postsOf(person);
    expect(await theirs.list(id)).toMatchObject({ totalCount: 2, nodes: [{ id: c.id }, { id: a.id }] });
    expect(await theirs.titles(id, { filter: { isPublished: false } })).toEqual([]);
    expect(await theirs.read({ id: a.id })).toMatchObject({
      title: 'a',
      author: { id: w.owner.id },
      comments: { totalCount: 1, nodes: [{ content: 'for all' }] },
    });
    expect(await theirs.read({ slug: { spaceId: id, slug: 'a' } })).toMatchObject({ id: a.id });
    for (const by of [{ id: b.id }, { slug: { spaceId: id, slug: 'b' } }]) expect(await theirs.read(by)).toBeNull();
  }
  for (const [person, code] of [
    [w.nobody, 'UNAUTHENTICATED'],
    [w.stranger, 'FORBIDDEN'],
  ] as const) {
    expect(await postsOf(person).create({ spaceId: id, title: 'x' })).toMatchObject({ code });
    expect(await postsOf(person).comment({ subjectId: a.id, content: 'x' })).toMatchObject({ code });
    expect(await postsOf(person).update({ id: a.id, version: 2, title: 'x' })).toMatchObject({ code });
  }
  await postsOf(w.owner).unpublish({ id: a.id, version: 2 });
  expect(await postsOf(w.nobody).read({ id: a.id })).toBeNull();
  const space = await newSpace(w.owner);
  const hidden = await newPost(w.owner, space.id);
  expect(await postsOf(w.nobody).read({ id: hidden.id })).toBeNull();
  expect(await postsOf(w.nobody).list(space.id)).toBeNull();
});

test('a draft is seen by who writes and by its author, for as long as they have a role', async () => {
  const { id } = await newSpace(w.owner);
  const made = await w.owner.run(addMember, { input: { spaceId: id, user: { id: w.editor.id }, role: 'EDITOR' } });
  expect(made.code).toBeNull();
  await w.owner.run(addMember, { input: { spaceId: id, user: { id: w.viewer.id }, role: 'VIEWER' } });
  const draft = await newDraft(w.editor, id);
  const change = `mutation ($input: UpdateSpaceMemberInput!) { updateSpaceMember(input: $input) { spaceMember { version } } }`;
  const member = { spaceId: id, userId: w.editor.id };
  expect((await w.owner.run(change, { input: { ...member, role: 'VIEWER', version: 1 } })).code).toBeNull();
  expect(await postsOf(w.editor).read({ id: draft.id })).toMatchObject({ isPublished: false });
  expect(await postsOf(w.viewer).read({ id: draft.id })).toBeNull();
  expect(await postsOf(w.editor).update({ id: draft.id, version: 1, title: 'x' })).toMatchObject({ code: 'FORBIDDEN' });
  const remove = 'mutation ($input: RemoveSpaceMemberInput!) { removeSpaceMember(input: $input) { removedUserId } }';
  await w.owner.run(remove, { input: member });
  expect(await postsOf(w.editor).read({ id: draft.id })).toBeNull();
});

test('posts of all my spaces with authors and comments take one statement a level, however many they are', async () => {
  const query = `{ viewer { spaces(first: 50) { nodes { posts(first: 10, orderBy: PUBLISHED_DESC, filter: { isPublished: true }) { totalCount
    nodes { slug excerpt viewCount author { handle } comments(first: 5) { totalCount nodes { content author { handle } replies(first: 5) { nodes { content } } } } } } } } } }`;
  const fill = async () => {
    const { id, a, c } = await shelf();
    for (const post of [a, c]) {
      const top = await newComment(w.owner, post.id, 'top');
      await newComment(w.editor, post.id, 'reply', top.id);
    }
    return id;
  };
  await fill();
  const few = await w.owner.run(query);
  for (const _ of [1, 2, 3]) await fill();
  const many = await w.owner.run(query);
  expect(many.errors).toEqual([]);
  expect(JSON.stringify(many.data).match(/"reply"/g)?.length).toBe(8);
  expect(many.sql.length).toBe(few.sql.length);
  // Roles, spaces, posts and their counts, comments and their counts, replies, authors of posts and of comments.
  expect(many.sql.length).toBeLessThanOrEqual(9);
});

test('one page of a space’s posts comes with the space', async () => {
  const { id } = await shelf();
  const query = 'query ($id: ID!) { space(by: { id: $id }) { posts(first: 3) { nodes { title excerpt } } } }';
  w.app.memory.forgetAll();
  const answer = await w.owner.run(query, { id });
  expect(answer.sql).toHaveLength(2);
  expect(answer.sql.join()).not.toContain('"content"');
});
