import { notFound } from '../../core/errors.js';
import { newId } from '../../core/ids.js';
import type { Tx } from '../../core/write.js';
import type { MessageRole, MessageStatus } from '../../generated/graphql.js';
import { contextText } from './chat.js';
import { maxMetadataBytes } from './message.js';
import { assertCalled } from './messages.js';
import { callsElsewhere, jsonText, type MessagePartRow, maxPartsBytes } from './part.js';
import { maxUsageBytes } from './stream.js';

/** A chat that was somewhere else before. */
export interface GivenChat {
  readonly spaceId: string;
  readonly title: string;
  readonly context: unknown;
  readonly archivedAt: Date | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** Adds a chat with the dates it had; answers its id. */
export async function insertChat(tx: Tx, chat: GivenChat): Promise<string> {
  const id = newId('chat');
  await tx.sql`insert into "Chat" (id, "spaceId", "ownerId", title, context, "archivedAt", "createdAt", "updatedAt")
    values (${id}, ${chat.spaceId}, ${tx.actorId}, ${chat.title}, ${contextText(chat.context)}::json,
      case when ${chat.archivedAt !== null}::boolean then least(${chat.archivedAt}::timestamptz, ${tx.now}) end, least(${chat.createdAt}::timestamptz, ${tx.now}),
      least(${chat.updatedAt}::timestamptz, ${tx.now}))`;
  tx.emit('chat.created', 'Chat', id, { chatId: id, version: 1 });
  return id;
}

/** A message that was sent somewhere else before, and is finished. */
export interface GivenMessage {
  readonly chatId: string;
  readonly role: MessageRole;
  readonly parts: readonly MessagePartRow[];
  readonly status: Exclude<MessageStatus, 'STREAMING'>;
  readonly replyToId: string | null;
  readonly clientMessageId: string | null;
  readonly metadata: unknown;
  readonly usage: unknown;
  readonly failure: string | null;
  readonly completedAt: Date;
  readonly createdAt: Date;
}

/** Adds a message behind those of its chat, with the dates it had; answers its id. What an assistant said is nobody's. */
export async function insertMessage(tx: Tx, message: GivenMessage): Promise<string> {
  const { chatId, role, parts, replyToId, metadata, usage } = message;
  const text = jsonText(parts, 'parts', maxPartsBytes);
  await assertCalled(tx, chatId, callsElsewhere(parts, 'parts'), 'parts');
  const [chat] = await tx.sql<{
    seq: number;
    spaceId: string;
  }>`update "Chat" set "lastSeq" = "lastSeq" + 1 where id = ${chatId}
    returning "lastSeq" as seq, "spaceId"`;
  if (!chat) throw notFound();
  const id = newId('msg');
  await tx.sql`insert into "Message" (id, "spaceId", "chatId", seq, role, parts, status, "authorId", "replyToId", "clientMessageId", metadata, usage, failure, "completedAt", "createdAt")
    values (${id}, ${chat.spaceId}, ${chatId}, ${chat.seq}, ${role}::"MessageRole", ${text}::json, ${message.status}::"MessageStatus", ${role === 'ASSISTANT' ? null : tx.actorId},
      ${replyToId}, ${message.clientMessageId}, ${metadata == null ? null : jsonText(metadata, 'metadata', maxMetadataBytes)}::json,
      ${usage == null ? null : jsonText(usage, 'usage', maxUsageBytes)}::json, ${message.failure}, least(${message.completedAt}::timestamptz, ${tx.now}),
      least(${message.createdAt}::timestamptz, ${tx.now}))`;
  tx.emit('message.created', 'Message', id, { chatId });
  return id;
}
