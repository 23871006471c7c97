import type { SpaceActionName } from './actions.js';
import type { AuditSubject } from './audit.js';
import type { Ctx } from './context.js';
import { notFound } from './errors.js';
import { load } from './loaders.js';
import type { KeyedShape } from './shape.js';
import { type Tx, type Written, write } from './write.js';

/** A row that lives in a space. */
interface Placed {
  readonly id: string;
  readonly spaceId: string;
}

/** What is to be done: an action, or one that depends on the row, which is null where the viewer sees none. */
type Doing<Row> = SpaceActionName | ((row: Row | null) => SpaceActionName);

/**
 * `write` where a row lives that the viewer sees. One that they do not see lives in a place that does not exist: that is NOT_FOUND, unless the same call has been
 * made before, as the one that deleted it.
 */
export async function writeExisting<Row extends Placed, T>(
  ctx: Ctx,
  doing: Doing<Row>,
  shape: KeyedShape<Row>,
  id: string,
  change: (tx: Tx, row: Row) => Promise<T>,
  more: AuditSubject = {},
): Promise<Written<T>> {
  const row = await load(ctx, shape, id);
  const name = typeof doing === 'string' ? doing : doing(row);
  // Any text may be sent as an id: only that of a row which is there goes into the audit log.
  const subject = { resourceType: shape.model, resourceId: row?.id ?? null, ...more };
  const run = (tx: Tx) => {
    if (!row) throw notFound();
    return change(tx, row);
  };
  return write(ctx, name, { space: row?.spaceId ?? '' }, run, { subject });
}
