import { createHash } from 'node:crypto';

/**
 * Words and their parts as a vector of `dimensions` numbers, each at a place that its hash gives. A sentence model knows no names, rare words or slips of the
 * pen; these do not mean anything, and are alike when they look alike.
 */
export function wordFeatures(text: string, dimensions: number): Float32Array {
  const vector = new Float32Array(dimensions);
  for (const [word, times] of wordCounts(text)) {
    // A word said often says less each time; a short one says less than a long one.
    const weight = Math.sqrt(times) * Math.min(1, word.length / 6);
    add(vector, `w ${word}`, weight);
    const parts = partsOf(word);
    for (const part of parts) add(vector, `p ${part}`, weight / Math.sqrt(parts.length));
  }
  return vector;
}

const common = new Set(
  'a an and are as at be been but by can do does for from had has have how i if in into is it its me my no not of on or our so that the their them then there these they this to was we were what when where which who why will with you your'.split(
    ' ',
  ),
);

function wordCounts(text: string): Map<string, number> {
  const counts = new Map<string, number>();
  const plain = text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
  for (const [word] of plain.matchAll(/[\p{L}\p{N}]+/gu))
    if (!common.has(word)) counts.set(stemOf(word), (counts.get(stemOf(word)) ?? 0) + 1);
  return counts;
}

/** Cuts the commonest English endings, so that one plant is like two plants. */
const stemOf = (word: string) => (word.length > 4 ? word.replace(/(?:ing|edly|ed|ies|es|s|ly)$/, '') : word);

/** Three letters each, the ends of the word marked. */
function partsOf(word: string): string[] {
  const marked = `^${word}$`;
  return Array.from({ length: Math.max(1, marked.length - 2) }, (_, at) => marked.slice(at, at + 3));
}

const places = new Map<string, number>();
const maxPlaces = 50_000;

/** Half of the features count down, so that what falls on one place by chance adds up to nothing. */
function add(vector: Float32Array, feature: string, weight: number) {
  let hash = places.get(feature);
  if (hash === undefined) {
    hash = createHash('md5').update(feature).digest().readUInt32LE();
    if (places.size < maxPlaces) places.set(feature, hash);
  }
  const at = (hash >>> 1) % vector.length;
  vector[at] = (vector[at] ?? 0) + (hash & 1 ? weight : -weight);
}
