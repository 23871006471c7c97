import { randomBytes } from 'node:crypto';
import { AppError, badInput, notFound, staleVersion } from '../../core/errors.js';
import type { EventType } from '../../core/events.js';
import { columnsSql } from '../../core/sql.js';
import type { Tx } from '../../core/write.js';
import type { TaskStatus } from '../../generated/graphql.js';
import { isRunnerType } from './runners.js';
import { type TaskErrorRow, type TaskRow, taskShape } from './task.js';
import { lockKeys, passTurn, type Turned } from './turn.js';

export const taskColumns = columnsSql(taskShape);

/** What the log calls it when a task gets to a status. */
const events = {
  PENDING: 'task.delayed',
  QUEUED: 'task.queued',
  RUNNING: 'task.started',
  COMPLETED: 'task.completed',
  FAILED: 'task.failed',
  CANCELLED: 'task.cancelled',
} as const satisfies Record<TaskStatus, EventType>;

/** A task, at the version or with the lease that is asked for. */
export interface Held {
  readonly id: string;
  readonly version?: number;
  /** Null: without a lease, as `manual` ones are. Left out: whatever. */
  readonly leaseToken?: string | null;
}

/** Where a task goes, and what it takes along. */
export interface Move {
  readonly to: TaskStatus;
  readonly error?: TaskErrorRow;
  /** JSON text. */
  readonly result?: string | null;
  readonly resultLocation?: string | null;
  readonly runAt?: Date;
  /** For how long a runner holds it. */
  readonly leaseSeconds?: number;
  /** As if it had never been started. */
  readonly startsOver?: boolean;
}

/** A task and, when a runner took it, the token of its lease. */
export type Moved = TaskRow & { readonly leaseToken: string | null };

const finished: readonly TaskStatus[] = ['COMPLETED', 'FAILED', 'CANCELLED'];

/**
 * Moves a task to another status: its row, its history, its event, and the job that goes on with it. The database refuses an illegal move, which is a
 * CONFLICT, as is a version or a lease that is no longer so. The key of the task is locked already.
 */
export async function move(tx: Tx, held: Held, to: Move): Promise<Moved> {
  const isStart = to.to === 'RUNNING';
  const startsOver = to.startsOver === true;
  const progress = to.to === 'COMPLETED' ? 100 : isStart || startsOver ? 0 : null;
  const payload = { status: to.to, ...(to.error && { error: to.error }) };
  const token = to.leaseSeconds === undefined ? null : randomBytes(24).toString('base64url');
  const [row] = await known(tx.sql<Moved>`with changed as (
      update "Task" set status = ${to.to}::"TaskStatus", "isNext" = false, attempt = case when ${startsOver}::boolean then 0 else attempt + ${isStart ? 1 : 0}::int end,
        progress = coalesce(${progress}::int, progress), error = case when ${startsOver || to.to === 'COMPLETED'}::boolean then null else coalesce(${to.error ? JSON.stringify(to.error) : null}::jsonb, error) end,
        result = ${to.result ?? null}::json, "resultLocation" = ${to.resultLocation ?? null}, "runAt" = coalesce(${to.runAt ?? null}::timestamptz, "runAt"),
        "leaseToken" = ${token}, "leaseSeconds" = ${to.leaseSeconds ?? null}::int, "leaseExpiresAt" = now() + make_interval(secs => ${to.leaseSeconds ?? null}::float8),
        "startedAt" = case when ${isStart}::boolean then ${tx.now}::timestamptz else "startedAt" end, "finishedAt" = ${finished.includes(to.to) ? tx.now : null}::timestamptz,
        version = version + 1, "eventSeq" = "eventSeq" + 1, "updatedAt" = greatest("updatedAt", ${tx.now})
      where id = ${held.id} and version = coalesce(${held.version ?? null}::int, version)
        and (${held.leaseToken === undefined}::boolean or "leaseToken" is not distinct from ${held.leaseToken ?? null} and ("leaseToken" is null or "leaseExpiresAt" > now()))
      returning *
    ), noted as (insert into "TaskEvent" ("taskId", seq, kind, status, attempt, progress, payload, "createdAt")
      select id, "eventSeq", 'STATUS', status, attempt, progress, ${JSON.stringify(payload)}::json, ${tx.now} from changed)
    select ${taskColumns}, "leaseToken" from changed`);
  if (!row) throw await refusal(tx, held);
  tx.emit(events[row.status], 'Task', row.id, { version: row.version });
  addJob(tx, row);
  await wakeNext(tx, row);
  return row;
}

/** The job that goes on with a task: at its time one that queues it, then, for a registered type, one that runs it. */
export function addJob(tx: Tx, { id, spaceId, type, status, runAt, priority }: Turned): void {
  // Jobs with lower numbers run earlier.
  if (status === 'QUEUED' && isRunnerType(type))
    tx.job('task.run', { spaceId, taskId: id }, { key: `task.run ${id}`, priority: -priority });
  if (status === 'PENDING' && type !== 'manual')
    tx.job('task.queue', { spaceId, taskId: id }, { key: `task.queue ${id}`, runAt, priority: -priority });
}

/** After a change of a task with a concurrency key: whoever of it has its turn now, and is registered, gets its job; outside runners come by themselves. */
export async function wakeNext(tx: Tx, task: Pick<TaskRow, 'spaceId' | 'concurrencyKey'>): Promise<void> {
  for (const turned of await passTurn(tx, task)) addJob(tx, turned);
}

/** The task, held until the change commits, and its key with it; null when there is none. */
export async function lockTask(tx: Tx, id: string): Promise<TaskRow | null> {
  await lockKeys(tx, [id]);
  const [task] = await tx.sql<TaskRow>`select ${taskColumns} from "Task" where id = ${id} for update`;
  return task ?? null;
}

async function refusal(tx: Tx, { id, version, leaseToken }: Held): Promise<AppError> {
  const [found] = await tx.sql<{ version: number }>`select version from "Task" where id = ${id}`;
  if (!found) return notFound();
  return version !== undefined && found.version !== version
    ? staleVersion('The task', found.version)
    : lostLease(leaseToken);
}

/** CONFLICT for whoever is not, or no longer, the one who runs a task. */
export const lostLease = (token: string | null | undefined): AppError =>
  new AppError(
    'CONFLICT',
    token ? 'The lease is over; the task is no longer the caller’s.' : 'The task is not RUNNING, or has a runner.',
  );

/** Failures of the constraints on tasks, as their callers hear of them. */
export async function known<T>(statement: Promise<T>): Promise<T> {
  try {
    return await statement;
  } catch (error) {
    const { constraint, message } = error as { constraint?: unknown; message?: unknown };
    if (constraint === 'Task_transition') throw new AppError('CONFLICT', `${message}`);
    if (constraint === 'Task_spaceId_assigneeId_fkey') throw badInput('assigneeId', 'must be a member of the space');
    throw error;
  }
}
