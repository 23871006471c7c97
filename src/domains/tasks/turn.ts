import { sqlText } from '../../core/sql.js';
import type { Tx } from '../../core/write.js';
import type { TaskRow } from './task.js';

/*
 * Of the tasks of a space with one concurrency key one runs at a time. While none does, the first of each type that waits is marked, and a claim looks at
 * marked ones alone: however many keys are busy, it passes over none of theirs. Whoever changes a task locks its key first and its row after; a claim,
 * which finds the row first, waits for neither.
 */

/** Decides about the key of a row of "Task": held by one change at a time. */
export const keyLock = sqlText(`hashtextextended('task ' || "spaceId" || ' ' || "concurrencyKey", 0)`);

/** Locks the keys of tasks, in one order. To be called before a row of them is locked. */
export async function lockKeys(tx: Tx, ids: readonly string[]): Promise<void> {
  await tx.sql`select pg_advisory_xact_lock(lock) from (
    select distinct ${keyLock} as lock from "Task" where id = any(${ids}::text[]) and "concurrencyKey" is not null order by 1) keys`;
}

/** Locks the key of a task that is not there yet. */
export async function lockKeyOf(tx: Tx, spaceId: string, concurrencyKey: string): Promise<void> {
  await tx.sql`select pg_advisory_xact_lock(${keyLock}) from (select ${spaceId}::text as "spaceId", ${concurrencyKey}::text as "concurrencyKey") t`;
}

/** A task whose turn it is. */
export type Turned = Pick<TaskRow, 'id' | 'spaceId' | 'type' | 'status' | 'priority' | 'runAt'>;

/**
 * Marks whose turn it is of a task's key, after its status or priority has changed; answers those whose turn has come. Under the lock of the key.
 */
export async function passTurn(
  tx: Tx,
  { spaceId, concurrencyKey }: Pick<TaskRow, 'spaceId' | 'concurrencyKey'>,
): Promise<readonly Turned[]> {
  if (concurrencyKey === null) return [];
  const waiting = sqlText(`"spaceId" = k.space and "concurrencyKey" = k.key and status = 'QUEUED'`);
  const order = sqlText('order by type, priority desc, "runAt", id limit 1');
  const passed = await tx.sql<
    Turned & { readonly isNext: boolean }
  >`with recursive k as (select ${spaceId}::text as space, ${concurrencyKey}::text as key
    ), first as (
      (select t.id, t.type from k, lateral (select id, type from "Task" where ${waiting} ${order}) t
        where not exists (select from "Task" where "spaceId" = k.space and "concurrencyKey" = k.key and status = 'RUNNING'))
      union all select t.id, t.type from first f, k, lateral (select id, type from "Task" where ${waiting} and type > f.type ${order}) t
    ), turned as (
      select id from first union select id from k, lateral (select id from "Task" where "spaceId" = k.space and "concurrencyKey" = k.key and "isNext") t
    ) update "Task" t set "isNext" = not "isNext" from turned where t.id = turned.id and t."isNext" <> (t.id in (select id from first))
    returning t.id, t."spaceId", t.type, t.status, t.priority, t."runAt", t."isNext"`;
  return passed.filter(({ isNext }) => isNext);
}
