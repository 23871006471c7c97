import { Worker } from 'node:worker_threads';
import { EmbeddingsUnavailable } from './embeddings.js';

/** A thread that holds the sentence model; 10 ms a short text, up to 80 ms a long one, which no event loop should stand still for. */
export interface ModelThread {
  embed(texts: readonly string[], signal?: AbortSignal): Promise<Float32Array[]>;
  close(): Promise<void>;
}

type Answer = { readonly vectors: Float32Array[] } | { readonly error: string };

interface Waiting {
  readonly texts: readonly string[];
  resolve(vectors: Float32Array[]): void;
  reject(error: unknown): void;
}

/** Texts that are computed without letting others in between. */
const step = 8;

/** Starts the thread, and loads the model, when the first text comes. */
export function modelThread(): ModelThread {
  const questions: Waiting[] = [];
  const batches: Waiting[] = [];
  let worker: Worker | null = null;
  let current: Waiting | null = null;

  function start(): Worker {
    // Without our own arguments: the thread needs none of the loaders that run us.
    const thread = new Worker(new URL('./local-worker.mjs', import.meta.url), { execArgv: [] });
    thread.unref();
    thread.on('message', (answer: Answer) => {
      const done = current;
      current = null;
      if ('vectors' in answer) done?.resolve(answer.vectors);
      else done?.reject(new EmbeddingsUnavailable(answer.error));
      next();
    });
    thread.on('error', (error) => ended(thread, error));
    thread.on('exit', () => ended(thread, null));
    return thread;
  }

  /** What waited for a thread that has ended fails; the next text starts another. */
  function ended(thread: Worker, cause: unknown) {
    if (worker !== thread) return;
    worker = null;
    const lost = [current, ...questions.splice(0), ...batches.splice(0)];
    current = null;
    for (const one of lost) one?.reject(new EmbeddingsUnavailable('The model has stopped.', { cause }));
  }

  function next() {
    if (current) return;
    current = questions.shift() ?? batches.shift() ?? null;
    if (!current) return worker?.unref();
    worker ??= start();
    // Whoever waits for an answer keeps the process alive until it is there.
    worker.ref();
    worker.postMessage(current.texts);
  }

  const run = (texts: readonly string[], queue: Waiting[]) =>
    new Promise<Float32Array[]>((resolve, reject) => {
      queue.push({ texts, resolve, reject });
      next();
    });

  return {
    async embed(texts, signal) {
      const vectors: Float32Array[] = [];
      for (let at = 0; at < texts.length; at += step) {
        signal?.throwIfAborted();
        vectors.push(...(await run(texts.slice(at, at + step), texts.length === 1 ? questions : batches)));
      }
      signal?.throwIfAborted();
      return vectors;
    },
    async close() {
      await worker?.terminate();
    },
  };
}
