import type { z } from 'zod';
import { allow } from '../../core/access.js';
import type { Ctx } from '../../core/context.js';
import { badInput } from '../../core/errors.js';
import { parse } from '../../core/input.js';
import { sqlText } from '../../core/sql.js';
import { type Tx, type Written, write } from '../../core/write.js';
import type { ClaimTaskInput } from '../../generated/graphql.js';
import { isRunnerType } from './runners.js';
import { TaskClaim, type TaskErrorRow, type TaskRow } from './task.js';
import { type Moved, move, taskColumns } from './transition.js';
import { keyLock, lockKeys } from './turn.js';

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

/** Leases that have run out; by their slot, which has an index that reports seldom change. */
const expired = `"leaseToken" is not null and "leaseSlot" <= floor(extract(epoch from now() - timestamptz '2000-01-01 00:00:00+00') / 10)::int and "leaseExpiresAt" < now()`;
/** What a claim may take, in the words of its index. */
const due = `status = 'QUEUED' and type <> 'manual' and ("concurrencyKey" is null or "isNext")`;
const [expiredSql, dueSql] = [sqlText(expired), sqlText(due)];

async function isAnythingDue({ app }: Ctx, { spaceId, types }: Claim): Promise<boolean> {
  const [row] = await app.database.query<{ due: boolean }>(anythingSql, [spaceId, types]);
  return row?.due === true;
}

const anythingSql = `select exists (select from "Task" where "spaceId" = $1 and ${due} and type = any($2::text[]))
  or exists (select from "Task" where "spaceId" = $1 and ${expired}) as due`;

async function startNext(tx: Tx, { spaceId, types, leaseSeconds }: Claim): Promise<Moved | null> {
  const [next] =
    await tx.sql<TaskRow>`select ${taskColumns} from "Task" where "spaceId" = ${spaceId} and ${dueSql} and type = any(${types}::text[])
      and ("concurrencyKey" is null or pg_try_advisory_xact_lock(${keyLock}))
    order by priority desc, "runAt", id limit 1 for update skip locked`;
  return next ? move(tx, { id: next.id }, { to: 'RUNNING', leaseSeconds }) : null;
}

/** Starts a queued task that is locked with its key, for as long as a lease lasts; null while another of its key runs. */
export async function start(tx: Tx, task: TaskRow, leaseSeconds: number): Promise<Moved | null> {
  const { id, spaceId, concurrencyKey } = task;
  if (concurrencyKey !== null) {
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

const lostRunner: TaskErrorRow = { code: 'LEASE_EXPIRED', message: 'Its runner has not been heard of in time.' };
/** How many leases end in one change. */
export const leaseBatch = 100;

/** Queues the tasks of a space again whose runners have not been heard of in time; after their last attempt they have failed. */
export async function expireLeases(tx: Tx, spaceId: string): Promise<number> {
  const found = await tx.sql<{ id: string }>`select id from "Task" where "spaceId" = ${spaceId} and ${expiredSql}
    order by "leaseSlot", id limit ${leaseBatch}`;
  if (found.length === 0) return 0;
  const ids = found.map(({ id }) => id);
  await lockKeys(tx, ids);
  const lost = await tx.sql<TaskRow>`select ${taskColumns} from "Task" where id = any(${ids}::text[]) and ${expiredSql}
    order by id for update skip locked`;
  for (const { id, attempt, maxAttempts } of lost)
    await move(tx, { id }, { to: attempt < maxAttempts ? 'QUEUED' : 'FAILED', error: lostRunner });
  return lost.length;
}
