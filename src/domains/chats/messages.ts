import { askerOf } from '../../core/asker.js';
import type { Ctx } from '../../core/context.js';
import { AppError, badInput, notFound } from '../../core/errors.js';
import { newId } from '../../core/ids.js';
import { parse } from '../../core/input.js';
import { columnsSql } from '../../core/sql.js';
import { type Tx, type Written, write } from '../../core/write.js';
import type { MessageRole, SendMessageInput } from '../../generated/graphql.js';
import type { ChatRow } from './chat.js';
import { type MessageRow, maxMetadataBytes, messageShape, NewMessage } from './message.js';
import { callsElsewhere, jsonText, maxPartsBytes } from './part.js';
import { changing, seenChat } from './service.js';
import { beginMs, type ChatStreamRow, chatStreamShape, leaseMs } from './stream.js';

const columns = columnsSql(messageShape);
const streamColumns = columnsSql(chatStreamShape);

/** A message that was sent, the reply that was asked for, and where one of them is written. */
export interface Sent {
  readonly message: MessageRow;
  readonly reply: MessageRow | null;
  readonly stream: ChatStreamRow | null;
}

/** Who may write a stream: the program behind a key, or the person. */
export const writerOf = ({ viewer }: Ctx): string => viewer?.apiKeyId ?? viewer?.userId ?? '';

export async function sendMessage(ctx: Ctx, input: SendMessageInput): Promise<Written<Sent>> {
  const { chatId, role, parts, clientMessageId = null, metadata, reply, stream } = parse(NewMessage, input);
  const elsewhere = callsElsewhere(parts, 'parts');
  const message: NewRow = {
    role,
    parts: jsonText(parts, 'parts', maxPartsBytes),
    metadata: metadata == null ? null : jsonText(metadata, 'metadata', maxMetadataBytes),
    clientMessageId,
  };
  const chat = await seenChat(ctx, chatId);
  const action = role === 'SYSTEM' ? changing(ctx, chat) : 'chat.write';
  const written = await write(ctx, action, { space: chat.spaceId }, async (tx) => {
    const isArchived = await hold(tx, chatId);
    const earlier = clientMessageId === null ? null : await sentBefore(tx, chatId, clientMessageId, role);
    if (earlier) {
      tx.audit(action, { resourceType: 'Message', resourceId: earlier.message.id });
      return earlier;
    }
    if (isArchived) throw new AppError('CONFLICT', 'The chat is archived; take it out first.');
    await assertCalled(tx, chatId, elsewhere, 'parts');
    if (reply || stream) await assertNothingIsWritten(tx, chatId);
    const sent = await insertMessage(tx, chat, { ...message, isStreaming: stream, authorId: tx.actorId });
    if (stream) return { message: sent, reply: null, stream: await openStream(tx, chat, sent, writerOf(ctx)) };
    return reply
      ? { message: sent, ...(await askForReply(ctx, tx, chat, sent)) }
      : { message: sent, reply: null, stream: null };
  });
  if (written.value.stream) ctx.app.wakeups.wake(chatId);
  return written;
}

/** Holds the chat until the change commits: its messages stand in one order, and one of them is written at a time. Answers whether it is archived. */
async function hold(tx: Tx, chatId: string): Promise<boolean> {
  const [row] = await tx.sql<{
    isArchived: boolean;
  }>`select "archivedAt" is not null as "isArchived" from "Chat" where id = ${chatId} for no key update`;
  if (!row) throw notFound();
  return row.isArchived;
}

/** What an earlier call with the same id made. */
async function sentBefore(tx: Tx, chatId: string, clientMessageId: string, role: MessageRole): Promise<Sent | null> {
  const [message] =
    await tx.sql<MessageRow>`select ${columns} from "Message" where "chatId" = ${chatId} and "clientMessageId" = ${clientMessageId}`;
  if (!message) return null;
  if (message.authorId !== tx.actorId || message.role !== role)
    throw new AppError('CONFLICT', 'Another message of this chat has this clientMessageId.');
  const [reply] =
    await tx.sql<MessageRow>`select ${columns} from "Message" where "replyToId" = ${message.id} and role = 'ASSISTANT' order by seq limit 1`;
  const [stream] =
    await tx.sql<ChatStreamRow>`select ${streamColumns} from "ChatStream" where "messageId" = ${reply?.id ?? message.id}`;
  return { message, reply: reply ?? null, stream: stream ?? null };
}

/** BAD_USER_INPUT unless each of these calls was made in the chat. */
export async function assertCalled(
  tx: Tx,
  chatId: string,
  toolCallIds: readonly string[],
  argument: string,
): Promise<void> {
  if (toolCallIds.length === 0) return;
  const found = await tx.sql<{
    id: string;
  }>`select distinct p->>'toolCallId' as id from "Message" m cross join json_array_elements(m.parts) p
    where m."chatId" = ${chatId} and m.role = 'ASSISTANT' and p->>'type' = 'ToolCallPart' and p->>'toolCallId' = any(${toolCallIds}::text[])`;
  const known = new Set(found.map(({ id }) => id));
  const missing = toolCallIds.find((id) => !known.has(id));
  if (missing !== undefined) throw badInput(argument, `holds a result of the call ${missing}, which nobody made`);
}

async function assertNothingIsWritten(tx: Tx, chatId: string): Promise<void> {
  const [one] = await tx.sql`select id from "ChatStream" where "chatId" = ${chatId} and status = 'STREAMING'`;
  if (one) throw new AppError('CONFLICT', 'A message of this chat is being written; wait for it, or cancel it.');
}

/** A message as it is inserted; JSON as its text. */
interface NewRow {
  readonly role: MessageRole;
  readonly parts: string;
  readonly metadata: string | null;
  readonly clientMessageId: string | null;
}

/** Adds a message behind those of the chat, which is held. */
async function insertMessage(
  tx: Tx,
  { id: chatId, spaceId }: ChatRow,
  message: NewRow & { readonly isStreaming: boolean; readonly authorId: string | null; readonly replyToId?: string },
): Promise<MessageRow> {
  const { role, parts, metadata, clientMessageId, isStreaming, authorId, replyToId = null } = message;
  const [row] = await tx.sql<MessageRow>`with next as (
      update "Chat" set "lastSeq" = "lastSeq" + 1, "updatedAt" = greatest("updatedAt", ${tx.now}) where id = ${chatId} returning "lastSeq" as seq
    ) insert into "Message" (id, "spaceId", "chatId", seq, role, parts, status, "authorId", "replyToId", "clientMessageId", metadata, "completedAt", "createdAt")
    select ${newId('msg')}, ${spaceId}, ${chatId}, seq, ${role}::"MessageRole", ${parts}::json, ${isStreaming ? 'STREAMING' : 'COMPLETE'}::"MessageStatus",
      ${authorId}, ${replyToId}, ${clientMessageId}, ${metadata}::json, ${isStreaming ? null : tx.now}::timestamptz, ${tx.now} from next returning ${columns}`;
  if (!row) throw new Error('An inserted message was not answered.');
  tx.emit('message.created', 'Message', row.id, { chatId });
  return row;
}

/** Lets a message be written piece by piece; null for the writer: whoever takes it up. */
async function openStream(
  tx: Tx,
  { spaceId, id }: ChatRow,
  message: MessageRow,
  writerId: string | null,
): Promise<ChatStreamRow> {
  const leaseExpiresAt = new Date(tx.now.getTime() + (writerId === null ? beginMs : leaseMs));
  const [row] =
    await tx.sql<ChatStreamRow>`insert into "ChatStream" (id, "spaceId", "chatId", "messageId", "messageSeq", "writerId", "leaseExpiresAt", "createdAt")
    values (${newId('stream')}, ${spaceId}, ${id}, ${message.id}, ${message.seq}, ${writerId}, ${leaseExpiresAt}, ${tx.now}) returning ${streamColumns}`;
  if (!row) throw new Error('An inserted stream was not answered.');
  tx.job('chats.expireStreams', { streamId: row.id }, { key: `expire ${row.id}`, runAt: leaseExpiresAt });
  return row;
}

/** Adds an empty message for the assistant, and the job that writes it as the viewer's stand-in. */
async function askForReply({ viewer }: Ctx, tx: Tx, chat: ChatRow, asking: MessageRow) {
  const reply = await insertMessage(tx, chat, {
    role: 'ASSISTANT',
    parts: '[]',
    metadata: null,
    clientMessageId: null,
    isStreaming: true,
    authorId: null,
    replyToId: asking.id,
  });
  const stream = await openStream(tx, chat, reply, null);
  const asker = askerOf(viewer);
  // Somebody waits for it.
  tx.job('chat.reply', { spaceId: stream.spaceId, streamId: stream.id, asker }, { priority: -10 });
  return { reply, stream };
}
