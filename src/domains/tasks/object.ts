import type { App } from '../../core/context.js';
import type { Tx } from '../../core/write.js';

/** Something that a task has made, under a name that it has within the task. */
export interface MadeObject {
  readonly key: string;
  readonly kind: string;
  /** Where in what it reads the task found it; null for what it did not read. */
  readonly line: number | null;
  readonly objectId: string;
}

/** Which of these a task has made, in this run or an earlier one. */
export function objectsMade({ database }: App, taskId: string, keys: readonly string[]): Promise<MadeObject[]> {
  return database.query<MadeObject>(
    `select key, kind, line, "objectId" from "TaskObject" where "taskId" = $1 and key = any($2::text[])`,
    [taskId, keys],
  );
}

/** Notes what a task makes, in the change that makes it. Of two runs at once one fails here. */
export async function noteObject(tx: Tx, taskId: string, { key, kind, line, objectId }: MadeObject): Promise<void> {
  await tx.sql`insert into "TaskObject" ("taskId", key, kind, line, "objectId") values (${taskId}, ${key}, ${kind}, ${line}, ${objectId})`;
}

/** How many things of each kind a task has made. */
export async function countObjects({ database }: App, taskId: string): Promise<Record<string, number>> {
  const rows = await database.query<{ kind: string; n: number }>(
    `select kind, count(*)::int as n from "TaskObject" where "taskId" = $1 group by kind order by kind`,
    [taskId],
  );
  return Object.fromEntries(rows.map(({ kind, n }) => [kind, n]));
}

/** Forgets what completed tasks have made: they are never run again. */
export const forgetObjectsSql = `delete from "TaskObject" o using "Task" t where t.id = o."taskId" and t.status = 'COMPLETED'`;
