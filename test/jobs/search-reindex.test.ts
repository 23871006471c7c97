import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { notesOf } from '../support/knowledge.js';
import { tasksOf } from '../support/tasks.js';
import { treeOf } from '../support/tree.js';
import { type World, world } from '../support/world.js';

let w: World;
beforeAll(async () => {
  w = await world();
});
afterAll(() => w.close());

test('an admin has a space indexed anew: what search forgot is known again', async () => {
  const spaceId = w.space.id;
  await notesOf(w.editor, spaceId).note('Beans');
  await treeOf(w.editor, spaceId).put('/beds', 'peas');
  await w.runJobs();
  const known = async () =>
    (await w.app.database.query('select "resourceType" from "SearchText" where "spaceId" = $1', [spaceId])).length;
  const before = await known();
  expect(before).toBeGreaterThanOrEqual(2);
  await w.app.database.query('delete from "SearchText" where "spaceId" = $1', [spaceId]);
  expect(await tasksOf(w.editor, spaceId).create({ type: 'search.reindex' })).toMatchObject({ code: 'FORBIDDEN' });
  const tasks = tasksOf(w.admin, spaceId);
  const { id } = await tasks.made({ type: 'search.reindex' });
  await w.runJobs();
  const task = await tasks.task(id);
  expect(task).toMatchObject({ status: 'COMPLETED', result: { indexed: { NOTE: 1, TREE_NODE: 1 } } });
  expect(await known()).toBeGreaterThanOrEqual(before);
});
