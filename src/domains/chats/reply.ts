import { decideFor } from '../../core/access.js';
import { askedBy, isKeyValid } from '../../core/asker.js';
import type { App, Ctx } from '../../core/context.js';
import { newId } from '../../core/ids.js';
import { type Asker, addJobs, type JobRun } from '../../core/jobs.js';
import { behind } from '../../core/operation.js';
import { columnsSql } from '../../core/sql.js';
import { commit } from '../../core/write.js';
import { AssistantFailure, type ReplyPiece, type ReplyUsage } from '../../platform/assistant/assistant.js';
import { conversationBefore } from './conversation.js';
import { expiryJob } from './expiry.js';
import { retrieve } from './retrieval.js';
import { type ChatStreamRow, chatStreamShape, type Delta, leaseMs } from './stream.js';
import { type StreamWriter, streamWriter } from './stream-writer.js';
import { type Ending, endStream } from './writing.js';

const columns = columnsSql(chatStreamShape);

/**
 * Writes the reply that somebody asked for, as they may now. Whoever comes second to a reply leaves it alone. When the process has to stop before anything
 * was written, the reply is left to another one; later, it fails with what there is.
 */
export async function writeReply(
  app: App,
  streamId: string,
  asker: Asker,
  { signal }: Pick<JobRun, 'signal'>,
): Promise<void> {
  const writerId = newId('stream');
  const stream = await claim(app, streamId, writerId);
  if (!stream) return;
  const ctx = behind(app, askedBy(asker));
  const writer = streamWriter(app, stream, writerId);
  const ending = await written(ctx, stream, writer, AbortSignal.any([signal, writer.lost]));
  await writer.close();
  if (writer.loss === 'ended') return;
  if (writer.loss) return end(ctx, stream, { status: 'FAILED', failure: losses[writer.loss] });
  if (ending) return end(ctx, stream, ending);
  if (!writer.hasWritten) return handBack(app, streamId, writerId);
  await end(ctx, stream, { status: 'FAILED', failure: 'The server stopped before the reply was finished.' });
}

const losses = { full: 'The reply became too long.', failed: 'The reply could not be kept.' } as const;

/** Writes the reply and answers how it ends; null when it was stopped. */
async function written(ctx: Ctx, stream: ChatStreamRow, writer: StreamWriter, signal: AbortSignal) {
  try {
    const ending = await converse(ctx, stream, writer, signal);
    return signal.aborted ? null : ending;
  } catch (error) {
    // Being stopped is no failure of the assistant's.
    return signal.aborted ? null : failureOf(ctx.app, stream.id, error);
  }
}

/** Takes up a reply that nobody writes yet; from now on it is given up as soon as its writer is not heard of. */
async function claim({ database, now }: App, streamId: string, writerId: string): Promise<ChatStreamRow | null> {
  const [row] = await database.query<ChatStreamRow>(
    `update "ChatStream" set "writerId" = $2, "leaseExpiresAt" = $3 where id = $1 and status = 'STREAMING' and "writerId" is null returning ${columns.text}`,
    [streamId, writerId, new Date(now().getTime() + leaseMs)],
  );
  if (row) await addJobs(database.query, [expiryJob(row)]);
  return row ?? null;
}

async function converse(ctx: Ctx, stream: ChatStreamRow, writer: StreamWriter, signal: AbortSignal): Promise<Ending> {
  const { spaceId, chatId, messageSeq } = stream;
  const { allowed } = await decideFor(ctx, 'chat.write', { space: spaceId });
  if (!allowed || !(await isKeyValid(ctx)))
    return { status: 'FAILED', failure: 'Whoever asked may not write here any more.' };
  const conversation = await conversationBefore(ctx, chatId, messageSeq);
  const search = (text: string, first: number) => {
    ctx.epoch.current = {};
    return retrieve(ctx, { spaceId, text, first });
  };
  let usage: ReplyUsage | null = null;
  let step: Delta | null = null;
  for await (const piece of ctx.app.assistant.reply({ ...conversation, search, signal })) {
    if (signal.aborted) break;
    // A step begins with what is said in it.
    if (piece.type === 'step') step = { part: { type: 'StepPart' } };
    else if (piece.type === 'usage') usage = piece.usage;
    else {
      if (step) writer.push(step);
      step = null;
      writer.push(deltaOf(piece));
    }
  }
  return writer.hasWritten
    ? { status: 'COMPLETE', usage }
    : { status: 'FAILED', failure: 'The assistant said nothing.' };
}

function deltaOf(piece: Exclude<ReplyPiece, { type: 'usage' | 'step' }>): Delta {
  switch (piece.type) {
    case 'text':
      return { text: piece.text };
    case 'reasoning':
      return { reasoning: piece.text };
    case 'toolCall': {
      const { toolCallId, toolName, input } = piece;
      return {
        part: {
          type: 'ToolCallPart',
          toolCallId,
          toolName,
          kind: 'STATIC',
          state: 'INPUT_AVAILABLE',
          input: input ?? null,
        },
      };
    }
    case 'toolResult':
      return { part: { type: 'ToolResultPart', toolCallId: piece.toolCallId, output: piece.output ?? null } };
    case 'toolError':
      return {
        part: { type: 'ToolResultPart', toolCallId: piece.toolCallId, output: null, errorText: piece.errorText },
      };
    case 'source': {
      const { sourceId, title } = piece;
      return { part: { type: 'SourcePart', sourceId, title, mediaType: 'application/json' } };
    }
  }
}

function failureOf({ log }: App, streamId: string, error: unknown): Ending {
  if (error instanceof AssistantFailure) return { status: 'FAILED', failure: error.message };
  log.error('A reply broke off.', { streamId, error });
  return { status: 'FAILED', failure: 'The reply broke off.' };
}

/** Lets another process begin. */
async function handBack({ database }: App, streamId: string, writerId: string): Promise<never> {
  await database.query(`update "ChatStream" set "writerId" = null where id = $1 and "writerId" = $2`, [
    streamId,
    writerId,
  ]);
  throw new Error('The process stops; another one writes the reply.');
}

async function end(ctx: Ctx, { id, spaceId, chatId }: ChatStreamRow, ending: Ending): Promise<void> {
  await commit(ctx, 'chat.write', { space: spaceId }, null, async (tx) => {
    const message = await endStream(tx, id, ending);
    if (!message) tx.audit('chat.write', { resourceType: 'ChatStream', resourceId: id });
  });
  ctx.app.wakeups.wake(chatId);
}
