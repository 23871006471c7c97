import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { RunningApp } from '../../src/app.js';
import { anotherApp } from '../support/another-app.js';
import { allDeltas, chatting, textOf } from '../support/chats.js';
import { eventually } from '../support/eventually.js';
import { modelServer } from '../support/model-server.js';
import { newDraft } from '../support/posts.js';
import { newSpace } from '../support/tenancy.js';
import { treeOf } from '../support/tree.js';
import { viewerOf, type World, world } from '../support/world.js';

const key = 'a key for the model';
let model: Awaited<ReturnType<typeof modelServer>>;
let w: World;
let other: RunningApp;
beforeAll(async () => {
  model = await modelServer(key);
  const assistant = { url: model.url, key, model: 'small', silenceMs: 2_500 };
  w = await world({ assistant });
  other = await anotherApp(w.databaseUrl, undefined, { assistant });
});
afterAll(async () => {
  await other.close();
  await w.close();
  await model.close();
});

/** Asks in a new chat, and answers what is needed to see what comes of it. */
async function asked(text: string, person = w.commenter, more: object = {}, spaceId = w.space.id) {
  const { id: chatId } = await chatting(person).begin(spaceId, more);
  const { data } = await chatting(person).say(chatId, text, { reply: true });
  return { chatId, replyId: data.sendMessage.reply.id as string };
}

test('a model answers, and what it needs it looks for in the space', async () => {
  await treeOf(w.editor, w.space.id).put('/beds/north', { crop: 'runner beans', rows: 6 });
  await w.runJobs();
  model.answer(({ messages }) =>
    messages.some(({ role }) => role === 'tool')
      ? [{ text: 'There are runner beans.' }]
      : [
          { reasoning: 'I should look.' },
          { text: 'Let me see. ' },
          { call: { name: 'search', input: { text: 'beans' } } },
        ],
  );
  const { chatId, replyId } = await asked('What grows in the north?', w.commenter, {
    context: { language: 'English' },
  });
  const heard = allDeltas(await chatting(w.viewer).follow(chatId));
  await w.runJobs();
  const reply = await chatting(w.viewer).read(replyId);
  expect(reply).toMatchObject({
    status: 'COMPLETE',
    failure: null,
    usage: { inputTokens: 22, outputTokens: 10, totalTokens: 32 },
  });
  expect(reply.parts).toMatchObject([
    { __typename: 'StepPart' },
    { __typename: 'ReasoningPart', text: 'I should look.' },
    { __typename: 'TextPart', text: 'Let me see. ' },
    { __typename: 'ToolCallPart', toolName: 'search', input: { text: 'beans' } },
    {
      __typename: 'ToolResultPart',
      isError: false,
      output: [{ type: 'TREE_NODE', title: '/beds/north', excerpt: expect.stringContaining('runner beans') }],
    },
    { __typename: 'StepPart' },
    { __typename: 'TextPart', text: 'There are runner beans.' },
  ]);
  expect(reply.parts[3].toolCallId).toBe(reply.parts[4].toolCallId);
  const deltas = await heard;
  expect(deltas.at(-1)?.message).toMatchObject({ parts: reply.parts });
  expect(textOf(deltas)).toBe('Let me see. There are runner beans.');
  const [first, second] = model.requests.slice(-2);
  expect(first).toMatchObject({ model: 'small', stream: true, tools: [{ function: { name: 'search' } }] });
  expect(JSON.stringify(first?.messages[0])).toContain('language');
  expect(first?.messages.at(-1)).toMatchObject({ role: 'user', content: 'What grows in the north?' });
  expect(JSON.stringify(second?.messages)).toContain('runner beans');
});

test('a model finds what the asker and all other members may see, and nothing else', async () => {
  const { id: theirs } = await newSpace(w.owner);
  await treeOf(w.owner, theirs).put('/secret', { crop: 'truffles' });
  await newDraft(w.owner, theirs, { title: 'Truffles, between us' });
  await w.runJobs();
  const search = [{ call: { name: 'search', input: { text: 'truffles' } } }];
  model.answer(({ messages }) => (messages.at(-1)?.role === 'tool' ? [{ text: 'Done' }] : search));
  const found = async (person: typeof w.owner, spaceId: string) => {
    const { replyId } = await asked('Where are truffles?', person, {}, spaceId);
    await w.runJobs();
    return (await chatting(w.owner).read(replyId)).parts[2].output;
  };
  expect(await found(w.owner, theirs)).toMatchObject([{ title: '/secret' }]);
  expect(await found(w.owner, w.space.id)).toEqual([]);
  const blind = w.client(viewerOf(w.owner.id, { scopes: new Set(['chats:read', 'chats:write']) }));
  expect(await found(blind, theirs)).toEqual([]);
});

test('a tool that is used wrongly fails in the message, and the model goes on', async () => {
  model.answer(({ messages }) =>
    messages.at(-1)?.role === 'tool'
      ? [{ text: 'Never mind.' }]
      : [{ call: { name: 'search', input: { text: 7 } } }, { call: { name: 'explode', input: {} } }],
  );
  const { replyId } = await asked('Look');
  await w.runJobs();
  const reply = await chatting(w.viewer).read(replyId);
  expect(reply.status).toBe('COMPLETE');
  expect(reply.parts.filter((part: { isError?: boolean }) => part.isError)).toHaveLength(2);
  expect(reply.parts.at(-1)).toMatchObject({ text: 'Never mind.' });
});

test('the next question is asked with the conversation before it, tools included', async () => {
  model.answer(({ messages }) =>
    messages.at(-1)?.role === 'tool' ? [{ text: 'Beans.' }] : [{ call: { name: 'search', input: { text: 'beans' } } }],
  );
  const { chatId } = await asked('What grows?');
  await w.runJobs();
  model.answer(() => [{ text: 'Yes.' }]);
  const image = { image: { url: 'data:image/png;base64,aGk=', mediaType: 'image/png' } };
  const linked = { file: { url: 'http://127.0.0.1:1/secret', mediaType: 'text/plain', filename: 'secret.txt' } };
  await chatting(w.commenter).send(chatId, { parts: [{ text: { text: 'Sure?' } }, image, linked], reply: true });
  await w.runJobs();
  const roles = model.requests.at(-1)?.messages.map(({ role }) => role);
  expect(roles).toEqual(['system', 'user', 'assistant', 'tool', 'assistant', 'user']);
  const last = JSON.stringify(model.requests.at(-1)?.messages.at(-1));
  expect(last).toContain('data:image/png;base64,aGk=');
  // What lies elsewhere is named, not fetched.
  expect(last).toContain('[secret.txt: http://127.0.0.1:1/secret]');
});

test('half a character of a model’s waits for its other half, and what no database keeps is replaced', async () => {
  let goOn = () => {};
  const waitFor = new Promise<void>((resolve) => (goOn = resolve));
  model.answer(() => [{ text: 'bean \ud83c' }, { waitFor }, { text: '\udf31 \u0000end \ud83c' }]);
  const { chatId, replyId } = await asked('Draw');
  const heard = await chatting(w.viewer).follow(chatId);
  const done = w.runJobs();
  const deltas = [];
  while (textOf(deltas) !== 'bean ') deltas.push((await heard.next()).chatStream);
  goOn();
  deltas.push(...(await allDeltas(heard)));
  await done;
  expect(textOf(deltas)).toBe('bean 🌱 \ufffdend \ufffd');
  expect((await chatting(w.viewer).read(replyId)).parts[1].text).toBe(textOf(deltas));
});

describe('a model that cannot', () => {
  test('answer leaves a FAILED message that says so, and nothing of what it said', async () => {
    model.answer(() => ({ status: 400 }));
    const { replyId } = await asked('Hello');
    await w.runJobs();
    expect(await chatting(w.viewer).read(replyId)).toMatchObject({
      status: 'FAILED',
      failure: 'The model answered with HTTP 400.',
      parts: [],
    });
    expect(await chatting(w.commenter).say((await asked('Again')).chatId, 'And now without')).toMatchObject({
      code: null,
    });
    await w.runJobs();
  });

  test('go on after it has begun leaves what it said', async () => {
    model.answer(() => [{ text: 'Well, ' }, { waitFor: new Promise(() => {}) }]);
    const { replyId } = await asked('Hello');
    await w.runJobs();
    expect(await chatting(w.viewer).read(replyId)).toMatchObject({
      status: 'FAILED',
      failure: 'The model said nothing for too long.',
      parts: [{ __typename: 'StepPart' }, { text: 'Well, ' }],
    });
  });

  test('say anything leaves a FAILED message', async () => {
    model.answer(() => []);
    const { replyId } = await asked('Hello');
    await w.runJobs();
    expect(await chatting(w.viewer).read(replyId)).toMatchObject({
      status: 'FAILED',
      failure: 'The assistant said nothing.',
      parts: [],
    });
  });

  test('stop is stopped at 256 KiB', async () => {
    model.answer(() => Array.from({ length: 30 }, () => ({ text: 'x'.repeat(10_000) })));
    const { replyId } = await asked('Hello');
    await w.runJobs();
    const reply = await chatting(w.viewer).read(replyId);
    expect(reply).toMatchObject({ status: 'FAILED', failure: 'The reply became too long.' });
    expect(JSON.stringify(reply.parts).length).toBeLessThan(262_144 + 200);
  });
});

describe('two processes', () => {
  test('one writes, viewers of both hear the same while it is written', async () => {
    let goOn = () => {};
    const waitFor = new Promise<void>((resolve) => (goOn = resolve));
    model.answer(() => [{ text: 'one two three ' }, { waitFor }, { text: 'four five six' }]);
    const { chatId } = await asked('Count');
    const here = await chatting(w.viewer).follow(chatId);
    const done = w.runJobs(other.app);
    const early = [];
    while (textOf(early) !== 'one two three ') early.push((await here.next()).chatStream);
    const late = await chatting(w.editor).follow(chatId);
    const resumed = await chatting(w.guest).follow(chatId, early[0].cursor);
    goOn();
    const rest = await allDeltas(here);
    await done;
    expect(textOf([...early, ...rest])).toBe('one two three four five six');
    expect(await allDeltas(late)).toEqual([...early, ...rest]);
    expect(await allDeltas(resumed)).toEqual([...early.slice(1), ...rest]);
    expect([...early, ...rest].map(({ seq }) => seq)).toEqual([...early, ...rest].map((_, at) => at + 1));
  });

  test('what is cancelled through one stops in the other, down to the model', async () => {
    model.answer(() => [{ text: 'Once upon a time ' }, { waitFor: new Promise(() => {}) }]);
    const { chatId, replyId } = await asked('Tell');
    const heard = await chatting(w.viewer).follow(chatId);
    const done = w.runJobs(other.app);
    const hungUp = model.hungUp();
    const deltas = [];
    while (textOf(deltas) !== 'Once upon a time ') deltas.push((await heard.next()).chatStream);
    const began = performance.now();
    const cancelled = { status: 'CANCELLED', parts: [{ __typename: 'StepPart' }, { text: 'Once upon a time ' }] };
    expect((await chatting(w.commenter).cancel(replyId)).data.cancelMessage.message).toMatchObject(cancelled);
    expect((await heard.next()).chatStream).toMatchObject({ message: cancelled });
    await hungUp;
    await done;
    expect(performance.now() - began).toBeLessThan(20_000);
    expect(await chatting(w.viewer).read(replyId)).toMatchObject(cancelled);
  });

  test('a reply that one has begun, the other leaves alone', async () => {
    let goOn = () => {};
    const waitFor = new Promise<void>((resolve) => (goOn = resolve));
    const before = model.requests.length;
    model.answer(() => [{ text: 'Mine ' }, { waitFor }, { text: 'alone' }]);
    const { replyId } = await asked('Say');
    const done = w.runJobs(other.app);
    await eventually(async () =>
      expect((await chatting(w.viewer).read(replyId)).parts).toMatchObject([{}, { text: 'Mine ' }]),
    );
    await w.app.database.query(
      `update graphile_worker._private_jobs set locked_at = now() - interval '1 minute' where locked_by is not null`,
      [],
    );
    await w.runJobs();
    goOn();
    await done;
    expect(await chatting(w.viewer).read(replyId)).toMatchObject({
      status: 'COMPLETE',
      parts: [{}, { text: 'Mine alone' }],
    });
    expect(model.requests.length).toBe(before + 1);
  });
});
