const wordPattern = /[\p{L}\p{N}]+/gu;

/** Without accents and capitals, as words are compared. */
const plain = (text: string) => text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();

/** The words of a text in their order, each once. */
export const wordsOf = (text: string): string[] => [...new Set(plain(text).match(wordPattern) ?? [])];

/** A text as its words alone: Postgres would take addresses, names of files and what has a hyphen for words of their own. */
export const wordsAlone = (text: string) => text.replace(/[^\p{L}\p{N}\p{M}]+/gu, ' ');

/** The same for a text that says how its words belong together. */
export const wordsAndOperators = (text: string) =>
  text.replace(/(?<=[\p{L}\p{N}])-(?=[\p{L}\p{N}])|[^\p{L}\p{N}\p{M}\s"-]+/gu, ' ');

const shortest = 4;
const longest = 40;
const mostWords = 3_000;

/** Words that someone may misspell: not the short ones, of which each looks like many others, and no numbers. */
export const isSpelled = (word: string) => word.length >= shortest && word.length <= longest && !/\p{N}/u.test(word);

/** The words of a text that a misspelled one is compared with. */
export const vocabularyOf = (text: string): string[] => wordsOf(text).filter(isSpelled).slice(0, mostWords).sort();

/** How many letters have to be changed, added, left out or swapped with their neighbour to make one word of the other. */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1];
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const ways = [(row[j - 1] ?? 0) + 1, (last[j] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1)];
      if (swapped) ways.push((beforeLast[j - 2] ?? 0) + 1);
      row.push(Math.min(...ways));
    }
    [beforeLast, last] = [last, row];
  }
  return last[b.length] ?? 0;
}

/** The ones that `word` is probably meant to be: none of the others is nearer, and it is near enough for its length. */
export function spellingsOf(word: string, candidates: readonly string[]): string[] {
  const most = word.length < 6 ? 1 : word.length < 10 ? 2 : 3;
  const near = candidates
    .map((one) => ({ one, distance: editDistance(word, one) }))
    .filter(({ distance }) => distance <= most);
  const least = Math.min(...near.map(({ distance }) => distance));
  return near.filter(({ distance }) => distance === least).map(({ one }) => one);
}
