import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { breaker } from '../breaker.js';
import { type Embeddings, EmbeddingsUnavailable, embeddingBatch, embedOne, toUnit, usualFloor } from './embeddings.js';

/** An endpoint that speaks OpenAI's protocol of embeddings. */
export interface OpenAiEmbeddings {
  /** Up to `/embeddings`, such as `https://api.openai.com/v1`. */
  readonly url: string;
  /** Null: the endpoint asks for none. */
  readonly key: string | null;
  readonly model: string;
  /** Longer vectors are cut to this and made of unit length again, as models trained for it allow. */
  readonly dimensions: number;
  /** `Asked.floor` of the model; 0.2 when left out. */
  readonly floor?: number | undefined;
}

const answer = z.object({ data: z.array(z.object({ index: z.int(), embedding: z.array(z.number()) })) });
const timeoutMs = 20_000;
const tries = 3;

/** What may go better the next time. */
class Busy extends Error {}

/** Vectors of a remote model. Making one twice changes nothing, so what fails by the way is tried again. */
export function openAiEmbeddings({ url, key, model, dimensions, floor = usualFloor }: OpenAiEmbeddings): Embeddings {
  const guard = breaker((cause) => new EmbeddingsUnavailable('The embeddings service is unavailable.', { cause }));
  const headers = { 'content-type': 'application/json', ...(key && { authorization: `Bearer ${key}` }) };

  async function ask(input: readonly string[], signal: AbortSignal): Promise<Float32Array[]> {
    const response = await fetch(`${url.replace(/\/$/, '')}/embeddings`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ model, input, encoding_format: 'float' }),
      redirect: 'error',
      signal,
    });
    if (!response.ok) {
      const said = `The embeddings service answered ${response.status}.`;
      await response.body?.cancel();
      throw response.status === 429 || response.status >= 500 ? new Busy(said) : new Error(said);
    }
    const { data } = answer.parse(await response.json());
    const byIndex = new Map(data.map(({ index, embedding }) => [index, embedding]));
    return input.map((_, at) => cut(byIndex.get(at) ?? [], dimensions));
  }

  async function askAgain(input: readonly string[], signal: AbortSignal): Promise<Float32Array[]> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await ask(input, signal);
      } catch (error) {
        // A TypeError is what fetch rejects with when the network fails.
        const mayPass = error instanceof Busy || error instanceof TypeError;
        if (!mayPass || attempt === tries) throw error;
        await sleep(100 * 2 ** attempt * Math.random(), undefined, { signal });
      }
    }
  }

  return {
    model: `openai:${model}@${dimensions}`,
    dimensions,
    inStore: false,
    async embed(texts, signal) {
      const vectors: Float32Array[] = [];
      for (let at = 0; at < texts.length; at += embeddingBatch) {
        const late = AbortSignal.timeout(timeoutMs);
        const until = signal ? AbortSignal.any([signal, late]) : late;
        vectors.push(...(await guard.call(() => askAgain(texts.slice(at, at + embeddingBatch), until))));
      }
      return vectors;
    },
    async ask(question, signal) {
      return { vector: await embedOne(this, question, signal), floor };
    },
    close: async () => {},
  };
}

function cut(embedding: readonly number[], dimensions: number): Float32Array {
  if (embedding.length < dimensions)
    throw new Error(
      `The embeddings service answered ${embedding.length} dimensions; EMBEDDINGS_DIMENSIONS says ${dimensions}.`,
    );
  return toUnit(Float32Array.from(embedding.slice(0, dimensions)));
}
