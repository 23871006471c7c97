import { z } from 'zod';
import { loadPage } from '../../core/pages.js';
import { name } from '../../core/rules.js';
import { NewChat } from '../../domains/chats/chat.js';
import { insertChat, insertMessage } from '../../domains/chats/insertion.js';
import { chatsByCreation, messagesOfChat } from '../../domains/chats/loaders.js';
import { NewMessage } from '../../domains/chats/message.js';
import { KeptPart, maxParts } from '../../domains/chats/part.js';
import { date, reference } from './format.js';
import { importer } from './importer.js';
import { handleOf, pagesOf, source } from './source.js';

const oldest = { ...chatsByCreation, order: { ...chatsByCreation.order, direction: 'asc' } } as const;

/** Chats, each followed by its messages. What is still being written is not said yet; summaries are made anew from the messages. */
export const chats = source({
  kind: 'chat',
  type: 'Chat',
  scopes: ['chats:read'],
  page: ({ ctx, spaceId }, args) => loadPage(ctx, oldest, [spaceId], args),
  item: async (exporting, { id, title, context, archivedAt, ownerId, createdAt, updatedAt }) => ({
    kind: 'chat',
    id,
    title,
    context,
    archivedAt,
    owner: await handleOf(exporting, ownerId),
    createdAt,
    updatedAt,
  }),
  async *parts(exporting, chat) {
    for await (const rows of pagesOf(exporting, (args) => loadPage(exporting.ctx, messagesOfChat, [chat.id], args)))
      for (const { spaceId: _, seq: __, authorId, ...message } of rows)
        if (message.status !== 'STREAMING')
          yield { kind: 'message', ...message, author: await handleOf(exporting, authorId) };
  },
});

export const importChat = importer({
  rules: z.object({
    id: reference,
    title: name,
    context: NewChat.shape.context,
    archivedAt: date.nullable(),
    createdAt: date,
    updatedAt: date,
  }),
  action: 'chat.write',
  key: ({ id }) => id,
  add: (tx, given, _, { spaceId }) => insertChat(tx, { ...given, context: given.context ?? {}, spaceId }),
});

const { role, clientMessageId } = NewMessage.shape;

export const importMessage = importer({
  rules: z.object({
    id: reference,
    chatId: reference,
    role,
    parts: z.array(KeptPart).max(maxParts),
    status: z.enum(['COMPLETE', 'FAILED', 'CANCELLED']),
    replyToId: reference.nullable(),
    clientMessageId: clientMessageId.transform((id) => id ?? null),
    metadata: z.unknown(),
    usage: z.unknown(),
    failure: z.string().max(2_000).nullable(),
    completedAt: date,
    createdAt: date,
  }),
  action: 'chat.write',
  key: ({ id }) => id,
  needs: ({ chatId }) => [chatId],
  mentions: ({ replyToId, parts }) => [
    ...(replyToId === null ? [] : [replyToId]),
    ...parts.flatMap((part) => (part.type === 'SourcePart' ? [part.sourceId] : [])),
  ],
  add: (tx, given, ids) =>
    insertMessage(tx, {
      ...given,
      chatId: ids.get(given.chatId) ?? '',
      replyToId: (given.replyToId && ids.get(given.replyToId)) ?? null,
      // Of what an assistant found in the space, what there is of it now.
      parts: given.parts.map((part) =>
        part.type === 'SourcePart' ? { ...part, sourceId: ids.get(part.sourceId) ?? part.sourceId } : part,
      ),
    }),
});
