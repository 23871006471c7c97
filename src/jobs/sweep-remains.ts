import type { App } from '../core/context.js';
import type { JobRun, Jobs } from '../core/jobs.js';
import { behind } from '../core/operation.js';
import { isCommentable, isLinkable } from '../core/visibility.js';
import { sweepComments } from '../domains/comments/thread.js';
import { sweep } from '../domains/knowledge/ends.js';

/** Removes the links and comments of a space that hang on things of a type that are gone, in small transactions. */
export async function sweepRemains(
  app: App,
  { spaceId, type }: Jobs['remains.sweep'],
  { signal }: JobRun,
): Promise<void> {
  const ctx = behind(app);
  const isIn = async (table: 'Link' | 'Comment') =>
    (await app.database.query(`select id from "${table}" where "spaceId" = $1 limit 1`, [spaceId])).length > 0;
  if (isLinkable(type) && (await isIn('Link'))) while (await sweep(ctx, spaceId, type)) signal.throwIfAborted();
  if (isCommentable(type) && (await isIn('Comment')))
    while (await sweepComments(ctx, spaceId, type)) signal.throwIfAborted();
}
