import { type Embeddings, toUnit } from './embeddings.js';
import { modelThread } from './model-thread.js';
import { wordFeatures } from './word-features.js';

const meaningDimensions = 512;
const wordDimensions = 256;
/** How much of the likeness of two texts is that of their words. */
const wordShare = 0.25;

/** The English sentence model that comes with the packages, and features of the words themselves. Needs no network. */
export function localEmbeddings(): Embeddings {
  const thread = modelThread();
  return {
    model: 'local:use-lite-words-1',
    dimensions: meaningDimensions + wordDimensions,
    inStore: false,
    async embed(texts, signal) {
      const meanings = await thread.embed(texts, signal);
      return texts.map((text, at) => joined(meanings[at] ?? new Float32Array(meaningDimensions), text));
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
