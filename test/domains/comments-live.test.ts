import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newComment, newPost, postsOf } from '../support/posts.js';
import { type World, world } from '../support/world.js';

let w: World;
beforeAll(async () => {
  w = await world();
});
afterAll(() => w.close());

const follow = `subscription ($id: ID!, $after: EventCursor) { commentsChanged(subjectId: $id, after: $after) {
  cursor type commentId comment { content isDeleted author { id } } } }`;

test('followers hear of every change of the comments on their subject, and of no other', async () => {
  const [{ id }, other] = [await newPost(w.editor, w.space.id), await newPost(w.editor, w.space.id)];
  const stream = await w.viewer.hear(follow, { id });
  await newComment(w.editor, other.id, 'elsewhere');
  const top = await newComment(w.commenter, id, 'first');
  const change = { commentId: top.id, cursor: expect.any(String) };
  expect(await stream.next()).toEqual({
    commentsChanged: {
      ...change,
      type: 'comment.created',
      comment: { content: 'first', isDeleted: false, author: { id: w.commenter.id } },
    },
  });
  await postsOf(w.commenter).editComment({ id: top.id, version: 1, content: 'better' });
  expect(await stream.next()).toMatchObject({
    commentsChanged: { ...change, type: 'comment.updated', comment: { content: 'better' } },
  });
  const reply = await newComment(w.editor, id, 'reply', top.id);
  expect(await stream.next()).toMatchObject({
    commentsChanged: { commentId: reply.id, comment: { content: 'reply' } },
  });
  await postsOf(w.commenter).removeComment({ id: top.id, version: 2 });
  expect(await stream.next()).toMatchObject({
    commentsChanged: { ...change, type: 'comment.deleted', comment: { content: '', isDeleted: true, author: null } },
  });
  await postsOf(w.editor).removeComment({ id: reply.id, version: 1 });
  // The last reply takes the place that was kept for it along.
  const gone = [await stream.next(), await stream.next()].map(({ commentsChanged }) => commentsChanged);
  expect(gone).toMatchObject([
    { commentId: reply.id, type: 'comment.deleted', comment: null },
    { commentId: top.id, type: 'comment.deleted', comment: null },
  ]);
  await stream.stop();
});

test('who comes back with a cursor hears what they missed, as it is now', async () => {
  const { id } = await newPost(w.editor, w.space.id);
  const made = await postsOf(w.commenter).comment({ subjectId: id, content: 'one' });
  const after = made.data.createComment.eventCursor;
  const { id: firstId } = made.data.createComment.comment;
  await newComment(w.commenter, id, 'two');
  await postsOf(w.commenter).editComment({ id: firstId, version: 1, content: 'one, changed' });
  const stream = await w.viewer.hear(follow, { id, after });
  const heard: string[] = [];
  while (heard.at(-1) !== 'comment.updated one, changed') {
    const { commentsChanged: change } = await stream.next();
    heard.push(`${change.type} ${change.comment.content}`);
  }
  // The change that the cursor is of may be heard again.
  expect(heard.filter((line) => line !== 'comment.created one, changed')).toEqual([
    'comment.created two',
    'comment.updated one, changed',
  ]);
  await stream.stop();
});

test('who sees the subject no longer hears no more of it, from that moment on', async () => {
  const { id } = await newPost(w.editor, w.space.id);
  const [theirs, ours] = [await w.viewer.hear(follow, { id }), await w.editor.hear(follow, { id })];
  await postsOf(w.editor).unpublish({ id, version: 2 });
  await expect(theirs.next()).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await newComment(w.editor, id, 'among us');
  expect(await ours.next()).toMatchObject({ commentsChanged: { comment: { content: 'among us' } } });
  await postsOf(w.editor).remove({ id, version: 3 });
  await expect(ours.next()).rejects.toMatchObject({ code: 'NOT_FOUND' });
});
