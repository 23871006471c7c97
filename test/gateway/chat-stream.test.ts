import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { canopyClient } from '../../src/client/client.js';
import { toUIMessages } from '../../src/client/ui-message.js';
import { ReadChatDocument, SendMessageDocument } from '../../src/generated/client.js';
import { runDueJobs } from '../../src/jobs/worker.js';
import { startGateway, type TestGateway } from '../support/gateway.js';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.close());

const create = 'mutation ($input: CreateChatInput!) { createChat(input: $input) { chat { id } } }';
const follow = `subscription ($id: ID!, $after: EventCursor) { chatStream(chatId: $id, after: $after) { seq text status part { __typename ... on SourcePart { title } } message { id status } } }`;

test('an application asks in a chat and hears the reply over its socket, to the end', async () => {
  const key = gateway.demo.apiKeys[0]?.key ?? '';
  const client = canopyClient({ url: gateway.demo.graphql, credential: () => key });
  const response = await fetch(gateway.demo.graphql, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: JSON.stringify({ query: create, variables: { input: { spaceId: gateway.demo.spaceId } } }),
  });
  const { data } = (await response.json()) as { data: { createChat: { chat: { id: string } } } };
  const { id } = data.createChat.chat;
  const socket = createClient({
    url: `${gateway.url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${key}` },
  });
  const parts = [{ text: { text: 'Where do the beans grow?' } }];
  const { sendMessage } = await client.run(SendMessageDocument, { input: { chatId: id, parts, reply: true } });
  // It is quicker than the one who listens.
  await runDueJobs(gateway.app);
  const heard = socket.iterate<{ chatStream: { seq: number; text: string | null; status: string } }>({
    query: follow,
    variables: { id, after: sendMessage.stream?.cursor },
  });
  const deltas = [];
  for await (const { data: delta } of heard) deltas.push(delta?.chatStream);
  await socket.dispose();
  expect(deltas.map((delta) => delta?.seq)).toEqual(deltas.map((_, at) => at + 1));
  expect(deltas.map((delta) => delta?.text ?? '').join('')).toMatch(/\]\(no(de|te)_/);
  expect(deltas.at(-1)).toMatchObject({
    status: 'COMPLETE',
    message: { id: sendMessage.reply?.id, status: 'COMPLETE' },
  });
  const { chat } = await client.run(ReadChatDocument, { id, last: 10 });
  const [question, reply] = toUIMessages(chat?.messages.nodes ?? []);
  expect(question).toMatchObject({ role: 'user', parts: [{ type: 'text', text: 'Where do the beans grow?' }] });
  // However much it found.
  expect([...new Set(reply?.parts.map(({ type }) => type))]).toEqual([
    'step-start',
    'tool-search',
    'text',
    'source-document',
  ]);
});
