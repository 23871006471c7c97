import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { pathsFound, searchAs } from '../support/search.js';
import { treeOf } from '../support/tree.js';
import { type World, world } from '../support/world.js';

let w: World;
beforeAll(async () => {
  w = await world();
  const tree = treeOf(w.editor, w.space.id);
  await tree.put('/beds/tomatoes', {
    title: 'Tomatoes',
    text: 'Water the tomatoes in the morning, and never on their leaves.',
  });
  await tree.put('/beds/lettuce', { text: 'Slugs eat lettuce at night. A ring of copper keeps them away.' });
  await tree.put('/kitchen/creme', { text: 'Crème brûlée: burn the sugar with a torch/burner.' });
  await tree.put('/office/tax', { text: 'The quarterly tax report is due at the end of April.', amount: 4711 });
  await tree.put('/office/zylphorix', { text: 'Zylphorix is the name of our supplier.' });
  await tree.put('/contact/support.txt', {
    text: 'Write to help@canopy-garden.example, or see www.canopy-garden.example/faq.',
  });
  await w.runJobs();
});
afterAll(() => w.close());

const exact = (text: string, more: object = {}) => pathsFound(w.viewer, text, { mode: 'EXACT', ...more });
const semantic = (text: string) => pathsFound(w.viewer, text, { mode: 'SEMANTIC' });

describe('by words', () => {
  test('what has all of them comes before what has some', async () => {
    expect(await exact('watering tomato')).toEqual(['/beds/tomatoes']);
    expect(await exact('water lettuce slugs')).toEqual(['/beds/lettuce', '/beds/tomatoes']);
    const { data } = await searchAs(w.viewer, 'water lettuce', { mode: 'EXACT' });
    expect(data.search.nodes.map(({ reasons }: { reasons: string[] }) => reasons)).toEqual([
      ['SOME_WORDS'],
      ['SOME_WORDS'],
    ]);
  });

  test('accents, capitals, endings, paths, numbers and slashes are no obstacle', async () => {
    expect(await exact('CREME brulee')).toEqual(['/kitchen/creme']);
    expect(await exact('burners')).toEqual(['/kitchen/creme']);
    expect(await exact('office 4711')).toContain('/office/tax');
    expect(await exact('beds')).toHaveLength(2);
  });

  test('parts of addresses and names of files are words, and are shown as they stand', async () => {
    for (const text of ['help@canopy-garden.example', 'canopy garden', 'faq', 'support.txt', '"canopy-garden"'])
      expect({ text, found: await exact(text) }).toEqual({ text, found: ['/contact/support.txt'] });
    const { data } = await searchAs(w.viewer, 'garden', { mode: 'EXACT' });
    const [{ text, matches }] = data.search.nodes[0].highlights;
    expect(text).toBe('Write to help@canopy-garden.example, or see www.canopy-garden.example/faq');
    expect(matches.map(({ start, end }: { start: number; end: number }) => text.slice(start, end))).toEqual([
      'garden',
      'garden',
    ]);
  });

  test('a misspelled word finds what looks like it', async () => {
    const { data } = await searchAs(w.viewer, 'letuce slugs', { mode: 'EXACT' });
    expect(data.search.nodes[0]).toMatchObject({ reasons: ['SPELLING'], node: { path: '/beds/lettuce' } });
    expect(await exact('zilphorix')).toEqual(['/office/zylphorix']);
    expect(await exact('tomatose')).toEqual(['/beds/tomatoes']);
  });

  test('phrases, words to leave out and alternatives are understood', async () => {
    expect(await exact('"ring of copper"')).toEqual(['/beds/lettuce']);
    expect(await exact('"copper of ring"')).toEqual([]);
    expect(await exact('office -supplier')).toEqual(['/office/tax']);
    expect((await exact('slugs or sugar')).sort()).toEqual(['/beds/lettuce', '/kitchen/creme']);
  });

  test('a word that is left out is left out of what is near in meaning too', async () => {
    const both = (text: string) => pathsFound(w.viewer, text, { mode: 'HYBRID' });
    expect(await both('watering tomatoes')).toContain('/beds/tomatoes');
    expect(await both('watering tomatoes -mornings')).not.toContain('/beds/tomatoes');
    expect(await both('watering tomatoes -"water the tomatoes"')).not.toContain('/beds/tomatoes');
    expect(await both('watering tomatoes -"tomatoes the water"')).toContain('/beds/tomatoes');
  });

  test('nothing is found of nothing, and no text breaks it', async () => {
    for (const text of ['the of and', '!!!', "'); drop table", ':*&|!<->', '((', '\\', '"', '-', 'xylophone quux'])
      expect({ text, found: await exact(text) }).toEqual({ text, found: [] });
  });
});

describe('by meaning', () => {
  test('what is near comes first, whatever its words', async () => {
    expect((await semantic('protect salad from snails'))[0]).toBe('/beds/lettuce');
    expect((await semantic('money owed to the government'))[0]).toBe('/office/tax');
    expect((await semantic('dessert'))[0]).toBe('/kitchen/creme');
  });

  test('a name that means nothing is found by its look', async () => {
    expect((await semantic('Zylphorix'))[0]).toBe('/office/zylphorix');
  });
});

test('both together say why, and show where', async () => {
  const { data } = await searchAs(w.viewer, 'slugs eating lettuce');
  const [first] = data.search.nodes;
  expect(first).toMatchObject({
    node: { __typename: 'TreeNode', path: '/beds/lettuce' },
    reasons: ['WORDS', 'MEANING'],
  });
  expect(data.search.degraded).toEqual([]);
  const { text, matches } = first.highlights.find(({ field }: { field: string }) => field === 'BODY');
  expect(matches.map(({ start, end }: { start: number; end: number }) => text.slice(start, end))).toEqual([
    'Slugs',
    'eat',
    'lettuce',
  ]);
  const title = first.highlights.find(({ field }: { field: string }) => field === 'TITLE');
  expect(title.text.slice(title.matches[0].start, title.matches[0].end)).toContain('lettuce');
});

test('pages follow each other without gap or repetition', async () => {
  const all = await pathsFound(w.viewer, 'tomatoes lettuce sugar tax name', { first: 100 });
  expect(all.length).toBeGreaterThanOrEqual(5);
  const paged: string[] = [];
  let after: string | null = null;
  do {
    const { data } = await searchAs(w.viewer, 'tomatoes lettuce sugar tax name', { first: 2, after });
    expect(data.search.totalCount).toBe(all.length);
    paged.push(...data.search.nodes.map(({ node }: { node: { path: string } }) => node.path));
    after = data.search.pageInfo.hasNextPage ? data.search.pageInfo.endCursor : null;
  } while (after);
  expect(paged).toEqual(all);
});

test('an empty text, a long one, a wrong page and a cursor of another search are refused', async () => {
  for (const [text, options] of [
    ['  ', {}],
    ['x'.repeat(501), {}],
    ['a', { first: 0 }],
    ['a', { first: 101 }],
    ['a', { after: 'nonsense' }],
  ] as const)
    expect(await searchAs(w.viewer, text, options)).toMatchObject({ code: 'BAD_USER_INPUT' });
  const { data } = await searchAs(w.viewer, 'lettuce', { first: 1 });
  expect(await searchAs(w.viewer, 'sugar', { after: data.search.pageInfo.endCursor })).toMatchObject({
    code: 'BAD_USER_INPUT',
  });
});

test('a page of hits with their nodes and highlights takes seven statements, however long it is', async () => {
  await searchAs(w.viewer, 'lettuce tomatoes');
  const short = await searchAs(w.viewer, 'lettuce tomatoes', { first: 1, spaceId: w.space.id });
  const long = await searchAs(w.viewer, 'lettuce tomatoes', { first: 100, spaceId: w.space.id });
  expect(long.sql).toHaveLength(7);
  expect(short.sql).toHaveLength(7);
});
