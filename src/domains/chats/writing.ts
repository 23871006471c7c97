import { columnsSql, sqlText } from '../../core/sql.js';
import type { Tx } from '../../core/write.js';
import type { MessageStatus } from '../../generated/graphql.js';
import { deltaOf } from './loaders.js';
import { type MessageRow, messageShape } from './message.js';
import { jsonText, maxPartsBytes } from './part.js';
import { type ChatStreamRow, chatStreamShape, type Delta, leaseMs, maxUsageBytes, partsOfDeltas } from './stream.js';

const columns = columnsSql(chatStreamShape);
const messageColumns = columnsSql(messageShape);
const largest = sqlText(`${maxPartsBytes}`);

/** What is needed to add to a message. */
export type Sql = Pick<Tx, 'sql'>;

/** Deltas for a stream. */
export interface Addition {
  readonly streamId: string;
  /** Only this one may write. */
  readonly writerId: string;
  /** None: the writer is still there, that is all. */
  readonly deltas: readonly Delta[];
  /** How many deltas there must be already; null is not checked. */
  readonly afterSeq?: number | null | undefined;
  readonly now: Date;
}

/**
 * Adds deltas behind those that are there and prolongs the lease, in one statement; null when the stream is closed, another's, at another place,
 * or would become too large. The stream's row is held until the end of the transaction, so that readers never see a gap.
 */
export async function addChunks({ sql }: Sql, addition: Addition): Promise<ChatStreamRow | null> {
  const { streamId, writerId, deltas, afterSeq = null, now } = addition;
  const text = jsonText(deltas, 'deltas', Number.POSITIVE_INFINITY);
  const [row] = await sql<ChatStreamRow>`with held as (
      update "ChatStream" set "lastSeq" = "lastSeq" + ${deltas.length}::int, "sizeBytes" = "sizeBytes" + ${Buffer.byteLength(text)}::int,
        "leaseExpiresAt" = greatest("leaseExpiresAt", ${new Date(now.getTime() + leaseMs)}::timestamptz)
      where id = ${streamId} and status = 'STREAMING' and "writerId" = ${writerId} and (${afterSeq}::int is null or "lastSeq" = ${afterSeq}::int)
        and ("sizeBytes" + ${Buffer.byteLength(text)}::int <= ${largest} or ${deltas.length}::int = 0) returning *
    ), added as (
      insert into "ChatStreamChunk" ("streamId", seq, delta)
      select h.id, h."lastSeq" - ${deltas.length}::int + e.i, e.delta from held h cross join json_array_elements(${text}::json) with ordinality e (delta, i)
    ) select ${columns} from held`;
  return row ?? null;
}

/** How a message ends. */
export interface Ending {
  readonly status: Exclude<MessageStatus, 'STREAMING'>;
  readonly failure?: string | null | undefined;
  readonly usage?: unknown;
}

const events = {
  COMPLETE: 'message.completed',
  FAILED: 'message.failed',
  CANCELLED: 'message.cancelled',
} as const;

/** Ends a message that is being written: its parts are what its chunks make. Null when it has ended already. */
export async function endStream(
  tx: Tx,
  streamId: string,
  { status, failure, usage }: Ending,
): Promise<MessageRow | null> {
  const [stream] =
    await tx.sql<ChatStreamRow>`update "ChatStream" set status = ${status}::"MessageStatus", "closedAt" = ${tx.now}
    where id = ${streamId} and status = 'STREAMING' returning ${columns}`;
  if (!stream) return null;
  const chunks = await tx.sql<{
    delta: unknown;
  }>`select delta from "ChatStreamChunk" where "streamId" = ${streamId} order by seq`;
  const parts = JSON.stringify(partsOfDeltas(chunks.map(deltaOf)));
  const counted = usage == null ? null : jsonText(usage, 'usage', maxUsageBytes);
  const [message] =
    await tx.sql<MessageRow>`update "Message" set status = ${status}::"MessageStatus", parts = ${parts}::json, usage = ${counted}::json,
    failure = ${failure ?? null}, "completedAt" = ${tx.now} where id = ${stream.messageId} returning ${messageColumns}`;
  if (!message) throw new Error('A stream has no message.');
  tx.emit(events[status], 'Message', message.id, { chatId: stream.chatId });
  return message;
}
