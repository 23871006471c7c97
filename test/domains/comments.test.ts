import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newComment, newDraft, newPost, postsOf } from '../support/posts.js';
import { newSpace } from '../support/tenancy.js';
import { treeOf } from '../support/tree.js';
import { type Person, viewerOf, type World, world } from '../support/world.js';

let w: World;
beforeAll(async () => {
  w = await world();
});
afterAll(() => w.close());

const commented = async () => (await newPost(w.editor, w.space.id)).id;
const seeById = (person: Person, id: string) =>
  person.run('query ($id: ID!) { node(id: $id) { ... on Comment { content subject { __typename } } } }', { id });

test('comments on a post and on a node of the tree are read in the order of writing', async () => {
  const node = (await treeOf(w.editor, w.space.id).put(`/c-${Math.random()}`, 1)).data.writeTreeNode.treeNode.id;
  for (const id of [await commented(), node]) {
    const made = await postsOf(w.commenter).comment({ subjectId: id, content: 'first' });
    expect(made).toMatchObject({
      data: {
        createComment: {
          eventCursor: expect.any(String),
          comment: {
            depth: 0,
            version: 1,
            isDeleted: false,
            author: { id: w.commenter.id },
            parent: null,
            subject: { id },
          },
        },
      },
    });
    await newComment(w.editor, id, 'second');
    await newComment(w.owner, id, 'reply', made.data.createComment.comment.id);
    expect(await postsOf(w.viewer).thread(id)).toMatchObject({
      totalCount: 2,
      nodes: [
        { content: 'first', replies: { totalCount: 1, nodes: [{ content: 'reply' }] } },
        { content: 'second', replies: { totalCount: 0 } },
      ],
    });
  }
});

test('a thread is eight replies deep and no deeper', async () => {
  const id = await commented();
  let parent = await newComment(w.commenter, id, 'top');
  for (let depth = 1; depth <= 8; depth += 1) {
    parent = await newComment(w.commenter, id, `${depth}`, parent.id);
    expect(parent.depth).toBe(depth);
  }
  expect(await postsOf(w.commenter).comment({ subjectId: id, content: '9', parentId: parent.id })).toMatchObject({
    code: 'BAD_USER_INPUT',
    errors: [{ extensions: { fields: [{ path: 'parentId' }] } }],
  });
  const up = `query ($id: ID!) { node(id: $id) { ... on Comment { content ${'parent { content '.repeat(8)} ${'} '.repeat(8)} } } }`;
  expect((await w.viewer.run(up, { id: parent.id })).errors).toEqual([]);
});

test('what cannot be commented on, is not there or is on something else reads the same', async () => {
  const [id, other] = [await commented(), await commented()];
  const elsewhere = await newComment(w.commenter, other, 'x');
  const secret = await newPost(w.owner, (await newSpace(w.owner)).id);
  const hidden = await newComment(w.owner, secret.id, 'x');
  const draft = await newDraft(w.editor, w.space.id);
  const refused = [
    { subjectId: w.space.id },
    { subjectId: 'nonsense' },
    { subjectId: 'post_00000000000000000000000000' },
    { subjectId: secret.id },
    { subjectId: draft.id },
    { subjectId: id, parentId: elsewhere.id },
    { subjectId: id, parentId: hidden.id },
    { subjectId: id, parentId: 'comment_00000000000000000000000000' },
  ];
  for (const input of refused) {
    const { code, errors } = await postsOf(w.commenter).comment({ content: 'x', ...input });
    expect({ input, code, message: errors[0]?.message }).toEqual({ input, code: 'NOT_FOUND', message: 'Not found.' });
  }
});

test('a comment says something, and not too much', async () => {
  const id = await commented();
  for (const content of ['', ' \n', 'x'.repeat(10_001), 'a\u0000b'])
    expect(await postsOf(w.commenter).comment({ subjectId: id, content })).toMatchObject({ code: 'BAD_USER_INPUT' });
  expect((await newComment(w.commenter, id, ' x '.repeat(3_333))).depth).toBe(0);
});

test('only its author changes a comment, from the version they saw', async () => {
  const { id } = await newComment(w.commenter, await commented(), 'old');
  for (const person of [w.owner, w.editor])
    expect(await postsOf(person).editComment({ id, version: 1, content: 'theirs' })).toMatchObject({
      code: 'FORBIDDEN',
    });
  const mine = postsOf(w.commenter);
  expect(await mine.editComment({ id, version: 1, content: 'new' })).toMatchObject({
    data: { updateComment: { comment: { content: 'new', version: 2 } } },
  });
  expect(await mine.editComment({ id, version: 1, content: 'newer' })).toMatchObject({
    code: 'CONFLICT',
    errors: [{ extensions: { currentVersion: 2 } }],
  });
  expect(await mine.removeComment({ id, version: 1 })).toMatchObject({ code: 'CONFLICT' });
});

test('a comment is deleted by its author or an admin, by nobody else', async () => {
  const subject = await commented();
  const [one, two] = [await newComment(w.commenter, subject, 'a'), await newComment(w.commenter, subject, 'b')];
  expect(await postsOf(w.editor).removeComment({ id: one.id, version: 1 })).toMatchObject({ code: 'FORBIDDEN' });
  expect(await postsOf(w.stranger).removeComment({ id: one.id, version: 1 })).toMatchObject({ code: 'NOT_FOUND' });
  expect(await postsOf(w.commenter).removeComment({ id: one.id, version: 1 })).toMatchObject({
    data: { deleteComment: { deletedCommentId: one.id, comment: null } },
  });
  expect((await postsOf(w.admin).removeComment({ id: two.id, version: 1 })).code).toBeNull();
  expect(await postsOf(w.viewer).thread(subject)).toMatchObject({ totalCount: 0, nodes: [] });
});

test('a deleted comment keeps its place until its last reply goes', async () => {
  const subject = await commented();
  const top = await newComment(w.commenter, subject, 'top secret');
  const middle = await newComment(w.commenter, subject, 'middle', top.id);
  const leaves = [
    await newComment(w.editor, subject, 'one', middle.id),
    await newComment(w.owner, subject, 'two', middle.id),
  ];
  const mine = postsOf(w.commenter);
  for (const { id } of [top, middle])
    expect(await mine.removeComment({ id, version: 1 })).toMatchObject({
      data: {
        deleteComment: { deletedCommentId: id, comment: { content: '', isDeleted: true, author: null, version: 2 } },
      },
    });
  expect(await postsOf(w.viewer).thread(subject)).toMatchObject({
    totalCount: 1,
    nodes: [{ content: '', isDeleted: true, author: null, replies: { nodes: [{ content: '', isDeleted: true }] } }],
  });
  const rows = await w.app.database.query('select content, "authorId" from "Comment" where id = $1', [top.id]);
  expect(rows).toEqual([{ content: '', authorId: null }]);
  expect(await mine.comment({ subjectId: subject, content: 'x', parentId: top.id })).toMatchObject({
    code: 'CONFLICT',
  });
  expect(await mine.editComment({ id: top.id, version: 2, content: 'x' })).toMatchObject({ code: 'NOT_FOUND' });
  expect(await mine.removeComment({ id: top.id, version: 2 })).toMatchObject({ code: 'FORBIDDEN' });
  expect(await postsOf(w.admin).removeComment({ id: top.id, version: 2 })).toMatchObject({ code: 'NOT_FOUND' });
  const [one, two] = leaves;
  await postsOf(w.editor).removeComment({ id: one?.id, version: 1 });
  expect((await postsOf(w.viewer).thread(subject)).totalCount).toBe(1);
  await postsOf(w.owner).removeComment({ id: two?.id, version: 1 });
  expect((await postsOf(w.viewer).thread(subject)).totalCount).toBe(0);
  expect(await w.app.database.query('select id from "Comment" where "subjectId" = $1', [subject])).toEqual([]);
});

test('replies and deletions at the same time leave no reply without its thread', async () => {
  const subject = await commented();
  for (let round = 0; round < 5; round += 1) {
    const top = await newComment(w.commenter, subject, 'top');
    const replies = [1, 2, 3].map((at) =>
      postsOf(w.editor).comment({ subjectId: subject, content: `${at}`, parentId: top.id }),
    );
    const removal = postsOf(w.commenter).removeComment({ id: top.id, version: 1 });
    expect((await removal).code).toBeNull();
    const made = (await Promise.all(replies)).filter(({ code }) => code === null);
    for (const { code } of await Promise.all(replies)) expect([null, 'CONFLICT', 'NOT_FOUND']).toContain(code);
    const left = await w.app.database.query<{ n: number }>(
      'select count(*)::int as n from "Comment" where "parentId" = $1 or id = $1',
      [top.id],
    );
    expect(left[0]?.n).toBe(made.length === 0 ? 0 : made.length + 1);
  }
});

test('who does not see the subject sees none of its comments, by whichever way', async () => {
  const open = await newSpace(w.owner, { visibility: 'PUBLIC' });
  const draft = await newDraft(w.owner, open.id);
  const top = await newComment(w.owner, draft.id, 'unseen');
  const reply = await newComment(w.owner, draft.id, 'unseen too', top.id);
  const node = (await treeOf(w.owner, open.id).put('/gone', 1)).data.writeTreeNode.treeNode.id;
  const onNode = await newComment(w.owner, node, 'goes with its node');
  expect(await seeById(w.stranger, onNode.id)).toMatchObject({ data: { node: { content: 'goes with its node' } } });
  await treeOf(w.owner, open.id).remove('/gone');
  const key = w.client(viewerOf(w.owner.id, { apiKeyId: 'k', spaceIds: new Set([w.space.id]) }));
  for (const person of [w.stranger, key]) {
    for (const { id } of [top, reply, onNode]) expect((await seeById(person, id)).data).toEqual({ node: null });
    expect(await postsOf(person).thread(draft.id)).toBeUndefined();
    const theirs = postsOf(person);
    const refused = [
      await theirs.editComment({ id: top.id, version: 1, content: 'x' }),
      await theirs.removeComment({ id: top.id, version: 1 }),
      await theirs.comment({ subjectId: draft.id, content: 'x', parentId: top.id }),
    ];
    expect(refused.map(({ code }) => code)).toEqual(['NOT_FOUND', 'NOT_FOUND', 'NOT_FOUND']);
    await expect(
      person.hear('subscription ($id: ID!) { commentsChanged(subjectId: $id) { type } }', { id: draft.id }),
    ).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  }
  expect((await seeById(w.owner, onNode.id)).data).toEqual({ node: null });
  expect((await seeById(w.owner, reply.id)).data).toMatchObject({ node: { content: 'unseen too' } });
  await treeOf(w.owner, open.id).restore('/gone');
  expect((await seeById(w.owner, onNode.id)).data).toMatchObject({ node: { content: 'goes with its node' } });
});

test('a long thread is read in pages, each of one statement', async () => {
  const id = await commented();
  for (let at = 0; at < 5; at += 1) {
    const top = await newComment(w.commenter, id, `${at}`);
    for (let reply = 0; reply <= at; reply += 1) await newComment(w.editor, id, `${at}.${reply}`, top.id);
  }
  const mine = postsOf(w.viewer);
  const seen: string[] = [];
  let after: string | null = null;
  do {
    const page = await mine.thread(id, { first: 2, after });
    expect(page.totalCount).toBe(5);
    for (const node of page.nodes) {
      seen.push(node.content);
      expect(node.replies.totalCount).toBe(Number(node.content) + 1);
    }
    after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
  } while (after !== null);
  expect(seen).toEqual(['0', '1', '2', '3', '4']);
  const query = (first: number) =>
    `query ($id: ID!) { node(id: $id) { ... on Post { comments(first: ${first}) { totalCount nodes { content author { handle } subject { ... on Post { title } } replies { totalCount nodes { content author { handle } } } } } } } }`;
  const few = await w.viewer.run(query(1), { id });
  const many = await w.viewer.run(query(5), { id });
  expect(many.errors).toEqual([]);
  expect(many.sql.length).toBe(few.sql.length);
  expect(many.sql.length).toBeLessThanOrEqual(9);
});

test('who closes their account leaves what they wrote, without their name', async () => {
  const someone = await w.member('Ida', w.space.id, 'EDITOR');
  const { id } = await newPost(someone, w.space.id, { title: 'Left behind' });
  await newComment(someone, id, 'so is this');
  await postsOf(someone).read({ id });
  const close = 'mutation { deleteUser(input: { mode: ANONYMIZE }) { deletedUserId } }';
  expect((await someone.run(close)).code).toBeNull();
  expect(await postsOf(w.viewer).read({ id })).toMatchObject({ title: 'Left behind', author: null });
  expect(await postsOf(w.viewer).thread(id)).toMatchObject({ nodes: [{ content: 'so is this', author: null }] });
});
