import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { notesOf } from '../support/knowledge.js';
import { type World, world } from '../support/world.js';

let w: World;
beforeAll(async () => {
  w = await world();
});
afterAll(() => w.close());

const keywords = async (title: string, content: string) =>
  (await notesOf(w.editor, w.space.id).note(title, { content })).keywords;

test.each([
  [
    'Die Tomaten',
    'Wir gießen die Tomaten nicht am Abend, und die Blätter bleiben immer trocken.',
    ['tomaten', 'gießen', 'abend', 'blätter'],
  ],
  [
    'Les tomates',
    'Nous arrosons les tomates avec une eau tiède, et pas sur les feuilles.',
    ['tomates', 'arrosons', 'eau', 'tiède', 'feuilles'],
  ],
  [
    'Томаты',
    'Мы поливаем томаты утром, и не на листья, чтобы они не болели.',
    ['томаты', 'поливаем', 'утром', 'листья'],
  ],
  [
    'The tomatoes',
    'We water the tomatoes in the morning, and not on their leaves.',
    ['tomatoes', 'water', 'morning', 'leaves'],
  ],
])('%s is about no word that tells nothing in its language', async (title, content, expected) => {
  const found = await keywords(title, content);
  expect(found).toEqual(expect.arrayContaining(expected));
  for (const none of ['die', 'wir', 'nicht', 'und', 'nous', 'avec', 'une', 'мы', 'не', 'на', 'the', 'and'])
    expect(found).not.toContain(none);
});

test('a word that tells nothing elsewhere tells something here', async () => {
  expect(await keywords('Die casting', 'A die is a mould for molten metal, and the die is cooled.')).toContain('die');
});
