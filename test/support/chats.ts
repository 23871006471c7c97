import type { App } from '../../src/core/context.js';
import { make } from './tenancy.js';
import type { Person } from './world.js';

export const partFields = `__typename
  ... on TextPart { text state providerMetadata }
  ... on ReasoningPart { text reasoningId state providerMetadata }
  ... on ImagePart { url mediaType filename providerMetadata }
  ... on FilePart { url mediaType filename providerMetadata }
  ... on ToolCallPart { toolCallId toolName kind callState: state input rawInput title providerExecuted providerMetadata }
  ... on ToolResultPart { toolCallId output errorText preliminary isError }
  ... on SourcePart { sourceId sourceUrl: url sourceMediaType: mediaType title filename providerMetadata }
  ... on DataPart { name dataId data }`;

const messageFields = `id seq role status clientMessageId failure usage metadata parts { ${partFields} }`;

const documents = {
  create: 'mutation ($input: CreateChatInput!) { createChat(input: $input) { chat { id version } } }',
  send: `mutation ($input: SendMessageInput!) { sendMessage(input: $input) { eventCursor message { ${messageFields} } reply { id status seq } stream { id lastSeq status cursor } } }`,
  append: 'mutation ($input: AppendToStreamInput!) { appendToStream(input: $input) { stream { lastSeq } } }',
  finish: `mutation ($input: FinishStreamInput!) { finishStream(input: $input) { eventCursor message { ${messageFields} } } }`,
  cancel: `mutation ($input: CancelMessageInput!) { cancelMessage(input: $input) { message { ${messageFields} } } }`,
  read: `query ($id: ID!) { node(id: $id) { ... on Message { ${messageFields} } } }`,
  follow: `subscription ($id: ID!, $after: EventCursor) { chatStream(chatId: $id, after: $after) {
    cursor messageId seq text reasoning status part { ${partFields} } message { ${messageFields} } } }`,
};

/** What one person does in chats. */
export const chatting = (person: Person) => ({
  /** A new chat. */
  begin: async (spaceId: string, more: object = {}) =>
    (
      await make<{ chat: { id: string; version: number } }>(person, documents.create, {
        spaceId,
        title: 'Beans',
        ...more,
      })
    ).chat,
  send: (chatId: string, input: object) => person.run(documents.send, { input: { chatId, ...input } }),
  say: (chatId: string, text: string, more: object = {}) =>
    person.run(documents.send, { input: { chatId, parts: [{ text: { text } }], ...more } }),
  append: (streamId: string, deltas: readonly object[], more: object = {}) =>
    person.run(documents.append, { input: { streamId, deltas, ...more } }),
  finish: (streamId: string, more: object = {}) => person.run(documents.finish, { input: { streamId, ...more } }),
  cancel: (id: string) => person.run(documents.cancel, { input: { id } }),
  read: async (id: string) => (await person.run(documents.read, { id })).data.node,
  follow: (id: string, after?: string) => person.hear(documents.follow, { id, after }),
  /** A message that is written piece by piece. */
  open: async (chatId: string) => {
    const { data } = await person.run(documents.send, { input: { chatId, role: 'ASSISTANT', stream: true } });
    return { streamId: data.sendMessage.stream.id as string, messageId: data.sendMessage.message.id as string };
  },
});

/** What a viewer is sent of a message, until its end. */
export async function allDeltas(heard: Awaited<ReturnType<Person['hear']>>) {
  const deltas: {
    cursor: string;
    seq: number;
    text: string | null;
    status: string;
    message: { status: string } | null;
  }[] = [];
  for (;;) {
    const { chatStream } = await heard.next();
    deltas.push(chatStream);
    if (chatStream.message) return deltas;
  }
}

export const textOf = (deltas: readonly { text: string | null }[]) => deltas.map(({ text }) => text ?? '').join('');

/** How many rows a statement counts. */
export async function countOf({ database }: App, from: string, values: readonly unknown[] = []): Promise<number> {
  const [row] = await database.query<{ n: number }>(`select count(*)::int as n from ${from}`, values);
  return row?.n ?? 0;
}
