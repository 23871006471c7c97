import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { maxTokens } from '../../src/domains/chats/conversation.js';
import { digested } from '../../src/domains/chats/summary.js';
import { allDeltas, chatting, textOf } from '../support/chats.js';
import { modelServer } from '../support/model-server.js';
import { newSpace } from '../support/tenancy.js';
import { treeOf } from '../support/tree.js';
import { viewerOf, type World, world } from '../support/world.js';

let model: Awaited<ReturnType<typeof modelServer>>;
let w: World;
let plain: World;
beforeAll(async () => {
  model = await modelServer('key');
  model.answer(() => [{ text: 'Yes.' }]);
  w = await world({ assistant: { url: model.url, key: 'key', model: 'small' } });
  plain = await world();
});
afterAll(async () => {
  await plain.close();
  await w.close();
  await model.close();
});

const summaryOf = async (id: string) =>
  (await w.viewer.run('query ($id: ID!) { chat(id: $id) { summary version } }', { id })).data.chat;
const asked = () => model.requests.at(-1)?.messages ?? [];

test('a conversation that has become too long goes on with its latest messages and a summary of the others', async () => {
  const { id } = await chatting(w.commenter).begin(w.space.id, { context: { crop: 'beans' } });
  await chatting(w.commenter).say(id, 'My name is Mira. '.repeat(20));
  await chatting(w.commenter).say(id, 'Short', { reply: true });
  await w.runJobs();
  expect(asked().map(({ role }) => role)).toEqual(['system', 'user', 'user']);
  expect(await summaryOf(id)).toEqual({ summary: null, version: 1 });
  for (let n = 0; n < 6; n += 1) await chatting(w.commenter).say(id, `Number ${n}: ${'filling '.repeat(600)}`);
  await chatting(w.commenter).say(id, 'Who am I?', { reply: true });
  await w.runJobs();
  const [system, ...rest] = asked();
  expect(JSON.stringify(system?.content)).toMatch(/user: My name is Mira\./);
  expect(JSON.stringify(system?.content)).toContain('beans');
  expect(rest.at(-1)).toMatchObject({ content: 'Who am I?' });
  expect(JSON.stringify(rest).length).toBeLessThan(maxTokens * 4 + 1_000);
  expect(JSON.stringify(rest)).not.toContain('Mira');
  const { summary } = await summaryOf(id);
  expect(summary).toMatch(/^user: My name is Mira\..*\nuser: Short\nassistant: Yes\.\nuser: Number 0/);
  await chatting(w.commenter).say(id, 'Still?', { reply: true });
  await w.runJobs();
  // What the summary has is not put into it twice.
  expect((await summaryOf(id)).summary.match(/Mira/g).length).toBe(summary.match(/Mira/g).length);
});

test('a single message that is too long is read all the same', async () => {
  const { id } = await chatting(w.commenter).begin(w.space.id);
  await chatting(w.commenter).say(id, 'Before');
  await chatting(w.commenter).say(id, 'x'.repeat(maxTokens * 4 + 100), { reply: true });
  await w.runJobs();
  expect(asked()).toHaveLength(2);
  expect((await summaryOf(id)).summary).toBe('user: Before');
});

test('a summary keeps its beginning and its end, and stays short', () => {
  const messages = Array.from({ length: 200 }, (_, at) => ({
    role: 'USER' as const,
    text: `${at} ${'words '.repeat(20)}`,
  }));
  const summary = digested(digested(null, messages.slice(0, 100)), messages.slice(100)) ?? '';
  expect(summary.length).toBeLessThanOrEqual(4_100);
  expect(summary).toMatch(/^user: 0 words/);
  expect(summary).toMatch(/user: 199 words[^\n]*$/);
  expect(summary.match(/^…$/gm)).toHaveLength(1);
  expect(digested(null, [{ role: 'USER', text: '  ' }])).toBeNull();
});

test('a key that was revoked since it asked gets no reply', async () => {
  const create = 'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { apiKey { id } } }';
  const { data } = await w.commenter.run(create, { input: { name: 'k', scopes: ['chats:read', 'chats:write'] } });
  const { id: apiKeyId } = data.createApiKey.apiKey;
  const program = w.client(viewerOf(w.commenter.id, { apiKeyId, scopes: new Set(['chats:read', 'chats:write']) }));
  const ask = async () => {
    const { id } = await chatting(program).begin(w.space.id);
    return (await chatting(program).say(id, 'Hello', { reply: true })).data.sendMessage.reply.id as string;
  };
  const before = await ask();
  await w.runJobs();
  expect(await chatting(w.viewer).read(before)).toMatchObject({ status: 'COMPLETE' });
  const after = await ask();
  await w.commenter.run('mutation ($id: ID!) { revokeApiKey(input: { id: $id }) { revokedApiKeyId } }', {
    id: apiKeyId,
  });
  await w.runJobs();
  expect(await chatting(w.viewer).read(after)).toMatchObject({ status: 'FAILED', parts: [] });
});

test('without a model the answer is what the space holds, quoted and linked, while it is written', async () => {
  const { id: spaceId } = await newSpace(plain.owner);
  const tree = treeOf(plain.owner, spaceId);
  await tree.put('/beds/north', { crop: 'runner beans', sown: '2026-04-12' });
  await tree.put('/beds/[south]', { crop: 'tomatoes', text: '100% _real_' });
  await plain.runJobs();
  const ask = async (text: string) => {
    const { id } = await chatting(plain.owner).begin(spaceId);
    const { data } = await chatting(plain.owner).say(id, text, { reply: true });
    const heard = allDeltas(await chatting(plain.owner).follow(id));
    await plain.runJobs();
    const reply = await chatting(plain.owner).read(data.sendMessage.reply.id);
    expect(textOf(await heard)).toBe(reply.parts.map((part: { text?: string }) => part.text ?? '').join(''));
    return reply;
  };
  const beans = await ask('Where did we sow the beans?');
  expect(beans).toMatchObject({ status: 'COMPLETE' });
  const source = beans.parts.find((part: { sourceId?: string }) => part.sourceId);
  expect(source).toMatchObject({ sourceId: expect.stringMatching(/^node_/), title: '/beds/north' });
  const text = beans.parts.find((part: { __typename: string }) => part.__typename === 'TextPart').text;
  expect(text).toContain(`[/beds/north](${source.sourceId})`);
  expect(text).toContain('runner beans');
  expect(text).not.toContain('tomatoes');
  expect(JSON.stringify((await ask('tomatoes')).parts)).toContain('\\\\[south\\\\]');
  for (const nothing of ['%', '___', 'what is the', 'aubergine', '\\'])
    expect((await ask(nothing)).parts.at(-1).text).toBe('I found nothing about that in this space.');
});
