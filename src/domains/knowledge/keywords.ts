import { stopWords } from './stop-words.js';

/** What a thing is about: `term` is what is compared, `word` how the thing itself spells it. */
export interface KeywordOf {
  readonly term: string;
  readonly word: string;
}

export const maxExtracted = 12;
export const maxGiven = 32;
export const maxKeyword = 64;
/** Beyond this many characters a text says no more of what it is about. */
const longestRead = 32_768;
/** A word of the title counts for as many of the content. */
const titleWeight = 5;

/** Scripts that are written without spaces between words; their runs are cut by a dictionary. */
const unspaced =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;
/** Endings and particles, not words. */
const particle = /^\p{Script=Hiragana}{1,2}$/u;
const dictionary = new Intl.Segmenter('und', { granularity: 'word' });
const runs = /[\p{L}\p{M}\p{N}]+(?:['’][\p{L}\p{M}]+)*/gu;
// Bounded, or brackets that nobody closes would be looked for to the end of the text from each of them.
const addresses = /\b(?:https?|ftp|mailto):\S+|!?\[([^\]]{0,200})\]\([^)\s]{0,500}\)/giu;

/** A word in the form that people read: one width, lower case, single spaces, no `#` before it. */
export function normalWord(word: string): string {
  return word.normalize('NFKC').toLowerCase().replace(/\s+/gu, ' ').trim().replace(/^#+ ?/u, '');
}

/** What is compared of a word: English plurals and possessives are the same as the word. */
export function termOf(word: string): string {
  return normalWord(word).split(' ').map(stem).join(' ');
}

function stem(token: string): string {
  const word = token.replace(/['’]s?$/u, '');
  if (!/^[a-z]{4,}$/.test(word) || /(ss|us|is)$/.test(word)) return word;
  if (/[^aeiou]ies$/.test(word)) return `${word.slice(0, -3)}y`;
  if (/(ch|sh|ss|x|zz|[a-z]{3}o)es$/.test(word)) return word.slice(0, -2);
  return word.endsWith('s') ? word.slice(0, -1) : word;
}

/** Keywords that somebody chose, each once, in their order. */
export function givenKeywords(words: readonly string[]): KeywordOf[] {
  const byTerm = new Map<string, KeywordOf>();
  for (const word of words.map(normalWord)) {
    const term = termOf(word);
    if (term && !byTerm.has(term)) byTerm.set(term, { term, word });
  }
  return [...byTerm.values()];
}

interface Counted {
  weight: number;
  readonly at: number;
  readonly words: Map<string, number>;
}

/** What a text seems to be about: the words that it says most, those of its title first, at most 12, and none of those that tell nothing. */
export function extractKeywords(title: string, content: string, none: ReadonlySet<string> = stopWords): KeywordOf[] {
  const counted = new Map<string, Counted>();
  const count = (text: string, weight: number) => {
    for (const word of wordsOf(text, none)) {
      const term = stem(word);
      let known = counted.get(term);
      if (!known) counted.set(term, (known = { weight: 0, at: counted.size, words: new Map() }));
      known.weight += weight;
      known.words.set(word, (known.words.get(word) ?? 0) + weight);
    }
  };
  count(title, titleWeight);
  count(content.slice(0, longestRead), 1);
  return [...counted]
    .sort(([, a], [, b]) => b.weight - a.weight || a.at - b.at)
    .slice(0, maxExtracted)
    .map(([term, { words }]) => ({ term, word: mostSaid(words) }));
}

const mostSaid = (words: ReadonlyMap<string, number>) =>
  [...words].reduce((most, one) => (one[1] > most[1] ? one : most), ['', 0] as [string, number])[0];

/** The words that a text says most, whatever they tell, and how often. */
export function mostSaidOf(text: string, most: number): ReadonlyMap<string, number> {
  const counted = new Map<string, number>();
  for (const run of runsIn(text.slice(0, longestRead)))
    if (run.length <= maxKeyword && !unspaced.test(run)) counted.set(run, (counted.get(run) ?? 0) + 1);
  return new Map([...counted].sort(([, a], [, b]) => b - a).slice(0, most));
}

/** What of a Markdown text stands between spaces and signs. */
function* runsIn(text: string): Generator<string> {
  const plain = text.replace(addresses, ' $1 ').normalize('NFKC').toLowerCase();
  for (const [run] of plain.matchAll(runs)) yield run;
}

/** The words of a Markdown text that may say what it is about, in their order. */
function* wordsOf(text: string, none: ReadonlySet<string>): Generator<string> {
  for (const run of runsIn(text)) {
    if (unspaced.test(run)) {
      for (const { segment, isWordLike } of dictionary.segment(run))
        if (isWordLike && [...segment].length >= 2 && segment.length <= maxKeyword && !particle.test(segment))
          yield segment;
    } else if (isTelling(run, none)) yield run.replace(/['’]s$/u, '');
  }
}

function isTelling(word: string, none: ReadonlySet<string>): boolean {
  const letters = /^\p{Script=Latin}/u.test(word) ? 3 : 2;
  const bare = word.replace(/['’].*$/u, '');
  return bare.length >= letters && word.length <= maxKeyword && /\p{L}/u.test(word) && !none.has(bare);
}
