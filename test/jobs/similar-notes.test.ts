import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { notesOf } from '../support/knowledge.js';
import { lettersModel, lettersService } from '../support/letters.js';
import type { LocalService } from '../support/local-service.js';
import { newSpace } from '../support/tenancy.js';
import { type World, world } from '../support/world.js';

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

// To this model, what is made of the same letters means the same.
test('notes that mean the same in other words are linked, those of another space are not', async () => {
  const [here, there] = [await newSpace(w.editor), await newSpace(w.editor)];
  const notes = notesOf(w.editor, here.id);
  const one = await notes.note('listen silent', { content: 'listen silent listen silent' });
  const unlike = await notes.note('buzz jazz', { content: 'fuzzy pizza puzzle jacuzzi' });
  await notesOf(w.editor, there.id).note('enlist tinsel', { content: 'enlist tinsel enlist tinsel' });
  await w.runJobs();
  expect(await notes.seen(one.id)).toEqual([]);
  const other = await notes.note('tinsel enlist', { content: 'tinsel enlist tinsel enlist' });
  await w.runJobs();
  const [link, ...more] = await notes.seen(one.id);
  expect(more).toEqual([]);
  expect(link).toMatchObject({ origin: 'AUTO', source: { id: other.id }, sharedKeywords: [] });
  expect(link?.score).toBeGreaterThan(0.9);
  expect(await notes.seen(unlike.id)).toEqual([]);
});
