import { enter } from '../../core/access.js';
import { closable } from '../../core/closable.js';
import { type Ctx, perApp } from '../../core/context.js';
import { cursorOf, positionOf } from '../../core/event-log.js';
import { visible } from './service.js';
import { type TaskEventRow, taskEventShape } from './task.js';

const pageSize = 200;

/** A task's history as it grows. Its entries commit in the order of `seq`, so whoever has read one has missed none before it. */
export async function followProgress(
  ctx: Ctx,
  { taskId, after }: { taskId: string; after?: string | null | undefined },
): Promise<AsyncIterableIterator<{ taskProgress: TaskEventRow }>> {
  const { spaceId } = await visible(ctx, taskId);
  const scope = { space: spaceId };
  await enter(ctx, 'task.read', scope);
  const from = await seqAt(ctx, taskId, after);
  const closing = new AbortController();

  let cursor = after ?? null;
  async function* entries() {
    for (let reached = from; !closing.signal.aborted; ) {
      const rows = await pages(ctx.app).after(taskId, reached);
      for (const row of rows) {
        ctx.epoch.current = {};
        await enter(ctx, 'task.read', scope);
        reached = row.seq;
        cursor = cursorOf({ txid: BigInt(row.txid), seq: BigInt(row.seq) });
        yield { taskProgress: row };
        if (closing.signal.aborted) return;
      }
      if (rows.length > 0) continue;
      while (!(await growth(ctx.app).after(taskId, reached, closing.signal))) {
        // Nothing has come; who may not read the task any more is told all the same.
        ctx.epoch.current = {};
        await enter(ctx, 'task.read', scope);
      }
    }
  }
  return closable(ctx, entries(), closing, () => cursor);
}

/** Reads histories: those who are at the same place of one share a statement. */
const pages = perApp(({ database }) => {
  const reading = new Map<string, Promise<readonly TaskEventRow[]>>();
  return {
    after(taskId: string, seq: number): Promise<readonly TaskEventRow[]> {
      const place = `${taskId} ${seq}`;
      let page = reading.get(place);
      if (!page) {
        page = database.query<TaskEventRow>(pageSql, [taskId, seq, pageSize]).finally(() => reading.delete(place));
        reading.set(place, page);
      }
      return page;
    },
  };
});

const pageSql = `select ${taskEventShape.columns.map((column) => `"${column}"`).join(', ')} from "TaskEvent" where "taskId" = $1 and seq > $2 order by seq limit $3`;

/** The last entry that is known to whoever has this cursor: of the history itself, or of the event log; without one the last of all. */
async function seqAt({ app }: Ctx, taskId: string, after: string | null | undefined): Promise<number> {
  const { txid, seq } = after == null ? { txid: null, seq: null } : positionOf(after);
  const [row] = await app.database.query<{ seq: number }>(seqAtSql, [taskId, txid, seq]);
  return row?.seq ?? 0;
}

// Transactions do not end in the order of their numbers, entries do: all that follows the first one beyond the cursor is told.
const seqAtSql = `select coalesce((select seq from "TaskEvent" where "taskId" = t.id and txid = $2::text::xid8 and seq = $3::bigint),
    (select min(seq) - 1 from "TaskEvent" where "taskId" = t.id and txid > $2::text::xid8), t."eventSeq") as seq from "Task" t where id = $1`;

interface Waiting {
  readonly taskId: string;
  readonly seq: number;
  wake(): void;
}

/** How long a lost wake-up can delay. */
const pollMs = 1_000;
/** How long nothing may come until it is asked whether the viewer may still read the task. */
const askMs = 3_000;
/** Wake-ups of so short a time are answered at once. */
const gatherMs = 20;

/** Tells whoever in this process waits for a task's history to grow that it has: one statement for all of them. */
const growth = perApp(({ database, wakeups, log }) => {
  const waiting = new Set<Waiting>();
  let isLooking = false;

  async function look() {
    isLooking = false;
    try {
      const ids = [...new Set([...waiting].map(({ taskId }) => taskId))];
      const rows = await database.query<{ id: string; eventSeq: number }>(
        'select id, "eventSeq" from "Task" where id = any($1::text[])',
        [ids],
      );
      const reached = new Map(rows.map(({ id, eventSeq }) => [id, eventSeq]));
      for (const one of waiting) if ((reached.get(one.taskId) ?? 0) > one.seq) one.wake();
    } catch (error) {
      log.warn('The progress of tasks cannot be read; the next look comes.', { error });
    }
  }
  const heard = () => {
    if (isLooking || waiting.size === 0) return;
    isLooking = true;
    setTimeout(look, gatherMs);
  };
  const listening = wakeups.listen(heard);

  return {
    /** Resolves with true once the task's history has grown beyond `seq`, or the signal aborts; with false when neither has happened for a while. */
    async after(taskId: string, seq: number, signal: AbortSignal): Promise<boolean> {
      await listening;
      return new Promise((resolve) => {
        const polling = setInterval(heard, pollMs);
        const patience = setTimeout(() => end(false), askMs);
        const end = (hasGrown: boolean) => {
          clearInterval(polling);
          clearTimeout(patience);
          waiting.delete(one);
          signal.removeEventListener('abort', one.wake);
          resolve(hasGrown);
        };
        const one: Waiting = { taskId, seq, wake: () => end(true) };
        waiting.add(one);
        signal.addEventListener('abort', one.wake);
        if (signal.aborted) one.wake();
        // What came since it was read last.
        heard();
      });
    },
  };
});
