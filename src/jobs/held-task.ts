import type { App } from '../core/context.js';
import { statementOf } from '../core/sql.js';
import type { Tx } from '../core/write.js';
import { type Entry, outputEntry, record, reportEveryMs } from '../domains/tasks/report.js';
import { runLeaseSeconds } from '../domains/tasks/run.js';
import type { Moved } from '../domains/tasks/transition.js';

/** A task while this process runs it. */
export interface HeldTask {
  /** Aborted when the task is another's, cancelled, or has to be handed back. */
  readonly signal: AbortSignal;
  /** Whether it is no longer this process's: then nothing is to be said of it any more. */
  readonly isLost: boolean;
  report(progress: number | null, log?: string): void;
  output(value: unknown): void;
  /** Writes down what was reported; nothing is heard or said afterwards. */
  end(): Promise<void>;
}

const heartbeatMs = (runLeaseSeconds / 3) * 1_000;
/** How many entries go to the history at once; the rest is counted. */
const maxEntries = 100;
const longestLine = 2_000;

/** Renews the lease of a task, writes down its reports, and hears when it is cancelled, also in another process. */
export function holdTask(app: App, { id, spaceId, leaseToken }: Moved, stop: AbortSignal): HeldTask {
  const lost = new AbortController();
  const over = new AbortController();
  const sql: Tx['sql'] = (strings, ...parts) => {
    const { text, values } = statementOf(strings, parts);
    return app.database.query(text, values);
  };
  let progress: number | null = null;
  let entries: Entry[] = [];
  let left = 0;
  let beating = Promise.resolve();
  let soon: NodeJS.Timeout | null = null;
  let keptAt = performance.now();

  async function beat() {
    soon = null;
    if (left > 0) entries.push({ kind: 'LOG', payload: { message: `(${left} more entries are left out.)` } });
    const said = { progress, entries };
    [progress, entries, left] = [null, [], 0];
    const row = await record(sql, { id, leaseToken }, said);
    if (!row) return lost.abort();
    keptAt = performance.now();
    if (said.progress !== null || said.entries.length > 0) app.wakeups.wake();
  }
  /** One after the other. Without an answer for as long as the lease lasts, it is over. */
  function beatNext(): Promise<void> {
    beating = beating.then(beat).catch((error: unknown) => {
      app.log.warn('The lease of a task could not be renewed.', { taskId: id, error });
      if (performance.now() - keptAt > runLeaseSeconds * 1_000) lost.abort();
    });
    return beating;
  }
  function add(entry: Entry) {
    if (entries.length < maxEntries) entries.push(entry);
    else left += 1;
    soon ??= setTimeout(beatNext, reportEveryMs);
  }

  const heartbeat = setInterval(beatNext, heartbeatMs);
  const heard = ({ event }: { event: { type: string; resourceId: string } }) => {
    // It may be of an earlier run: the row says whether it is of this one.
    if (event.resourceId === id && event.type === 'task.cancelled') void beatNext();
  };
  app.tail.follow(spaceId, { heard, failed() {} }, over.signal);

  return {
    signal: AbortSignal.any([lost.signal, stop]),
    get isLost() {
      return lost.signal.aborted;
    },
    report(reached, log) {
      if (reached !== null) progress = Math.max(progress ?? 0, Math.min(100, Math.max(0, Math.floor(reached))));
      if (log)
        add({ kind: 'LOG', payload: { message: log.toWellFormed().replaceAll('\u0000', '').slice(0, longestLine) } });
      soon ??= setTimeout(beatNext, reportEveryMs);
    },
    output: (value) => add(outputEntry(value)),
    async end() {
      over.abort();
      clearInterval(heartbeat);
      if (soon) clearTimeout(soon);
      if (!lost.signal.aborted) await beatNext();
    },
  };
}
