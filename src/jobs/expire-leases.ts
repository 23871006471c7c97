import type { App } from '../core/context.js';
import { leaseBatch } from '../domains/tasks/lease.js';
import { expireLeasesOf } from '../domains/tasks/run.js';

/** Lets go of the tasks of all spaces whose runners have not been heard of in time. */
export async function expireAllLeases(app: App): Promise<void> {
  const spaces = await app.database.query<{ spaceId: string }>(
    `select distinct "spaceId" from "Task" where "leaseToken" is not null and "leaseExpiresAt" < now()`,
    [],
  );
  for (const { spaceId } of spaces) while ((await expireLeasesOf(app, spaceId)) === leaseBatch);
}
