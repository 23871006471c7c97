import type { Ctx } from '../../core/context.js';
import { AppError, notFound } from '../../core/errors.js';
import { parse } from '../../core/input.js';
import { loadExisting } from '../../core/loaders.js';
import { columnsSql } from '../../core/sql.js';
import { type Tx, type Written, write } from '../../core/write.js';
import type { AppendToStreamInput, CancelMessageInput, FinishStreamInput } from '../../generated/graphql.js';
import { type MessageRow, messageShape } from './message.js';
import { assertCalled, writerOf } from './messages.js';
import { callsElsewhere, type MessagePartRow } from './part.js';
import { Appending, type ChatStreamRow, chatStreamShape, type Delta, Finishing, joined } from './stream.js';
import { addChunks, endStream } from './writing.js';

const columns = columnsSql(chatStreamShape);
const messageColumns = columnsSql(messageShape);

/** The stream as the viewer may see it; NOT_FOUND otherwise. */
const seenStream = (ctx: Ctx, id: string): Promise<ChatStreamRow> => loadExisting(ctx, chatStreamShape, id);

function assertWriter(ctx: Ctx, { writerId }: ChatStreamRow): void {
  if (writerId !== writerOf(ctx)) throw new AppError('FORBIDDEN', 'Only who began the message writes it.');
}

export async function appendToStream(ctx: Ctx, input: AppendToStreamInput): Promise<Written<ChatStreamRow>> {
  const { streamId, afterSeq, deltas } = parse(Appending, input);
  const { spaceId, chatId } = await seenStream(ctx, streamId);
  const addition = { streamId, writerId: writerOf(ctx), afterSeq, deltas: joined(deltas) };
  const written = await write(ctx, 'chat.write', { space: spaceId }, async (tx) => {
    const [held] =
      await tx.sql<ChatStreamRow>`select ${columns} from "ChatStream" where id = ${streamId} for no key update`;
    if (!held) throw notFound();
    assertWriter(ctx, held);
    await assertCalls(tx, held, deltas);
    const row = await addChunks(tx, { ...addition, now: tx.now });
    if (!row) throw notAdded(held, afterSeq);
    tx.audit('chat.write', { resourceType: 'ChatStream', resourceId: streamId });
    return row;
  });
  ctx.app.wakeups.wake(chatId);
  return written;
}

function notAdded({ status, lastSeq }: ChatStreamRow, afterSeq: number | null | undefined): AppError {
  if (status !== 'STREAMING') return new AppError('CONFLICT', `The message is ${status}; nothing can be added to it.`);
  if (afterSeq != null && afterSeq !== lastSeq)
    return new AppError('CONFLICT', `The stream is at ${lastSeq}.`, { currentVersion: lastSeq });
  return new AppError('PAYLOAD_TOO_LARGE', 'deltas: the message would become larger than 256 KiB.');
}

/** The calls and results of the deltas fit what was written before them. */
async function assertCalls(tx: Tx, { id, chatId }: ChatStreamRow, deltas: readonly Delta[]): Promise<void> {
  const isOfTool = ({ type }: MessagePartRow) => type === 'ToolCallPart' || type === 'ToolResultPart';
  const added = deltas.flatMap((delta) => ('part' in delta && isOfTool(delta.part) ? [delta.part] : []));
  if (added.length === 0) return;
  const before = await tx.sql<{ part: MessagePartRow }>`select delta->'part' as part from "ChatStreamChunk"
    where "streamId" = ${id} and delta->'part'->>'type' in ('ToolCallPart', 'ToolResultPart') order by seq`;
  const elsewhere = callsElsewhere([...before.map(({ part }) => part), ...added], 'deltas');
  await assertCalled(tx, chatId, elsewhere, 'deltas');
}

export async function finishStream(ctx: Ctx, input: FinishStreamInput): Promise<Written<MessageRow>> {
  const { streamId, ...ending } = parse(Finishing, input);
  const stream = await seenStream(ctx, streamId);
  return ended(ctx, stream, async (tx) => {
    assertWriter(ctx, stream);
    const message = await endStream(tx, streamId, ending);
    if (message) return message;
    const earlier = await finished(tx, stream);
    if (earlier.status !== ending.status) throw new AppError('CONFLICT', `The message is ${earlier.status} already.`);
    return earlier;
  });
}

export async function cancelMessage(ctx: Ctx, { id }: CancelMessageInput): Promise<Written<MessageRow>> {
  const message = await loadExisting(ctx, messageShape, id);
  const subject = { spaceId: message.spaceId, chatId: message.chatId, messageId: id };
  return ended(ctx, subject, async (tx) => {
    const [stream] = await tx.sql<{ id: string }>`select id from "ChatStream" where "messageId" = ${id}`;
    const cancelled = stream && (await endStream(tx, stream.id, { status: 'CANCELLED' }));
    return cancelled ?? (await finished(tx, subject));
  });
}

/** Ends a message, and tells those who follow it. */
async function ended(
  ctx: Ctx,
  { spaceId, chatId }: Pick<ChatStreamRow, 'spaceId' | 'chatId'>,
  change: (tx: Tx) => Promise<MessageRow>,
): Promise<Written<MessageRow>> {
  const written = await write(ctx, 'chat.write', { space: spaceId }, change);
  ctx.app.wakeups.wake(chatId);
  return written;
}

/** A message that somebody else has ended. */
async function finished(tx: Tx, { messageId }: Pick<ChatStreamRow, 'messageId'>): Promise<MessageRow> {
  const [message] = await tx.sql<MessageRow>`select ${messageColumns} from "Message" where id = ${messageId}`;
  if (!message) throw notFound();
  tx.audit('chat.write', { resourceType: 'Message', resourceId: messageId });
  return message;
}
