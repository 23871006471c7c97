import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { allDeltas, chatting, textOf } from '../support/chats.js';
import { modelServer } from '../support/model-server.js';
import { type GatewayProcess, startProcess } from '../support/process.js';
import { type World, world } from '../support/world.js';

let model: Awaited<ReturnType<typeof modelServer>>;
let w: World;
const processes: GatewayProcess[] = [];
beforeAll(async () => {
  model = await modelServer('key');
  w = await world();
});
afterAll(async () => {
  for (const one of processes) await one.stop('SIGKILL');
  await w.close();
  await model.close();
});

/** A server of its own, which works on replies. */
async function start(): Promise<GatewayProcess> {
  const started = await startProcess({
    DATABASE_URL: w.databaseUrl,
    AUTH_SECRET: 'a secret for tests only, 32 characters',
    ASSISTANT_URL: model.url,
    ASSISTANT_KEY: 'key',
    ASSISTANT_MODEL: 'small',
    LOG_LEVEL: 'error',
  });
  processes.push(started);
  return started;
}

/** A reply that a process has begun and does not end; what is heard of it here. */
async function begun() {
  model.answer(() => [{ text: 'Once upon a time ' }, { waitFor: new Promise(() => {}) }]);
  const { id } = await chatting(w.commenter).begin(w.space.id);
  const { data } = await chatting(w.commenter).say(id, 'Tell', { reply: true });
  const heard = await chatting(w.viewer).follow(id);
  const deltas = [];
  while (textOf(deltas) !== 'Once upon a time ') deltas.push((await heard.next()).chatStream);
  return { replyId: data.sendMessage.reply.id as string, heard };
}

const failed = { status: 'FAILED', parts: [{ __typename: 'StepPart' }, { text: 'Once upon a time ' }] };

test('a process that is told to stop ends what it writes, in good order', async () => {
  const one = await start();
  const { replyId, heard } = await begun();
  const ended = allDeltas(heard);
  ended.catch(() => {});
  expect(await one.stop()).toBe(0);
  expect(await chatting(w.viewer).read(replyId)).toMatchObject({
    ...failed,
    failure: 'The server stopped before the reply was finished.',
  });
}, 60_000);

test('a process that is killed while it writes leaves a FAILED message with what was written, within a minute', async () => {
  const one = await start();
  const { replyId } = await begun();
  await start();
  await one.stop('SIGKILL');
  const began = performance.now();
  expect(await chatting(w.viewer).read(replyId)).toMatchObject({ status: 'STREAMING' });
  let message = await chatting(w.viewer).read(replyId);
  while (message.status === 'STREAMING' && performance.now() - began < 60_000) {
    await new Promise((resolve) => setTimeout(resolve, 250));
    message = await chatting(w.viewer).read(replyId);
  }
  process.stderr.write(
    `  from the kill to the FAILED message: ${((performance.now() - began) / 1_000).toFixed(1)} s\n`,
  );
  expect(message).toMatchObject({ ...failed, failure: 'The writer was not heard of any more.' });
}, 120_000);
