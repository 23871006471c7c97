import type { App, Viewer } from '../../core/context.js';
import { AppError } from '../../core/errors.js';
import { parse } from '../../core/input.js';
import { addJobs, job } from '../../core/jobs.js';
import { behind } from '../../core/operation.js';
import { webAddress } from '../../core/rules.js';
import { commit, type Tx } from '../../core/write.js';
import { seal } from '../tree/value.js';
import { endAttempt, expireLeases, start } from './lease.js';
import { manual, type TaskErrorRow, type TaskRow } from './task.js';
import { lockTask, type Moved, move } from './transition.js';

/** How long a task stays with a process of ours that says nothing more. */
export const runLeaseSeconds = 30;

interface Standing {
  readonly spaceId: string;
  readonly type: string;
  readonly status: string;
  readonly leaseExpiresAt: Date | null;
  readonly isLost: boolean;
}

async function standing({ database }: App, taskId: string): Promise<Standing | null> {
  const [found] = await database.query<Standing>(
    `select "spaceId", type, status, "leaseExpiresAt", coalesce("leaseExpiresAt" < now(), false) as "isLost" from "Task" where id = $1`,
    [taskId],
  );
  return found ?? null;
}

/** A change of a task by nobody in particular; null when it has come to another status meanwhile, and for a change that leaves it alone. */
function change<T>(
  app: App,
  taskId: string,
  { spaceId, status }: Pick<Standing, 'spaceId' | 'status'>,
  then: (tx: Tx, task: TaskRow) => Promise<T | null>,
): Promise<T | null> {
  const done = commit(behind(app), 'task.run', { space: spaceId }, null, async (tx) => {
    const task = await lockTask(tx, taskId);
    const value = task?.status === status ? await then(tx, task) : null;
    if (value === null) tx.audit('task.run', { resourceType: 'Task', resourceId: taskId });
    return value;
  });
  return done.then(({ value }) => value);
}

/** Queues a task whose time has come. */
export async function queueTask(app: App, taskId: string): Promise<void> {
  const found = await standing(app, taskId);
  if (found?.status !== 'PENDING' || found.type === manual) return;
  await change(app, taskId, found, (tx) => move(tx, { id: taskId }, { to: 'QUEUED' }));
}

/** Starts a task for this process; null when that is not for it to do, or not now. */
export async function takeTask(app: App, taskId: string): Promise<Moved | null> {
  const found = await standing(app, taskId);
  if (found?.status === 'QUEUED') return change(app, taskId, found, (tx, task) => start(tx, task, runLeaseSeconds));
  if (found?.status !== 'RUNNING') return null;
  // Its process may have ended in the middle: then it is queued again, with a job of its own. Until that is sure, this job comes again.
  if (found.isLost) await expireLeasesOf(app, found.spaceId);
  else {
    const runAt = new Date((found.leaseExpiresAt?.getTime() ?? 0) + 1_000);
    await addJobs(app.database.query, [
      job('task.run', { spaceId: found.spaceId, taskId }, { key: `task.run ${taskId}`, runAt }),
    ]);
  }
  return null;
}

/** Lets go of the tasks of a space whose runners have not been heard of in time; answers how many. */
export async function expireLeasesOf(app: App, spaceId: string): Promise<number> {
  const { value } = await commit(behind(app), 'task.run', { space: spaceId }, null, async (tx) => {
    const count = await expireLeases(tx, spaceId);
    if (count === 0) tx.audit('task.run', { resourceType: 'Task' });
    return count;
  });
  return value;
}

/** What a runner answers. */
export interface Outcome {
  /** At most 256 KiB. */
  readonly result?: unknown;
  /** An absolute http(s) URL. */
  readonly resultLocation?: string;
}

/** The same, as it is kept. */
export interface SealedOutcome {
  readonly result: string | null;
  readonly resultLocation: string | null;
}

/** Checks what a runner answered. */
export const sealOutcome = ({ result, resultLocation }: Outcome): SealedOutcome => ({
  result: result === undefined ? null : seal(result, 'result').text,
  resultLocation: resultLocation === undefined ? null : parse(webAddress, resultLocation),
});

const running = { status: 'RUNNING' };

/** Ends a task that this process holds with what its runner answered. */
export async function finishTask(app: App, { id, spaceId, leaseToken }: Moved, outcome: SealedOutcome): Promise<void> {
  await change(app, id, { spaceId, ...running }, (tx) => move(tx, { id, leaseToken }, { to: 'COMPLETED', ...outcome }));
}

/** Ends an attempt of this process that failed. */
export async function failRun(app: App, { id, spaceId, leaseToken }: Moved, error: TaskErrorRow, retryable: boolean) {
  await change(app, id, { spaceId, ...running }, (tx, task) => endAttempt(tx, task, leaseToken, error, retryable));
}

/** Hands a task back that this process began and cannot go on with: it runs again elsewhere. */
export async function handBack(app: App, { id, spaceId, leaseToken }: Moved): Promise<void> {
  await change(app, id, { spaceId, ...running }, (tx) => move(tx, { id, leaseToken }, { to: 'QUEUED' }));
}

interface Credential {
  readonly ownerId: string | null;
  readonly apiKeyId: string | null;
  readonly scopes: readonly string[] | null;
  readonly organizationId: string | null;
  readonly spaceIds: readonly string[] | null;
  readonly counts: boolean;
}

/**
 * As whom a task acts: its owner as things stand now, within the limits of the credential that they asked with. Of a key that is what it may do now;
 * once it is revoked or has expired, or the owner's account is closed, the task does nothing any more.
 */
export async function actorOf({ database }: App, taskId: string): Promise<Viewer> {
  const [held] = await database.query<Credential>(credentialSql, [taskId]);
  if (!held?.counts)
    throw new AppError('UNAUTHENTICATED', 'The account or the key that asked for the task does not count any more.');
  const { ownerId: userId, apiKeyId, organizationId, scopes, spaceIds } = held;
  return {
    userId,
    apiKeyId,
    organizationId,
    sessionId: null,
    scopes: scopes && new Set(scopes),
    spaceIds: spaceIds?.length ? new Set(spaceIds) : null,
    expiresAt: null,
  };
}

const credentialSql = `select t."ownerId", t."apiKeyId", k."organizationId", k."spaceIds", case when k.id is null then t.scopes else to_jsonb(k.scopes) end as scopes,
    (t."ownerId" is null or u.status = 'ACTIVE') and case when t."apiKeyId" is null then t."ownerId" is not null
      else k.id is not null and k."revokedAt" is null and (k."expiresAt" is null or k."expiresAt" > now()) and k."userId" is not distinct from t."ownerId" end as counts
  from "Task" t left join "User" u on u.id = t."ownerId" left join "ApiKey" k on k.id = t."apiKeyId" where t.id = $1`;
