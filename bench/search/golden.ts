import { readFileSync } from 'node:fs';

export interface GoldenText {
  readonly id: string;
  readonly text: string;
}

export interface GoldenQuery {
  readonly kind: string;
  readonly text: string;
  /** How well each text answers: 3 answers, 2 is about it, 1 touches it. */
  readonly grades: ReadonlyMap<string, number>;
}

const linesOf = (name: string) =>
  readFileSync(new URL(name, import.meta.url), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));

export const goldenTexts: readonly GoldenText[] = linesOf('texts.txt').map((line) => ({
  id: line.slice(0, line.indexOf(' ')),
  text: line.slice(line.indexOf(' ') + 1),
}));

export const goldenQueries: readonly GoldenQuery[] = linesOf('queries.txt').map((line) => {
  const [kind = '', text = '', graded = ''] = line.split(' | ');
  const grades = graded.split(' ').map((one): [string, number] => {
    const [id = '', grade = ''] = one.split('=');
    return [id, Number(grade)];
  });
  return { kind, text, grades: new Map(grades) };
});

/** Questions that nothing answers. */
export const nonsense: readonly string[] = linesOf('nonsense.txt');

const gain = (grade: number, rank: number) => (2 ** grade - 1) / Math.log2(rank + 2);

/** How good the first ten are against the best that ten could be: 1 is perfect, 0 is nothing of use. */
export function ndcgAt10(found: readonly string[], grades: ReadonlyMap<string, number>): number {
  const sum = (list: readonly number[]) =>
    list.slice(0, 10).reduce((total, grade, rank) => total + gain(grade, rank), 0);
  const best = sum([...grades.values()].sort((a, b) => b - a));
  return sum(found.map((id) => grades.get(id) ?? 0)) / best;
}
