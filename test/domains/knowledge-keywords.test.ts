import { expect, test } from '@jest/globals';
import { extractKeywords, givenKeywords, maxExtracted, termOf } from '../../src/domains/knowledge/keywords.js';

const words = (title: string, content = '') => extractKeywords(title, content).map(({ word }) => word);

test('a text is about the words that it says most, those of its title first', () => {
  expect(
    words('Tomatoes', 'Water the greenhouse. The greenhouse is warm, and warm is good for a tomato.').slice(0, 3),
  ).toEqual(['tomatoes', 'greenhouse', 'warm']);
});

test('words that every text has, numbers and addresses tell nothing', () => {
  expect(words('The 12 of them', 'and https://example.com/beans?x=1 with 2026')).toEqual([]);
  expect(words('[beans](https://example.com/soil) and ![peas](a.png)')).toEqual(['beans', 'peas']);
});

test.each([
  ['tomatoes', 'tomato'],
  ['berries', 'berry'],
  ['boxes', 'box'],
  ['gardener’s', 'gardener'],
  ['class', 'class'],
  ['Raised  BEDS', 'raised bed'],
  ['ﬁelds', 'field'],
  ['Straße', 'straße'],
])('%s is compared as %s', (word, term) => {
  expect(termOf(word)).toBe(term);
});

test.each([
  ['Погода завтра', ['погода', 'завтра']],
  ['東京の天気予報', ['東京', '天気', '予報']],
  ['ภาษาไทย', ['ภาษา', 'ไทย']],
  ['الطقس غدا', ['الطقس', 'غدا']],
  ['Ψωμί και κρασί', ['ψωμί', 'και', 'κρασί']],
  ['हिन्दी भाषा', ['हिन्दी', 'भाषा']],
])('%s is read in its own script', (text, expected) => {
  expect(words(text)).toEqual(expected);
});

test('a text of any length has at most twelve', () => {
  const long = Array.from(
    { length: 5_000 },
    (_, at) => `word${String.fromCharCode(97 + (at % 26))}${'x'.repeat(at % 40)}`,
  );
  expect(words('', long.join(' '))).toHaveLength(maxExtracted);
});

test('chosen keywords are each there once, in their order and spelling', () => {
  expect(givenKeywords(['#Soil', 'soil ', 'BEANS', 'bean', 'Raised  Beds'])).toEqual([
    { term: 'soil', word: 'soil' },
    { term: 'bean', word: 'beans' },
    { term: 'raised bed', word: 'raised beds' },
  ]);
});

test('brackets that nobody closes take no longer than other text', () => {
  const began = performance.now();
  for (const text of ['[', '![', '[](']) extractKeywords('', text.repeat(40_000));
  expect(performance.now() - began).toBeLessThan(2_000);
});
