import type { UpstashVectors } from '../vectors/upstash.js';
import type { Embeddings } from './embeddings.js';
import { localEmbeddings } from './local.js';
import { type OpenAiEmbeddings, openAiEmbeddings } from './openai.js';

/** A remote model: one that speaks OpenAI's protocol, or that of the vectors store itself. */
export type EmbeddingsSettings =
  | OpenAiEmbeddings
  | {
      readonly inStore: true;
      readonly model: string;
      readonly dimensions: number;
      readonly floor?: number | undefined;
    };

/** What makes the vectors; without settings, the model that comes with the packages. */
export async function embeddingsOf(
  settings: EmbeddingsSettings | undefined,
  vectors: UpstashVectors | undefined,
): Promise<Embeddings> {
  if (!settings) return localEmbeddings();
  if (!('inStore' in settings)) return openAiEmbeddings(settings);
  if (!vectors) throw new Error('A model in the vectors store needs a vectors store.');
  const { upstashEmbeddings } = await import('./upstash.js');
  return upstashEmbeddings({ ...vectors, ...settings });
}
