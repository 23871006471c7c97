import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { addJobs, job } from '../../src/core/jobs.js';
import { searchSpace } from '../../src/domains/search/service.js';
import { contextIn } from '../support/another-app.js';
import { notesOf } from '../support/knowledge.js';
import { lettersModel, lettersService } from '../support/letters.js';
import type { LocalService } from '../support/local-service.js';
import { newComment, newDraft, newPost, postsOf } from '../support/posts.js';
import { searchAs } from '../support/search.js';
import { make, newSpace } from '../support/tenancy.js';
import { treeOf } from '../support/tree.js';
import { type Person, viewerOf, type World, world } from '../support/world.js';

let w: World;
let model: LocalService;
beforeAll(async () => {
  model = await lettersService();
  w = await world({ embeddings: lettersModel(model) });
});
afterAll(async () => {
  await w.close();
  await model.close();
});

const modes = ['EXACT', 'SEMANTIC', 'HYBRID'] as const;

/** The ids that are found of `among`, in their order there. */
async function found(person: Person, text: string, among: readonly string[], more: object = {}): Promise<string[]> {
  const { data, errors } = await searchAs(person, text, { first: 100, spaceId: w.space.id, ...more });
  if (errors.length > 0) throw new Error(errors[0].message);
  const ids = new Set(data.search.nodes.map(({ node }: { node: { id: string } }) => node.id));
  return among.filter((id) => ids.has(id));
}

test.each(modes)('%s finds drafts, and the comments on them, for those who may see them', async (mode) => {
  const draft = await newDraft(w.editor, w.space.id, { title: 'Quinces', content: 'A jelly of quinces.' });
  const remark = await newComment(w.editor, draft.id, 'More quinces, please.');
  await w.runJobs();
  const both = [draft.id, remark.id];
  expect(await found(w.owner, 'quinces', both, { mode })).toEqual(both);
  for (const person of [w.viewer, w.commenter, w.guest])
    expect(await found(person, 'quinces', both, { mode })).toEqual([]);
  await postsOf(w.editor).publish({ id: draft.id, version: 1 });
  expect(await found(w.viewer, 'quinces', both, { mode })).toEqual(both);
  await postsOf(w.editor).unpublish({ id: draft.id, version: 2 });
  expect(await found(w.viewer, 'quinces', both, { mode })).toEqual([]);
});

test('words that one may not see neither help nor hinder', async () => {
  const { id } = await newSpace(w.owner);
  const member = await w.member('Mona', id, 'VIEWER');
  const ids = [(await treeOf(w.owner, id).put('/a', 'The harvest is late.')).data.writeTreeNode.treeNode.id];
  await w.runJobs();
  const mended = () => found(member, 'harvesd', ids, { spaceId: id, mode: 'EXACT' });
  expect(await mended()).toEqual(ids);
  // One hidden text has the very word, another one that is nearer to it.
  await newDraft(w.owner, id, { title: 'Hidden', content: 'harvesd' });
  await newDraft(w.owner, id, { title: 'Hidden too', content: 'harvess' });
  await w.runJobs();
  expect(await mended()).toEqual(ids);
  expect(await found(w.owner, 'harvesd', ids, { spaceId: id, mode: 'EXACT' })).toEqual([]);
});

test('everything that has text is searched, types apart or together', async () => {
  const spaceId = w.space.id;
  const post = await newPost(w.editor, spaceId, { title: 'Medlars', content: 'Blet the medlars.' });
  const comment = await newComment(w.commenter, post.id, 'Medlars are odd.');
  const node = (await treeOf(w.editor, spaceId).put('/medlars', 'Medlars are odd, and medlars are late.')).data
    .writeTreeNode.treeNode;
  const note = await notesOf(w.editor, spaceId).note('On medlars', { content: 'They ripen late.' });
  const createTask = 'mutation ($input: CreateTaskInput!) { createTask(input: $input) { task { id } } }';
  const { task } = await make<{ task: { id: string } }>(w.editor, createTask, { spaceId, title: 'Pick medlars' });
  await w.runJobs();
  const all = [post.id, comment.id, node.id, note.id, task.id];
  for (const mode of modes) expect(await found(w.viewer, 'medlars', all, { mode })).toEqual(all);
  expect(await found(w.viewer, 'medlars', all, { types: ['POST', 'TREE_NODE'] })).toEqual([post.id, node.id]);
  expect(await found(w.viewer, 'medlars', all, { types: ['COMMENT'], mode: 'SEMANTIC' })).toEqual([comment.id]);
  expect(await found(w.viewer, 'medlars', all, { types: [] })).toEqual([]);
  const key = w.client(viewerOf(w.viewer.id, { apiKeyId: 'key', scopes: new Set(['search:read', 'comments:read']) }));
  expect(await found(key, 'medlars', all)).toEqual([comment.id]);
});

test('an edited comment is found as it is, a deleted one and what hung on a deleted post no more', async () => {
  const post = await newPost(w.editor, w.space.id, { title: 'Sloes', content: 'Sloe gin.' });
  const comment = await newComment(w.commenter, post.id, 'First sloes.');
  await newComment(w.commenter, post.id, 'A reply.', comment.id);
  const other = await newComment(w.commenter, post.id, 'Other sloes.');
  await postsOf(w.commenter).editComment({ id: other.id, version: 1, content: 'Damsons instead.' });
  await w.runJobs();
  const all = [post.id, comment.id, other.id];
  expect(await found(w.viewer, 'sloes', all, { mode: 'EXACT' })).toEqual([post.id, comment.id]);
  expect(await found(w.viewer, 'damsons', all, { mode: 'EXACT' })).toEqual([other.id]);
  await postsOf(w.commenter).removeComment({ id: comment.id, version: 1 });
  await w.runJobs();
  expect(await found(w.viewer, 'sloes', all, { mode: 'EXACT' })).toEqual([post.id]);
  await postsOf(w.editor).remove({ id: post.id, version: 2 });
  await w.runJobs();
  for (const mode of modes) expect(await found(w.viewer, 'sloes damsons', all, { mode })).toEqual([]);
  await addJobs(w.app.database.query, [job('search.sweep', { spaceId: w.space.id })]);
  await w.runJobs();
  const kept = await w.app.database.query('select "resourceId" from "SearchText" where "resourceId" = any($1)', [all]);
  expect(kept).toEqual([]);
});

test('an assistant is given titles and excerpts of what its person may see', async () => {
  const { id } = await newSpace(w.owner);
  await newPost(w.owner, id, { title: 'Bletting', content: 'Leave them on straw until they are brown and soft.' });
  await w.runJobs();
  const as = (person: Person) =>
    searchSpace(contextIn(w.app, person.viewer), { spaceId: id, text: 'straw', first: 5, mode: 'HYBRID' });
  expect(await as(w.owner)).toMatchObject([
    { type: 'POST', title: 'Bletting', excerpt: expect.stringContaining('on straw until') },
  ]);
  await expect(as(w.stranger)).rejects.toMatchObject({ code: 'NOT_FOUND' });
});
