import type { App } from '../core/context.js';
import type { JobRun, Jobs } from '../core/jobs.js';
import { behind } from '../core/operation.js';
import { isLinkable } from '../core/visibility.js';
import { sweep } from '../domains/knowledge/ends.js';

/** Removes the links of a space whose ends of a type are gone, in small transactions. */
export async function sweepLinks(app: App, { spaceId, type }: Jobs['links.sweep'], { signal }: JobRun): Promise<void> {
  if (!isLinkable(type)) return;
  const [any] = await app.database.query('select id from "Link" where "spaceId" = $1 limit 1', [spaceId]);
  if (!any) return;
  const ctx = behind(app);
  while (await sweep(ctx, spaceId, type)) signal.throwIfAborted();
}
