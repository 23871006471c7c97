import { z } from 'zod';
import { allow, signedIn } from '../../core/access.js';
import type { Ctx } from '../../core/context.js';
import { AppError, badInput } from '../../core/errors.js';
import { newId } from '../../core/ids.js';
import { parse } from '../../core/input.js';
import { isObject } from '../../core/json.js';
import { loadExisting } from '../../core/loaders.js';
import { unchanged } from '../../core/versions.js';
import { type Tx, type Written, write } from '../../core/write.js';
import type { CancelTaskInput, CreateTaskInput, RetryTaskInput, UpdateTaskInput } from '../../generated/graphql.js';
import { seal } from '../tree/value.js';
import { isMistaken, isRunnerType, runnerTypes } from './runners.js';
import { manual, NewTask, TaskChange, type TaskRow, taskShape } from './task.js';
import { addJob, known, move, taskColumns, wakeNext } from './transition.js';
import { lockKeyOf, lockKeys } from './turn.js';

/** Adds a task; one that is due is queued at once. */
export async function createTask(ctx: Ctx, input: CreateTaskInput): Promise<Written<TaskRow>> {
  const task = parse(NewTask, input);
  const { spaceId, type } = task;
  if (isMistaken(type)) throw badInput('type', `is none that Canopy runs: ${Object.keys(runnerTypes).join(', ')}`);
  const parameters = parametersOf(type, input.parameters);
  if (isRunnerType(type)) await allow(ctx, runnerTypes[type].asks, { space: spaceId });
  const title = task.title ?? (isRunnerType(type) ? runnerTypes[type].title : null);
  const scopes = ctx.viewer?.scopes ? JSON.stringify([...ctx.viewer.scopes]) : null;
  return write(ctx, 'task.write', { space: spaceId }, async (tx) => {
    const runAt = task.runAt ?? tx.now;
    const history = type === manual || runAt > tx.now ? ['PENDING'] : ['PENDING', 'QUEUED'];
    const [row] = await known(tx.sql<TaskRow>`with changed as (
        insert into "Task" (id, "spaceId", "ownerId", "apiKeyId", scopes, "assigneeId", type, title, status, parameters, "maxAttempts", priority, "runAt", "dueAt", "concurrencyKey",
          "eventSeq", "createdAt", "updatedAt")
        values (${newId('task')}, ${spaceId}, ${tx.actorId}, ${ctx.viewer?.apiKeyId ?? null}, ${scopes}::jsonb, ${task.assigneeId ?? null}, ${type}, ${title}, ${history.at(-1)}::"TaskStatus",
          ${parameters}::json, ${task.maxAttempts}, ${task.priority}, ${runAt}, ${task.dueAt ?? null}, ${task.concurrencyKey ?? null}, ${history.length}, ${tx.now}, ${tx.now})
        returning *
      ), noted as (insert into "TaskEvent" ("taskId", seq, kind, status, attempt, progress, payload, "createdAt")
        select id, s.seq, 'STATUS', s.status, 0, 0, json_build_object('status', s.status), ${tx.now} from changed, unnest(${history}::"TaskStatus"[]) with ordinality s (status, seq))
      select ${taskColumns} from changed`);
    if (!row) throw new Error('A task was not made.');
    tx.emit('task.created', 'Task', row.id, { version: row.version });
    if (row.status === 'QUEUED') tx.emit('task.queued', 'Task', row.id, { version: row.version });
    addJob(tx, row);
    if (row.concurrencyKey !== null && row.status === 'QUEUED') {
      await lockKeyOf(tx, spaceId, row.concurrencyKey);
      await wakeNext(tx, row);
    }
    return row;
  });
}

/** What a task of this type is told, as the JSON text that is kept. */
function parametersOf(type: string, given: unknown): string {
  const parameters = given ?? {};
  if (!isObject(parameters)) throw badInput('parameters', 'must be an object');
  // Sound and of a bounded depth before anyone looks into it.
  const { text } = seal(parameters, 'parameters');
  if (!isRunnerType(type)) return text;
  const rules = z.object({ parameters: runnerTypes[type].parameters });
  return seal(parse(rules, { parameters }).parameters, 'parameters').text;
}

/** Changes the fields that are given, and moves a `manual` task; CONFLICT unless it has the version. */
export async function updateTask(ctx: Ctx, input: UpdateTaskInput): Promise<Written<TaskRow>> {
  const change = parse(TaskChange, input);
  const { id, status } = change;
  const { spaceId, type } = await visible(ctx, id);
  for (const field of ['status', 'parameters'] as const)
    if (type !== manual && input[field] !== undefined) throw badInput(field, 'is for manual tasks');
  const parameters = input.parameters === undefined ? null : parametersOf(type, input.parameters);
  return write(ctx, 'task.write', { space: spaceId }, async (tx) => {
    await lockKeys(tx, [id]);
    const row = await put(tx, change, parameters);
    if (!status && row.status === 'QUEUED') await wakeNext(tx, row);
    return status ? move(tx, { id, leaseToken: null }, { to: status }) : row;
  });
}

/** Writes the fields that are given. One change, one version: with a new status, the move counts. */
async function put(tx: Tx, change: z.output<typeof TaskChange>, parameters: string | null): Promise<TaskRow> {
  const { id, version, title, assigneeId, dueAt, priority, status } = change;
  const [row] =
    await known(tx.sql<TaskRow>`update "Task" set title = case when ${title !== undefined}::boolean then ${title ?? null} else title end,
      "assigneeId" = case when ${assigneeId !== undefined}::boolean then ${assigneeId ?? null} else "assigneeId" end,
      "dueAt" = case when ${dueAt !== undefined}::boolean then ${dueAt ?? null}::timestamptz else "dueAt" end,
      priority = coalesce(${priority ?? null}::int, priority), parameters = coalesce(${parameters}::json, parameters),
      version = version + ${status ? 0 : 1}::int, "updatedAt" = greatest("updatedAt", ${tx.now})
    where id = ${id} and version = ${version} returning ${taskColumns}`);
  if (!row) throw await unchanged(tx, taskShape, id);
  if (!status || [title, assigneeId, dueAt, priority, parameters ?? undefined].some((field) => field !== undefined))
    tx.emit('task.updated', 'Task', id, { version: row.version });
  return row;
}

/** Ends a task that is not finished, whoever is at it. */
export async function cancelTask(ctx: Ctx, { id }: CancelTaskInput): Promise<Written<TaskRow>> {
  return decide(ctx, id, (tx) => move(tx, { id }, { to: 'CANCELLED' }));
}

/** Starts a task over that failed or was cancelled. */
export async function retryTask(ctx: Ctx, { id }: RetryTaskInput): Promise<Written<TaskRow>> {
  return decide(ctx, id, async (tx, { type }) => {
    const runAt = tx.now;
    // A task that runs could go back too; but its runner is not done with it.
    const [row] = await tx.sql`select id from "Task" where id = ${id} and status in ('FAILED', 'CANCELLED') for update`;
    if (!row) throw new AppError('CONFLICT', 'Only a task that is FAILED or CANCELLED is retried.');
    return move(tx, { id }, { to: type === manual ? 'PENDING' : 'QUEUED', runAt, startsOver: true });
  });
}

/** A change that a task's owner may make as an EDITOR, anyone else as an ADMIN. */
async function decide(
  ctx: Ctx,
  id: string,
  change: (tx: Tx, task: TaskRow) => Promise<TaskRow>,
): Promise<Written<TaskRow>> {
  const task = await visible(ctx, id);
  const isOwn = task.ownerId !== null && task.ownerId === ctx.viewer?.userId;
  const action = isOwn ? 'task.write' : 'task.manage';
  const subject = { resourceType: 'Task', resourceId: id };
  const locked = async (tx: Tx) => {
    await lockKeys(tx, [id]);
    return change(tx, task);
  };
  return write(ctx, action, { space: task.spaceId }, locked, { subject });
}

/** The task as the viewer may see it; NOT_FOUND otherwise. */
export async function visible(ctx: Ctx, id: string): Promise<TaskRow> {
  signedIn(ctx);
  return loadExisting(ctx, taskShape, id);
}
