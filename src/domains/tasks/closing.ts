import type { Tx } from '../../core/write.js';
import type { Closing } from '../identity/delete-user.js';
import { manual, type TaskRow } from './task.js';
import { taskColumns, wakeNext } from './transition.js';
import { lockKeys } from './turn.js';

/**
 * What someone who closes their account asked for and is not done is cancelled: nobody acts in their name any more. The rest is handed over to the heir
 * where they are a member, and stays without an owner elsewhere. Comes after they have left their spaces, which took their assignments.
 */
export async function leaveTasks(tx: Tx, { userId, heirId }: Closing): Promise<void> {
  const open = await tx.sql<{ id: string }>`select id from "Task"
    where "ownerId" = ${userId} and status in ('PENDING', 'QUEUED', 'RUNNING') and type <> ${manual}`;
  await lockKeys(
    tx,
    open.map(({ id }) => id),
  );
  const cancelled = await tx.sql<TaskRow>`with changed as (
      update "Task" set status = 'CANCELLED', "isNext" = false, "leaseToken" = null, "leaseSeconds" = null, "leaseExpiresAt" = null, "finishedAt" = ${tx.now}, version = version + 1,
        "eventSeq" = "eventSeq" + 1, "updatedAt" = greatest("updatedAt", ${tx.now})
      where id = any(${open.map(({ id }) => id)}::text[]) and status in ('PENDING', 'QUEUED', 'RUNNING') returning *
    ), noted as (insert into "TaskEvent" ("taskId", seq, kind, status, attempt, progress, payload, "createdAt")
      select id, "eventSeq", 'STATUS', status, attempt, progress, json_build_object('status', status), ${tx.now} from changed)
    select ${taskColumns} from changed`;
  for (const task of cancelled) {
    tx.in({ space: task.spaceId }).emit('task.cancelled', 'Task', task.id, { version: task.version });
    // Whoever waited for its key need wait no more.
    await wakeNext(tx, task);
  }
  await tx.sql`update "Task" t set "apiKeyId" = null, scopes = null, "ownerId" = (
      select m."userId" from "SpaceMember" m where m."spaceId" = t."spaceId" and m."userId" = ${heirId}) where "ownerId" = ${userId}`;
}
