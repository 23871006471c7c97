import { enter } from '../../core/access.js';
import type { Ctx } from '../../core/context.js';
import { badInput } from '../../core/errors.js';
import { assertKept, cursorOf, lastPosition, origin, positionOf } from '../../core/event-log.js';
import { type Delivery, type Following, follow } from '../../core/follow.js';
import { readHeard } from '../../core/hearing.js';
import type { Page } from '../../core/page.js';
import type { CaughtUpRow, EventRow, LaggedRow } from './event.js';

/** What is asked of a space's log. */
export interface EventsQuestion extends Following {
  readonly first?: number | null | undefined;
}

/** One page of a space's log. Its end cursor moves to the end of the log when there is no more, whatever matched. */
export async function events(ctx: Ctx, { spaceId, after, types, first }: EventsQuestion): Promise<Page<EventRow>> {
  const size = first ?? 20;
  if (size < 1 || size > 100) throw badInput('first', 'must be between 1 and 100');
  const from = after == null ? origin : positionOf(after);
  await enter(ctx, 'events.read', { space: spaceId });
  if (after != null) await assertKept(ctx.app.database, from);
  const end = await lastPosition(ctx.app.database);
  const found = await readHeard(ctx, spaceId, { from, to: end, types, limit: size + 1 });
  const more = found.length > size;
  const rows = found.slice(0, size).map(({ event }) => event);
  return {
    rows,
    hasNextPage: more,
    hasPreviousPage: after != null,
    cursorOf: ({ cursor }) => cursor,
    endCursor: more ? null : cursorOf(end),
    total: async () => rows.length,
  };
}

type EventDelivery = EventRow | CaughtUpRow | LaggedRow;

/** A space's log as it grows. Who is too slow is told so: what they missed is there for whoever asks. */
export function followEvents(ctx: Ctx, following: Following) {
  return follow<{ events: EventDelivery }>(
    ctx,
    'events.read',
    following,
    async (delivery) => ({ events: rowOf(delivery) }),
    'tell',
  );
}

function rowOf(delivery: Delivery): EventDelivery {
  if ('event' in delivery) return delivery.event;
  return 'lagged' in delivery ? delivery.lagged : { caughtUp: true, cursor: delivery.caughtUp };
}
