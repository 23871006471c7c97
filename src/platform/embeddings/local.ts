import { type Embeddings, embedOne, toUnit } from './embeddings.js';
import { legibilityOf, localPieces, type Pieces } from './legibility.js';
import { modelThread } from './model-thread.js';
import { wordFeatures } from './word-features.js';

const meaningDimensions = 512;
const wordDimensions = 256;
/** How much of the likeness of two texts is that of their words. */
const wordShare = 0.25;
/**
 * By `npm run bench:search`: unrelated texts are about 0.15 alike, with a deviation of 0.06; a floor above 0.25 would cost the golden set right answers, and
 * ours keeps away from that. What the model cannot read is up to 0.40 alike to anything: there the words have to be the same.
 */
const floors = { legible: 0.23, illegible: 0.45 };

/** The English sentence model that comes with the packages, and features of the words themselves. Needs no network. */
export function localEmbeddings(): Embeddings {
  const thread = modelThread();
  let pieces: Promise<Pieces> | null = null;
  return {
    model: 'local:use-lite-words-1',
    dimensions: meaningDimensions + wordDimensions,
    inStore: false,
    async embed(texts, signal) {
      const meanings = await thread.embed(texts, signal);
      return texts.map((text, at) => joined(meanings[at] ?? new Float32Array(meaningDimensions), text));
    },
    async ask(question, signal) {
      const vector = await embedOne(this, question, signal);
      const legibility = legibilityOf(await (pieces ??= localPieces()), question);
      return { vector, floor: floors.illegible - (floors.illegible - floors.legible) * legibility };
    },
    close: () => thread.close(),
  };
}

/** One vector of both halves: its dot product with another is the mean of theirs, weighted by their shares. */
function joined(meaning: Float32Array, text: string): Float32Array {
  const vector = new Float32Array(meaningDimensions + wordDimensions);
  const words = toUnit(wordFeatures(text, wordDimensions));
  for (const [at, value] of meaning.entries()) vector[at] = value * Math.sqrt(1 - wordShare);
  for (const [at, value] of words.entries()) vector[meaningDimensions + at] = value * Math.sqrt(wordShare);
  return toUnit(vector);
}
