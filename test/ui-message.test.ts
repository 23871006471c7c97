import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { convertToModelMessages, type UIMessage } from 'ai';
import { fromUIMessage, toUIMessage, toUIMessages } from '../src/client/ui-message.js';
import { ReadChatDocument, type ReadChatQuery, SendMessageDocument } from '../src/generated/client.js';
import { chatting } from './support/chats.js';
import { type World, world } from './support/world.js';

let w: World;
beforeAll(async () => {
  w = await world();
});
afterAll(() => w.close());

const google = { google: { thoughtSignature: 'c2lnbmF0dXJl', nested: { list: [1, null, 'x'] } } };

const fixtures: Readonly<Record<string, UIMessage>> = {
  'text of a user': { id: 'msg-1', role: 'user', parts: [{ type: 'text', text: 'What grows in the north? 🌱\n\nÜ' }] },
  'text that a client kept the state and the metadata of': {
    id: 'msg-2',
    role: 'assistant',
    metadata: { createdAt: 1_732_000_000, model: 'small', tags: ['a', null], totalTokens: 12 },
    parts: [
      { type: 'text', text: '', state: 'streaming' },
      { type: 'text', text: 'Beans.', state: 'done', providerMetadata: google },
    ],
  },
  instructions: { id: 'msg-3', role: 'system', parts: [{ type: 'text', text: 'Answer in one sentence.' }] },
  'reasoning in steps': {
    id: 'msg-4',
    role: 'assistant',
    parts: [
      { type: 'step-start' },
      {
        type: 'reasoning',
        text: 'Let me think.',
        state: 'done',
        providerMetadata: { anthropic: { signature: 'abc' } },
      },
      { type: 'reasoning', id: 'r-2', text: '', state: 'streaming' },
      { type: 'step-start' },
      { type: 'text', text: 'Done.', state: 'done' },
    ],
  },
  'pictures and files': {
    id: 'msg-5',
    role: 'user',
    parts: [
      { type: 'file', mediaType: 'image/png', filename: 'bed.png', url: 'data:image/png;base64,iVBORw0KGgo=' },
      { type: 'file', mediaType: 'image/webp', url: 'https://example.com/bed.webp?a=1#b' },
      {
        type: 'file',
        mediaType: 'application/pdf',
        filename: 'plan.pdf',
        url: 'https://example.com/plan.pdf',
        providerMetadata: google,
      },
      { type: 'text', text: 'What is this?' },
    ],
  },
  'a tool that is called and answers': {
    id: 'msg-6',
    role: 'assistant',
    parts: [
      { type: 'step-start' },
      {
        type: 'tool-weather',
        toolCallId: 'call_1',
        state: 'output-available',
        input: { place: 'north', days: [1, 2] },
        output: { degrees: 20, sky: null },
      },
      {
        type: 'tool-weather',
        toolCallId: 'call_2',
        state: 'output-available',
        input: { place: 'south' },
        output: null,
        preliminary: true,
        providerExecuted: false,
        callProviderMetadata: google,
      },
      { type: 'text', text: 'Twenty degrees.' },
    ],
  },
  'a tool that fails, one that waits, and one whose input is being written': {
    id: 'msg-7',
    role: 'assistant',
    parts: [
      {
        type: 'tool-weather',
        toolCallId: 'call_1',
        state: 'output-error',
        input: { place: 7 },
        errorText: 'place must be text',
      },
      {
        type: 'tool-weather',
        toolCallId: 'call_2',
        state: 'output-error',
        input: undefined,
        rawInput: '{"place": ',
        errorText: '',
      },
      {
        type: 'tool-confirm',
        toolCallId: 'call_3',
        state: 'input-available',
        input: { question: 'Sure?' },
        providerExecuted: true,
      },
      { type: 'tool-confirm', toolCallId: 'call_4', state: 'input-streaming', input: { question: 'Su' } },
      { type: 'tool-confirm', toolCallId: 'call_5', state: 'input-streaming', input: undefined },
    ],
  },
  'dynamic tools': {
    id: 'msg-8',
    role: 'assistant',
    parts: [
      {
        type: 'dynamic-tool',
        toolName: 'mcp.search',
        toolCallId: 'call_1',
        title: 'Search',
        state: 'output-available',
        input: { q: 'x' },
        output: ['a', 1],
      },
      {
        type: 'dynamic-tool',
        toolName: 'weather',
        dynamic: false,
        toolCallId: 'call_2',
        state: 'input-available',
        input: {},
      },
      {
        type: 'dynamic-tool',
        toolName: 'mcp.fail',
        toolCallId: 'call_3',
        state: 'output-error',
        input: { q: 'x' },
        errorText: 'no',
      },
    ],
  },
  'sources and data of the client’s own': {
    id: 'msg-9',
    role: 'assistant',
    parts: [
      {
        type: 'source-url',
        sourceId: 's1',
        url: 'https://example.com/beans',
        title: 'Beans',
        providerMetadata: google,
      },
      { type: 'source-url', sourceId: 's2', url: 'https://example.com/peas' },
      { type: 'source-document', sourceId: 's3', mediaType: 'application/pdf', title: 'Plan', filename: 'plan.pdf' },
      {
        type: 'data-chart',
        id: 'chart-1',
        data: {
          points: [
            [1, 2],
            [3, null],
          ],
          __proto__2: 'x',
        },
      },
      { type: 'data-note', data: null },
      { type: 'text', text: 'See above.' },
    ],
  },
};

/** What the AI SDK and its stores see of a message: JSON. */
const json = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

async function newChat(): Promise<string> {
  return (await chatting(w.commenter).begin(w.space.id)).id;
}

async function send(chatId: string, message: UIMessage) {
  const { data, errors } = await w.commenter.run(SendMessageDocument.toString(), {
    input: json({ chatId, ...fromUIMessage(message) }),
  });
  expect(errors).toEqual([]);
  return data.sendMessage.message;
}

const messagesOf = async (chatId: string) => {
  const { data } = await w.viewer.run(ReadChatDocument.toString(), { id: chatId, last: 50 });
  return (data as ReadChatQuery).chat?.messages.nodes ?? [];
};

test.each(Object.entries(fixtures))('%s: a message of the AI SDK comes back as it was sent', async (_, fixture) => {
  const chatId = await newChat();
  const sent = await send(chatId, fixture);
  expect(json(toUIMessage(sent))).toEqual(json(fixture));
  expect(json(toUIMessages(await messagesOf(chatId)))).toEqual([json(fixture)]);
});

test('a whole conversation comes back in its order, and the AI SDK takes it', async () => {
  const chatId = await newChat();
  for (const fixture of Object.values(fixtures)) await send(chatId, fixture);
  const messages = toUIMessages(await messagesOf(chatId));
  expect(json(messages)).toEqual(json(Object.values(fixtures)));
  expect(convertToModelMessages(messages, { ignoreIncompleteToolCalls: true })).toEqual(
    convertToModelMessages(Object.values(fixtures), { ignoreIncompleteToolCalls: true }),
  );
});

test('a result that came in a message of its own stands with its call', async () => {
  const chatId = await newChat();
  await send(chatId, {
    id: 'a',
    role: 'assistant',
    parts: [{ type: 'tool-weather', toolCallId: 'call_1', state: 'input-available', input: { place: 'north' } }],
  });
  await chatting(w.commenter).send(chatId, {
    role: 'TOOL',
    parts: [{ toolResult: { toolCallId: 'call_1', output: 20 } }],
  });
  expect(toUIMessages(await messagesOf(chatId))).toMatchObject([
    { id: 'a', parts: [{ type: 'tool-weather', state: 'output-available', input: { place: 'north' }, output: 20 }] },
  ]);
});
