import type { App } from '../core/context.js';
import { dropOldEvents } from '../core/event-log.js';
import { forgetViewsSql } from '../domains/posts/views.js';
import { forgetObjectsSql } from '../domains/tasks/object.js';
import { purgeSpaces } from './purge-spaces.js';

/** Deletes what has expired and makes room for the days to come. */
export async function cleanUp(app: App): Promise<void> {
  await app.database.query('select canopy_make_partitions()', []);
  await dropOldEvents(app.database, app.now());
  await purgeSpaces(app);
  await app.database.query('delete from "IdempotencyRecord" where "expiresAt" < now()', []);
  await app.database.query(forgetViewsSql, [app.now()]);
  await app.database.query(forgetObjectsSql, []);
  await app.issuer.sweep();
}
