import type { App } from '../core/context.js';
import { dropOldEvents } from '../core/event-log.js';
import type { JobRun, Jobs } from '../core/jobs.js';
import { forgetViewsSql } from '../domains/posts/views.js';
import { removeIdleSql } from '../domains/realtime/client-sessions.js';
import { forgetDeadSql } from '../domains/realtime/live-connections.js';
import { dropOrphanedChunks } from '../domains/realtime/message-chunks.js';
import { forgetObjectsSql } from '../domains/tasks/object.js';
import { purgeSpaces } from './purge-spaces.js';

/** Deletes what has expired and makes room for the days to come. */
export async function cleanUp(app: App, _: Jobs['clean-up'] = {}, run?: Pick<JobRun, 'signal'>): Promise<void> {
  await app.database.query('select canopy_make_partitions()', []);
  await dropOldEvents(app.database, app.now());
  await app.database.query('delete from "IdempotencyRecord" where "expiresAt" < now()', []);
  await dropOrphanedChunks(app);
  await app.database.query(forgetViewsSql, [app.now()]);
  await app.database.query(forgetObjectsSql, []);
  await app.database.query(forgetDeadSql, []);
  await app.database.query(removeIdleSql, [app.now()]);
  await app.issuer.sweep();
  // Last, because it may take long.
  await purgeSpaces(app, run?.signal);
}
