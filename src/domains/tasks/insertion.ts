import type { Viewer } from '../../core/context.js';
import { badInput } from '../../core/errors.js';
import { newId } from '../../core/ids.js';
import type { Tx } from '../../core/write.js';
import type { TaskEventKind, TaskStatus } from '../../generated/graphql.js';
import { seal } from '../tree/value.js';
import { maxHistory } from './report.js';
import { manual, type TaskErrorRow, type TaskRow } from './task.js';

type Kept = 'type' | 'title' | 'status' | 'progress' | 'attempt' | 'maxAttempts' | 'priority' | 'runAt' | 'dueAt';
type Dates = 'startedAt' | 'finishedAt' | 'createdAt' | 'updatedAt';

/** A task that was somewhere else before. */
export type GivenTask = Pick<TaskRow, Kept | Dates | 'spaceId' | 'concurrencyKey' | 'resultLocation'> & {
  readonly parameters: unknown;
  readonly result: unknown;
  readonly error: TaskErrorRow | null;
};

export const finishedStatuses: readonly TaskStatus[] = ['COMPLETED', 'FAILED', 'CANCELLED'];

/**
 * Adds a task as it stood; answers its id. What a runner would do is history and has to be finished. Whoever lets it start over does so within the limits
 * of the credential that brought it.
 */
export async function insertTask(tx: Tx, task: GivenTask, viewer: Viewer): Promise<string> {
  const { type, status, result, error } = task;
  if (type !== manual && !finishedStatuses.includes(status)) throw badInput('status', 'must be one of a finished task');
  const id = newId('task');
  const parameters = seal(task.parameters, 'parameters').text;
  const answer = result === null ? null : seal(result, 'result').text;
  const scopes = viewer.scopes && JSON.stringify([...viewer.scopes]);
  await tx.sql`insert into "Task" (id, "spaceId", "ownerId", "apiKeyId", scopes, type, title, status, progress, parameters, result, "resultLocation", error, attempt, "maxAttempts",
      priority, "runAt", "dueAt", "concurrencyKey", "startedAt", "finishedAt", "createdAt", "updatedAt")
    values (${id}, ${task.spaceId}, ${tx.actorId}, ${viewer.apiKeyId}, ${scopes}::jsonb, ${type}, ${task.title}, ${status}::"TaskStatus", ${task.progress}, ${parameters}::json,
      ${answer}::json, ${task.resultLocation}, ${error && JSON.stringify(error)}::jsonb, ${task.attempt}, ${task.maxAttempts}, ${task.priority}, ${task.runAt}, ${task.dueAt},
      ${task.concurrencyKey}, ${task.startedAt}, ${task.finishedAt}, least(${task.createdAt}::timestamptz, ${tx.now}), least(${task.updatedAt}::timestamptz, ${tx.now}))`;
  tx.emit('task.created', 'Task', id, { version: 1 });
  return id;
}

/** An entry of a history that was kept somewhere else before. */
export interface GivenEntry {
  readonly seq: number;
  readonly kind: TaskEventKind;
  readonly status: TaskStatus | null;
  readonly attempt: number;
  readonly progress: number;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly createdAt: Date;
}

/** Adds the next entries to the history of a task, numbered on from its last. */
export async function insertHistory(tx: Tx, taskId: string, entries: readonly GivenEntry[]): Promise<void> {
  const given = entries.map(({ payload, ...entry }) => ({ ...entry, payload: seal(payload, 'payload').text }));
  const text = JSON.stringify(given);
  await tx.sql`with changed as (update "Task" set "eventSeq" = "eventSeq" + ${entries.length}::int,
      "historyBytes" = least("historyBytes" + ${Buffer.byteLength(text)}::bigint, ${maxHistory.bytes}) where id = ${taskId} returning id, "eventSeq" - ${entries.length}::int as seq)
    insert into "TaskEvent" ("taskId", seq, kind, status, attempt, progress, payload, "createdAt")
    select c.id, c.seq + e.place, (e.entry->>'kind')::"TaskEventKind", (e.entry->>'status')::"TaskStatus", (e.entry->>'attempt')::int, (e.entry->>'progress')::int,
      (e.entry->>'payload')::json, least((e.entry->>'createdAt')::timestamptz, ${tx.now})
    from changed c cross join json_array_elements(${text}::json) with ordinality e (entry, place)`;
  tx.audit('task.write', { resourceType: 'Task', resourceId: taskId });
}
