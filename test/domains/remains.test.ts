import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Door, documents, doorOf, filesOf } from '../support/files.js';
import { notesOf } from '../support/knowledge.js';
import { tasksOf } from '../support/tasks.js';
import { treeOf } from '../support/tree.js';
import { type World, world } from '../support/world.js';

let w: World;
let door: Door;
beforeAll(async () => {
  w = await world();
  door = await doorOf(w.app);
});
afterAll(async () => {
  await door.close();
  await w.close();
});

const comment = (subjectId: string, parentId?: string) =>
  w.commenter.run(
    'mutation ($input: CreateCommentInput!) { createComment(input: $input) { comment { id subject { __typename } } } }',
    {
      input: { subjectId, content: 'A remark', ...(parentId && { parentId }) },
    },
  );
const left = async (id: string) => [
  (await w.app.database.query('select from "Comment" where "subjectId" = $1', [id])).length,
  (await w.app.database.query('select from "Link" where $1 in ("sourceId", "targetId")', [id])).length,
];

/** Things that comments hang on: how one is made, and how it goes. */
const kinds = {
  Note: async () => {
    const notes = notesOf(w.editor, w.space.id);
    const { id } = await notes.note('A note');
    return { id, remove: () => notes.remove({ id }) };
  },
  File: async () => {
    const files = filesOf(w.editor, w.space.id, door);
    const { id, version } = await files.upload(Buffer.from('hello'), { visibility: 'SPACE' });
    return { id, remove: () => files.run(documents.remove, { id, version }) };
  },
  TreeNode: async () => {
    const tree = treeOf(w.editor, w.space.id);
    const { data } = await tree.put('/commented', 1);
    return { id: data.writeTreeNode.treeNode.id, remove: () => tree.remove('/commented') };
  },
} as const;

describe.each(Object.entries(kinds))('a %s', (type, make) => {
  test('takes its comments and links along when it goes', async () => {
    const notes = notesOf(w.editor, w.space.id);
    const other = await notes.note('The other end');
    const { id, remove } = await make();
    const first = (await comment(id)).data.createComment.comment;
    expect(first.subject.__typename).toBe(type);
    await comment(id, first.id);
    await notes.linked(other.id, id);
    expect(await notes.seen(other.id)).toHaveLength(1);
    expect((await remove()).code).toBeNull();
    expect(await notes.seen(other.id)).toEqual([]);
    expect((await comment(id)).code).toBe('NOT_FOUND');
    await w.runJobs();
    expect(await left(id)).toEqual([0, 0]);
  });
});

test('a task is talked about by the members of its space', async () => {
  const { id } = await tasksOf(w.editor, w.space.id).made({ type: 'manual', title: 'Rake' });
  expect((await comment(id)).code).toBeNull();
  const seen = `query ($id: ID!) { task(id: $id) { comments { nodes { content } } } }`;
  expect((await w.viewer.run(seen, { id })).data.task.comments.nodes).toEqual([{ content: 'A remark' }]);
  expect((await w.stranger.run(seen, { id })).data.task).toBeNull();
});
