import type { App } from '../../core/context.js';
import { statementOf } from '../../core/sql.js';
import { sound, wholeCharacters } from './sound.js';
import { type ChatStreamRow, type Delta, joined } from './stream.js';
import { addChunks, type Sql } from './writing.js';

/** Writes the pieces of a message as they come, in batches. */
export interface StreamWriter {
  /** Takes a piece; it is written within a moment. */
  push(delta: Delta): void;
  /** Aborted when nothing more can be written. */
  readonly lost: AbortSignal;
  /** Why that is so: somebody else has ended the message, there is no more room, or it failed. */
  readonly loss: 'ended' | 'full' | 'failed' | null;
  /** Whether anything has been given to it. */
  readonly hasWritten: boolean;
  /** Writes what waits, and stops. */
  close(): Promise<void>;
}

/** So long do pieces wait for others. */
const batchMs = 30;
/** So often the writer says that it is there, and looks whether it is still wanted. */
const beatMs = 1_000;

/** The writer of a stream that was taken up as `writerId`. Deltas are neither events nor audited: the message that they make is. */
export function streamWriter(app: App, { id: streamId, chatId }: ChatStreamRow, writerId: string): StreamWriter {
  const lost = new AbortController();
  const sql: Sql['sql'] = (strings, ...parts) => {
    const { text, values } = statementOf(strings, parts);
    return app.database.query(text, values);
  };
  const waiting: Delta[] = [];
  let timer: NodeJS.Timeout | null = null;
  let writing: Promise<void> = Promise.resolve();
  let writtenAt = 0;
  let hasWritten = false;
  let isClosing = false;
  let loss: StreamWriter['loss'] = null;

  const lose = (why: StreamWriter['loss']) => {
    loss = why;
    lost.abort();
  };

  async function write() {
    if (loss) return;
    const { whole, rest } = wholeCharacters(joined(waiting.splice(0)));
    if (!isClosing) waiting.unshift(...rest);
    const deltas = (isClosing ? joined([...whole, ...rest]) : whole).map(sound);
    writtenAt = performance.now();
    try {
      const row = await addChunks({ sql }, { streamId, writerId, deltas, now: app.now() });
      if (!row) lose((await isOurs()) ? 'full' : 'ended');
      else if (deltas.length > 0) app.wakeups.wake(chatId);
    } catch (error) {
      app.log.error('A reply could not be written on.', { streamId, error });
      lose('failed');
    }
  }

  const isOurs = async () =>
    (
      await sql`select id from "ChatStream" where id = ${streamId} and status = 'STREAMING' and "writerId" = ${writerId}`
    ).length > 0;

  function flush() {
    timer = null;
    writing = writing.then(write);
  }

  const beating = setInterval(() => {
    if (timer === null && performance.now() - writtenAt > beatMs / 2) flush();
  }, beatMs);

  return {
    push(delta) {
      hasWritten = true;
      waiting.push(delta);
      // The first piece is written at once.
      timer ??= setTimeout(flush, Math.max(0, batchMs - (performance.now() - writtenAt)));
    },
    lost: lost.signal,
    get loss() {
      return loss;
    },
    get hasWritten() {
      return hasWritten;
    },
    async close() {
      isClosing = true;
      clearInterval(beating);
      if (timer) clearTimeout(timer);
      flush();
      await writing;
    },
  };
}
