import type { Ctx } from '../../core/context.js';
import { AppError } from '../../core/errors.js';
import { parse } from '../../core/input.js';
import { type Tx, type Written, write } from '../../core/write.js';
import type { CompleteTaskInput, FailTaskInput, ReportTaskProgressInput } from '../../generated/graphql.js';
import { seal } from '../tree/value.js';
import { endAttempt } from './lease.js';
import { visible } from './service.js';
import { manual, TaskCompletion, TaskFailure, TaskReport, type TaskRow } from './task.js';
import { type Held, lockTask, lostLease, move, taskColumns } from './transition.js';
import { lockKeys } from './turn.js';

/** What a runner has to say. */
export interface Report {
  readonly progress?: number | null | undefined;
  readonly entries: readonly Entry[];
  /** How long the lease lasts from now; as long as when it was taken, when left out. */
  readonly leaseSeconds?: number | null | undefined;
}

/** Something for the history. */
export type Entry =
  | { readonly kind: 'LOG'; readonly payload: { readonly message: string } }
  | { readonly kind: 'OUTPUT'; readonly payload: { readonly output: unknown } };

/** Progress becomes an entry of the history at most so often: whole percents that only grow, so 100 an attempt at most. */
export const reportEveryMs = 200;
/** Up to here a history takes logs and outputs; changes of status and progress always. */
export const maxHistory = { entries: 10_000, bytes: 16 * 1024 * 1024 } as const;
const lastEntry: Entry = {
  kind: 'LOG',
  payload: { message: 'The history is full: logs and outputs are kept no more.' },
};

/**
 * Notes what a runner says of the task that it holds, and renews its lease; null when it holds it no more. Progress never goes back. Entries of one task
 * are numbered under the lock of its row, so they commit in the order of their numbers.
 */
export async function record(sql: Tx['sql'], { id, leaseToken }: Held, report: Report): Promise<TaskRow | null> {
  const { progress = null, entries, leaseSeconds = null } = report;
  const said = JSON.stringify(entries);
  const bytes = entries.length && Buffer.byteLength(said);
  const [row] = await sql<TaskRow>`with old as (
      select id, progress, "historyBytes", "eventSeq" + ${entries.length}::int < ${maxHistory.entries} and "historyBytes" + ${bytes}::int < ${maxHistory.bytes} as fits,
        "reportedAt" is null or "reportedAt" <= now() - ${reportEveryMs}::int * interval '1 ms' as "isTime" from "Task" where id = ${id} for update
    ), changed as (
      update "Task" t set progress = greatest(t.progress, ${progress}::int), "eventSeq" = t."eventSeq" + json_array_length(kept.entries) + moved.n,
        "historyBytes" = case when old.fits or ${bytes}::int = 0 then t."historyBytes" + ${bytes}::int else ${maxHistory.bytes} end,
        "reportedAt" = case when moved.n = 1 then now() else t."reportedAt" end, "leaseExpiresAt" = now() + make_interval(secs => coalesce(${leaseSeconds}::int, t."leaseSeconds"))
      from old cross join lateral (select case when ${progress}::int > old.progress and old."isTime" then 1 else 0 end as n) moved
        cross join lateral (select case when old.fits then ${said} when ${bytes}::int = 0 or old."historyBytes" = ${maxHistory.bytes} then '[]' else ${JSON.stringify([lastEntry])} end::json as entries) kept
      where t.id = old.id and t.status = 'RUNNING' and t."leaseToken" is not distinct from ${leaseToken ?? null} and (t."leaseToken" is null or t."leaseExpiresAt" > now())
      returning t.*, moved.n as moved, kept.entries as kept
    ), noted as (
      insert into "TaskEvent" ("taskId", seq, kind, attempt, progress, payload, "createdAt")
      select c.id, c."eventSeq" - json_array_length(c.kept) - c.moved + e.place, e.kind::"TaskEventKind", c.attempt, c.progress, e.payload, now() from changed c cross join lateral (
        select 1 as place, 'PROGRESS' as kind, json_build_object('progress', c.progress) as payload where c.moved = 1
        union all select c.moved + j.place, j.entry->>'kind', j.entry->'payload' from json_array_elements(c.kept) with ordinality j (entry, place)) e
    ) select ${taskColumns} from changed`;
  return row ?? null;
}

/** What a runner outside, or a person at a `manual` task, says of its progress. */
export async function reportTaskProgress(ctx: Ctx, input: ReportTaskProgressInput): Promise<Written<TaskRow>> {
  const { id, leaseToken = null, progress, logs, leaseSeconds } = parse(TaskReport, input);
  const logged = (logs ?? []).map((message): Entry => ({ kind: 'LOG', payload: { message } }));
  const entries: readonly Entry[] = input.output == null ? logged : [...logged, outputEntry(input.output)];
  const written = await byRunner(ctx, id, leaseToken, async (tx) => {
    const row = await record(tx.sql, { id, leaseToken }, { progress, entries, leaseSeconds });
    if (!row) throw lostLease(leaseToken);
    tx.audit('task.run', { resourceType: 'Task', resourceId: id });
    return row;
  });
  ctx.app.wakeups.wake();
  return written;
}

/** A piece of what a task makes, for its history; PAYLOAD_TOO_LARGE beyond 256 KiB. */
export function outputEntry(output: unknown): Entry {
  const { text } = seal(output, 'output');
  return { kind: 'OUTPUT', payload: { output: JSON.parse(text) } };
}

/** Ends a task with what it answered. */
export async function completeTask(ctx: Ctx, input: CompleteTaskInput): Promise<Written<TaskRow>> {
  const { id, leaseToken = null, resultLocation = null } = parse(TaskCompletion, input);
  const result = input.result == null ? null : seal(input.result, 'result').text;
  return byRunner(ctx, id, leaseToken, async (tx) => {
    await lockKeys(tx, [id]);
    return move(tx, { id, leaseToken }, { to: 'COMPLETED', result, resultLocation });
  });
}

/** Ends an attempt that failed. */
export async function failTask(ctx: Ctx, input: FailTaskInput): Promise<Written<TaskRow>> {
  const { id, leaseToken = null, code, message, retryable } = parse(TaskFailure, input);
  return byRunner(ctx, id, leaseToken, async (tx) => {
    const task = await lockTask(tx, id);
    if (!task) throw lostLease(leaseToken);
    return endAttempt(tx, task, leaseToken, { code, message }, retryable);
  });
}

/** A change by whoever runs a task: its lease's holder, or whoever may write where it is `manual`. */
async function byRunner(
  ctx: Ctx,
  id: string,
  leaseToken: string | null,
  change: (tx: Tx) => Promise<TaskRow>,
): Promise<Written<TaskRow>> {
  const { spaceId, type } = await visible(ctx, id);
  const action = type === manual ? 'task.write' : 'task.run';
  return write(
    ctx,
    action,
    { space: spaceId },
    async (tx) => {
      if (type !== manual && leaseToken === null)
        throw new AppError('CONFLICT', 'Only the runner that claimed the task says so, with its leaseToken.');
      return change(tx);
    },
    { subject: { resourceType: 'Task', resourceId: id } },
  );
}
