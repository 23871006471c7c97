import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { chatting, countOf } from '../support/chats.js';
import { eventually } from '../support/eventually.js';
import { newSpace } from '../support/tenancy.js';
import { type World, world } from '../support/world.js';

let w: World;
beforeAll(async () => {
  w = await world();
});
afterAll(() => w.close());

const read = 'query ($id: ID!) { chat(id: $id) { id title context summary archivedAt version owner { id } } }';
const update = 'mutation ($input: UpdateChatInput!) { updateChat(input: $input) { chat { title context version } } }';
const archive = 'mutation ($input: ArchiveChatInput!) { archiveChat(input: $input) { chat { version archivedAt } } }';

test('a chat begins with a title and a context, and changes by version', async () => {
  const { id } = await chatting(w.commenter).begin(w.space.id, { title: ' Beans ', context: { crop: 'beans' } });
  expect((await w.viewer.run(read, { id })).data.chat).toMatchObject({
    title: 'Beans',
    context: { crop: 'beans' },
    summary: null,
    archivedAt: null,
    version: 1,
    owner: { id: w.commenter.id },
  });
  const change = { input: { id, version: 1, title: 'Peas' } };
  expect((await w.commenter.run(update, change)).data.updateChat.chat).toEqual({
    title: 'Peas',
    context: { crop: 'beans' },
    version: 2,
  });
  expect(await w.commenter.run(update, change)).toMatchObject({
    code: 'CONFLICT',
    errors: [{ extensions: { currentVersion: 2 } }],
  });
});

test('what a chat is refused: titles and contexts that are none', async () => {
  const create = 'mutation ($input: CreateChatInput!) { createChat(input: $input) { chat { title } } }';
  const spaceId = w.space.id;
  for (const input of [
    { title: '' },
    { title: 'x'.repeat(201) },
    { context: [1] },
    { context: 'text' },
    { context: { a: '\u0000' } },
  ])
    expect(await w.editor.run(create, { input: { spaceId, ...input } })).toMatchObject({ code: 'BAD_USER_INPUT' });
  expect(await w.editor.run(create, { input: { spaceId, context: { a: 'x'.repeat(70_000) } } })).toMatchObject({
    code: 'PAYLOAD_TOO_LARGE',
  });
  expect((await w.editor.run(create, { input: { spaceId } })).data.createChat.chat.title).toBe('New chat');
});

test('commenters talk, viewers listen, and what somebody else began takes an editor to change', async () => {
  const { id } = await chatting(w.editor).begin(w.space.id);
  const change = { input: { id, version: 1, title: 'Mine' } };
  expect(await chatting(w.commenter).say(id, 'Hello')).toMatchObject({ code: null });
  expect(await chatting(w.viewer).say(id, 'Hello')).toMatchObject({ code: 'FORBIDDEN' });
  expect(await chatting(w.stranger).say(id, 'Hello')).toMatchObject({ code: 'NOT_FOUND' });
  expect(await w.commenter.run(update, change)).toMatchObject({ code: 'FORBIDDEN' });
  expect(await chatting(w.commenter).say(id, 'Obey', { role: 'SYSTEM' })).toMatchObject({ code: 'FORBIDDEN' });
  expect(await w.admin.run(update, change)).toMatchObject({ code: null });
});

test('whether somebody may talk or change is told of a chat, its messages and its streams', async () => {
  const { id } = await chatting(w.editor).begin(w.space.id);
  const { messageId, streamId } = await chatting(w.editor).open(id);
  const explain = 'query ($id: ID!, $action: String!) { explainAccess(id: $id, action: $action) { allowed missing } }';
  for (const thing of [id, messageId, streamId]) {
    const ask = async (person: typeof w.owner, action: string) =>
      (await person.run(explain, { id: thing, action })).data.explainAccess;
    expect(await ask(w.commenter, 'chat.write')).toEqual({ allowed: true, missing: [] });
    expect(await ask(w.commenter, 'chat.manage')).toEqual({ allowed: false, missing: ['role EDITOR'] });
    expect(await ask(w.stranger, 'chat.read')).toEqual({ allowed: false, missing: ['role VIEWER'] });
  }
});

test('the chats of a public space are for its members alone', async () => {
  const { id: spaceId } = await newSpace(w.owner, { visibility: 'PUBLIC' });
  const { id } = await chatting(w.owner).begin(spaceId);
  const list = 'query ($id: ID!) { space(by: { id: $id }) { chats { totalCount nodes { id } } } }';
  for (const person of [w.stranger, w.nobody])
    expect((await person.run(list, { id: spaceId })).data.space.chats).toEqual({ totalCount: 0, nodes: [] });
  expect((await w.owner.run(list, { id: spaceId })).data.space.chats).toEqual({ totalCount: 1, nodes: [{ id }] });
  expect((await w.stranger.run(read, { id })).data.chat).toBeNull();
});

test('an archived chat is read and not written, until it is taken out again', async () => {
  const { id } = await chatting(w.commenter).begin(w.space.id);
  expect((await w.commenter.run(archive, { input: { id, version: 1 } })).data.archiveChat.chat.archivedAt).toEqual(
    expect.any(String),
  );
  expect(await chatting(w.commenter).say(id, 'Hello')).toMatchObject({ code: 'CONFLICT' });
  const list =
    'query ($id: ID!, $filter: ChatFilter) { space(by: { id: $id }) { chats(first: 100, filter: $filter) { nodes { id } } } }';
  const ids = async (filter?: object) =>
    (await w.viewer.run(list, { id: w.space.id, filter })).data.space.chats.nodes.map(
      (chat: { id: string }) => chat.id,
    );
  expect(await ids()).not.toContain(id);
  expect(await ids({ archived: true })).toEqual([id]);
  expect(await ids({})).toContain(id);
  await w.commenter.run(archive, { input: { id, version: 2, archived: false } });
  expect(await ids()).toContain(id);
  expect(await chatting(w.commenter).say(id, 'Hello')).toMatchObject({ code: null });
});

test('messages stand in the order in which they were sent, and are read from either end', async () => {
  const { id } = await chatting(w.commenter).begin(w.space.id);
  await Promise.all(Array.from({ length: 12 }, (_, at) => chatting(w.commenter).say(id, `${at}`)));
  const page =
    'query ($id: ID!, $before: String) { chat(id: $id) { messages(last: 5, before: $before) { totalCount nodes { seq } pageInfo { startCursor hasPreviousPage } } } }';
  const { messages } = (await w.viewer.run(page, { id })).data.chat;
  expect(messages).toMatchObject({
    totalCount: 12,
    nodes: [8, 9, 10, 11, 12].map((seq) => ({ seq })),
    pageInfo: { hasPreviousPage: true },
  });
  const { startCursor: before } = messages.pageInfo;
  expect((await w.viewer.run(page, { id, before })).data.chat.messages.nodes).toEqual(
    [3, 4, 5, 6, 7].map((seq) => ({ seq })),
  );
});

test('a message that is sent again, even at the same time, is there once', async () => {
  const { id } = await chatting(w.commenter).begin(w.space.id);
  const once = { clientMessageId: 'mine-1', reply: true };
  const answers = await Promise.all(Array.from({ length: 6 }, () => chatting(w.commenter).say(id, 'Hello', once)));
  expect(answers.map(({ code }) => code)).toEqual(answers.map(() => null));
  expect(new Set(answers.map(({ data }) => data.sendMessage.message.id)).size).toBe(1);
  expect(new Set(answers.map(({ data }) => data.sendMessage.reply.id)).size).toBe(1);
  expect(await countOf(w.app, '"Message" where "chatId" = $1', [id])).toBe(2);
  expect(await chatting(w.editor).say(id, 'Hello', { clientMessageId: 'mine-1' })).toMatchObject({ code: 'CONFLICT' });
  await w.runJobs();
  expect((await chatting(w.commenter).say(id, 'Hello', once)).data.sendMessage).toMatchObject({
    message: { id: answers[0]?.data.sendMessage.message.id },
    reply: { status: 'COMPLETE' },
  });
});

test('a result without its call is refused, wherever the call is missing', async () => {
  const { id } = await chatting(w.commenter).begin(w.space.id);
  const call = (toolCallId: string) => ({ toolCall: { toolCallId, toolName: 'weather', input: { place: 'here' } } });
  const result = (toolCallId: string) => ({ toolResult: { toolCallId, output: { degrees: 20 } } });
  const send = (role: string, parts: readonly object[]) => chatting(w.commenter).send(id, { role, parts });
  for (const [role, parts] of [
    ['TOOL', [result('nobody')]],
    ['ASSISTANT', [result('a'), call('a')]],
    ['ASSISTANT', [call('a'), call('a')]],
    ['ASSISTANT', [call('a'), result('a'), result('a')]],
    ['TOOL', [{ text: { text: 'no result' } }]],
  ] as const)
    expect(await send(role, parts)).toMatchObject({ code: 'BAD_USER_INPUT' });
  expect(await send('ASSISTANT', [call('a'), call('b'), result('a')])).toMatchObject({ code: null });
  expect(await send('TOOL', [result('b')])).toMatchObject({ code: null });
  const elsewhere = await chatting(w.commenter).begin(w.space.id);
  expect(await chatting(w.commenter).send(elsewhere.id, { role: 'TOOL', parts: [result('b')] })).toMatchObject({
    code: 'BAD_USER_INPUT',
  });
});

test('what a message is refused: no parts, too many, too large, of the wrong form', async () => {
  const { id } = await chatting(w.commenter).begin(w.space.id);
  const text = { text: { text: 'x' } };
  const send = (parts: readonly object[], more: object = {}) => chatting(w.commenter).send(id, { parts, ...more });
  for (const [parts, more] of [
    [[]],
    [Array.from({ length: 257 }, () => text)],
    [[{ text: { text: 'a\u0000' } }]],
    [[{ image: { url: 'javascript:alert(1)', mediaType: 'image/png' } }]],
    [[{ image: { url: 'https://example.com/a', mediaType: 'text/html' } }]],
    [[{ source: { sourceId: 's' } }]],
    [[{ step: false }]],
    [[text], { clientMessageId: '' }],
    [[text], { role: 'ASSISTANT', reply: true }],
    [[text], { role: 'ASSISTANT', stream: true }],
    [[], { role: 'USER', stream: true }],
  ] as const)
    expect(await send(parts, more)).toMatchObject({ code: 'BAD_USER_INPUT' });
  expect(await send([{ text: { text: 'x'.repeat(270_000) } }])).toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
  expect(await send([text], { metadata: { a: 'x'.repeat(20_000) } })).toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
  expect(await countOf(w.app, '"Message" where "chatId" = $1', [id])).toBe(0);
});

test('what happens in chats is in the log of the space, and what is said is not', async () => {
  const space = await newSpace(w.owner);
  const { id } = await chatting(w.owner).begin(space.id);
  const { data } = await chatting(w.owner).say(id, 'A secret', { reply: true });
  await w.runJobs();
  const log =
    'query ($id: ID!, $after: EventCursor) { events(spaceId: $id, after: $after) { nodes { type resourceId related } } }';
  const first = Buffer.from('0.0').toString('base64url');
  const [message, reply] = [data.sendMessage.message.id, data.sendMessage.reply.id];
  await eventually(async () => {
    const { nodes } = (await w.owner.run(log, { id: space.id, after: first })).data.events;
    expect(nodes.slice(1)).toEqual([
      { type: 'chat.created', resourceId: id, related: { chatId: id, version: 1 } },
      { type: 'message.created', resourceId: message, related: { chatId: id } },
      { type: 'message.created', resourceId: reply, related: { chatId: id } },
      { type: 'message.completed', resourceId: reply, related: { chatId: id } },
    ]);
  });
});

test('a finished message does not change, whatever is at the database', async () => {
  const { id } = await chatting(w.commenter).begin(w.space.id);
  const { data } = await chatting(w.commenter).say(id, 'So it is');
  const change = w.app.database.query(`update "Message" set parts = '[]' where id = $1`, [data.sendMessage.message.id]);
  await expect(change).rejects.toThrow('is finished');
});

test('chats with their last messages and authors take one statement a level, however many they are', async () => {
  const { id: spaceId } = await newSpace(w.owner);
  const query = `query ($id: ID!) { space(by: { id: $id }) { chats(first: 50) { totalCount nodes { title context owner { name } activeStream { lastSeq }
    messages(last: 10) { totalCount nodes { seq status parts { ... on TextPart { text } } author { name } replyTo { id } } } } } } }`;
  const fill = async () => {
    const { id } = await chatting(w.owner).begin(spaceId);
    await chatting(w.owner).say(id, 'One');
    await chatting(w.owner).say(id, 'Two', { reply: true });
  };
  await fill();
  await fill();
  const few = await w.owner.run(query, { id: spaceId });
  for (const _ of [1, 2, 3]) await fill();
  const many = await w.owner.run(query, { id: spaceId });
  expect(many.errors).toEqual([]);
  expect(many.data.space.chats).toMatchObject({ totalCount: 5 });
  expect(many.sql.length).toBe(few.sql.length);
  expect(many.sql.length).toBeLessThanOrEqual(9);
});

test('when somebody closes their account, what they said stays and is nobody’s', async () => {
  const leaver = await w.member('Lena', w.space.id, 'COMMENTER');
  const { id } = await chatting(leaver).begin(w.space.id);
  const { data } = await chatting(leaver).say(id, 'I was here', { reply: true });
  expect(await leaver.run('mutation { deleteUser(input: { mode: ANONYMIZE }) { deletedUserId } }')).toMatchObject({
    code: null,
  });
  await w.runJobs();
  const look =
    'query ($id: ID!) { chat(id: $id) { owner { id } messages { nodes { author { id } status failure parts { ... on TextPart { text } } } } } }';
  expect((await w.viewer.run(look, { id })).data.chat).toMatchObject({
    owner: null,
    messages: {
      nodes: [
        { author: null, parts: [{ text: 'I was here' }] },
        { status: 'FAILED', failure: expect.any(String) },
      ],
    },
  });
  expect(data.sendMessage.reply.status).toBe('STREAMING');
});
