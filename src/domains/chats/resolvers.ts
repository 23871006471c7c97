import { load, loadExisting } from '../../core/loaders.js';
import { listField } from '../../core/pages.js';
import { payload } from '../../core/payload.js';
import type { Resolvers } from '../../generated/graphql.js';
import { userShape } from '../identity/user.js';
import { spaceShape } from '../spaces/space.js';
import { chatShape } from './chat.js';
import { followChat } from './delivery.js';
import { activeStream, chatsOf, messageParts, messagesOfChat } from './loaders.js';
import { messageShape } from './message.js';
import { sendMessage } from './messages.js';
import { archiveChat, createChat, updateChat } from './service.js';
import { cursorOf } from './stream.js';
import { appendToStream, cancelMessage, finishStream } from './streams.js';

export const resolvers: Resolvers = {
  Query: {
    chat: (_, { id }, ctx, info) => load(ctx, chatShape, id, info),
  },
  Space: {
    chats: listField(['id'], chatsOf),
  },
  Chat: {
    space: (chat, _, ctx, info) => loadExisting(ctx, spaceShape, chat.spaceId, info),
    owner: (chat, _, ctx, info) => (chat.ownerId ? load(ctx, userShape, chat.ownerId, info) : null),
    messages: listField(['id'], messagesOfChat),
    activeStream: (chat, _, ctx, info) => activeStream(ctx, chat.id, info),
  },
  Message: {
    chat: (message, _, ctx, info) => loadExisting(ctx, chatShape, message.chatId, info),
    parts: (message, _, ctx) => messageParts(ctx, message),
    author: (message, _, ctx, info) => (message.authorId ? load(ctx, userShape, message.authorId, info) : null),
    replyTo: (message, _, ctx, info) => (message.replyToId ? load(ctx, messageShape, message.replyToId, info) : null),
  },
  MessagePart: {
    __resolveType: (part) => part.type,
  },
  ToolResultPart: {
    isError: ({ errorText }) => errorText !== undefined,
  },
  StepPart: {
    begins: () => true,
  },
  ChatStream: {
    cursor: ({ messageId }) => cursorOf(messageId, 0),
    message: (stream, _, ctx, info) => loadExisting(ctx, messageShape, stream.messageId, info),
  },
  ChatDelta: {
    text: ({ delta }) => (delta && 'text' in delta ? delta.text : null),
    reasoning: ({ delta }) => (delta && 'reasoning' in delta ? delta.reasoning : null),
    part: ({ delta }) => (delta && 'part' in delta ? delta.part : null),
    message: ({ delta, messageId }, _, ctx, info) => (delta ? null : load(ctx, messageShape, messageId, info)),
  },
  Mutation: {
    createChat: (_, { input }, ctx) => payload(createChat(ctx, input), (chat) => ({ chat })),
    updateChat: (_, { input }, ctx) => payload(updateChat(ctx, input), (chat) => ({ chat })),
    archiveChat: (_, { input }, ctx) => payload(archiveChat(ctx, input), (chat) => ({ chat })),
    sendMessage: (_, { input }, ctx) => payload(sendMessage(ctx, input), (sent) => sent),
    appendToStream: (_, { input }, ctx) => payload(appendToStream(ctx, input), (stream) => ({ stream })),
    finishStream: (_, { input }, ctx) => payload(finishStream(ctx, input), (message) => ({ message })),
    cancelMessage: (_, { input }, ctx) => payload(cancelMessage(ctx, input), (message) => ({ message })),
  },
  Subscription: {
    chatStream: { subscribe: (_, args, ctx) => followChat(ctx, args) },
  },
};
