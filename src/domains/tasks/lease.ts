import type { z } from 'zod';
import { allow } from '../../core/access.js';
import type { Ctx } from '../../core/context.js';
import { badInput } from '../../core/errors.js';
import { parse } from '../../core/input.js';
import { type Tx, type Written, write } from '../../core/write.js';
import type { ClaimTaskInput } from '../../generated/graphql.js';
import { isRunnerType } from './runners.js';
import { TaskClaim, type TaskErrorRow, type TaskRow } from './task.js';
import { type Moved, move, taskColumns } from './transition.js';

type Claim = z.output<typeof TaskClaim>;

/** Takes the next due task of some types for a runner outside; null when nothing is due. */
export async function claimTask(ctx: Ctx, input: ClaimTaskInput): Promise<Written<Moved | null>> {
  const claim = parse(TaskClaim, input);
  const own = claim.types.find(isRunnerType);
  if (own) throw badInput('types', `${own} is run by Canopy`);
  const scope = { space: claim.spaceId };
  await allow(ctx, 'task.run', scope);
  // Runners ask again and again; that nothing is due is not worth a transaction, nor a line in the audit log.
  if (!ctx.idempotency && !(await isAnythingDue(ctx, claim)))
    return { value: null, eventCursor: null, repeated: false };
  return write(ctx, 'task.run', scope, async (tx) => {
    await expireLeases(tx, claim.spaceId);
    const task = await startNext(tx, claim);
    if (!task) tx.audit('task.run', { resourceType: 'Task' });
    return task;
  });
}

async function isAnythingDue({ app }: Ctx, { spaceId, types }: Claim): Promise<boolean> {
  const [row] = await app.database.query<{ due: boolean }>(
    `select exists (select from "Task" where "spaceId" = $1 and status = 'QUEUED' and type = any($2::text[]))
      or exists (select from "Task" where "spaceId" = $1 and "leaseToken" is not null and "leaseExpiresAt" < now()) as due`,
    [spaceId, types],
  );
  return row?.due === true;
}

async function startNext(tx: Tx, { spaceId, types, leaseSeconds }: Claim): Promise<Moved | null> {
  const busy: string[] = [];
  for (;;) {
    const [next] =
      await tx.sql<TaskRow>`select ${taskColumns} from "Task" where "spaceId" = ${spaceId} and status = 'QUEUED' and type = any(${types}::text[])
        and ("concurrencyKey" is null or "concurrencyKey" <> all(${busy}::text[]))
      order by priority desc, "runAt", id limit 1 for update skip locked`;
    if (!next) return null;
    const started = await start(tx, next, leaseSeconds);
    if (started) return started;
    busy.push(next.concurrencyKey ?? '');
  }
}

/** Starts a queued task that is locked, for as long as a lease lasts; null while another of its concurrency key runs. */
export async function start(tx: Tx, task: TaskRow, leaseSeconds: number): Promise<Moved | null> {
  const { id, spaceId, concurrencyKey } = task;
  if (concurrencyKey !== null) {
    // One at a time decides about a key; what the one before started is seen by the next statement.
    await tx.sql`select pg_advisory_xact_lock(hashtextextended(${`task ${spaceId} ${concurrencyKey}`}, 0))`;
    const [running] =
      await tx.sql`select id from "Task" where "spaceId" = ${spaceId} and "concurrencyKey" = ${concurrencyKey} and status = 'RUNNING'`;
    if (running) return null;
  }
  return move(tx, { id }, { to: 'RUNNING', leaseSeconds });
}

const maxPauseMs = 15 * 60 * 1_000;

/** How long a task waits after its attempt of this number: twice as long each time, between half and all of that. */
export const pauseMs = (attempt: number, random = Math.random()): number =>
  Math.min(1_000 * 2 ** attempt, maxPauseMs) * (0.5 + random / 2);

/** Ends an attempt that failed: the next one comes after a pause, unless it was the last or another would fail the same way. */
export async function endAttempt(
  tx: Tx,
  { id, attempt, maxAttempts }: Pick<TaskRow, 'id' | 'attempt' | 'maxAttempts'>,
  leaseToken: string | null,
  error: TaskErrorRow,
  retryable: boolean,
): Promise<TaskRow> {
  const held = { id, leaseToken };
  if (leaseToken === null || !retryable || attempt >= maxAttempts) return move(tx, held, { to: 'FAILED', error });
  return move(tx, held, { to: 'PENDING', error, runAt: new Date(tx.now.getTime() + pauseMs(attempt)) });
}

const lost: TaskErrorRow = { code: 'LEASE_EXPIRED', message: 'Its runner has not been heard of in time.' };
/** How many leases end in one change. */
export const leaseBatch = 100;

/** Queues the tasks of a space again whose runners have not been heard of in time; after their last attempt they have failed. */
export async function expireLeases(tx: Tx, spaceId: string): Promise<number> {
  const expired =
    await tx.sql<TaskRow>`select ${taskColumns} from "Task" where "spaceId" = ${spaceId} and "leaseToken" is not null and "leaseExpiresAt" < now()
    order by id limit ${leaseBatch} for update skip locked`;
  for (const { id, attempt, maxAttempts } of expired)
    await move(tx, { id }, { to: attempt < maxAttempts ? 'QUEUED' : 'FAILED', error: lost });
  return expired.length;
}
