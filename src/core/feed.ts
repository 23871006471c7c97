import type { Ctx } from './context.js';
import { AppError } from './errors.js';
import { before, type Logged, type Position } from './event-log.js';

/** How many undelivered events a slow consumer may have in memory; past that they stand in the log alone. */
const maxWaiting = 1_000;

/** Events that stand in the log alone, for too many waited: those after one position, up to another. */
export interface Overrun {
  readonly after: Position;
  readonly upTo: Position;
}

/** What the tail has handed over and nobody has taken yet. */
export interface Feed {
  /** Everything up to here is in the log; everything after it arrives. */
  readonly start: Position;
  /** How many events of the space have arrived, whatever their type. */
  arrived(): number;
  /** What must be asked of the log before the next; null when nothing. */
  overrun(): Overrun | null;
  /** The next event, or the overrun; or that access is to be asked for again. Rejects when the tail stops, ends on close. */
  next(): Promise<Logged | Overrun | 'doubted' | 'closed'>;
}

/** What happens in a space from now on, until `signal` aborts; `types` picks. */
export function feedOf(ctx: Ctx, spaceId: string, types: readonly string[] | null, signal: AbortSignal): Feed {
  let waiting: Logged[] = [];
  let dropped: Overrun | null = null;
  let failure: Error | null = null;
  let arrived = 0;
  let isDoubted = false;
  let wake = () => {};
  const { userId = null, apiKeyId = null, organizationId = null } = ctx.viewer ?? {};
  const mine = [spaceId, userId, apiKeyId, organizationId].filter((id) => id !== null);
  const start = ctx.app.tail.follow(
    spaceId,
    {
      heard(event) {
        arrived += 1;
        if (types && !types.includes(event.event.type)) return;
        const upTo = event.position;
        const [first] = waiting;
        if (dropped) dropped = { ...dropped, upTo };
        else if (!first || waiting.length < maxWaiting) waiting.push(event);
        else {
          dropped = { after: before(first.position), upTo };
          waiting = [];
        }
        wake();
      },
      doubted(ids) {
        if (!mine.some((id) => ids.has(id))) return;
        isDoubted = true;
        wake();
      },
      failed(error) {
        failure = error;
        wake();
      },
    },
    signal,
  );
  signal.addEventListener('abort', () => wake(), { once: true });
  const overrun = () => {
    const gap = dropped;
    dropped = null;
    return gap;
  };
  return {
    start,
    arrived: () => arrived,
    overrun,
    async next() {
      for (;;) {
        const event = waiting.shift();
        if (event) return event;
        const gap = overrun();
        if (gap) return gap;
        if (signal.aborted) return 'closed';
        if (isDoubted) {
          isDoubted = false;
          return 'doubted';
        }
        if (failure)
          throw new AppError('SERVICE_UNAVAILABLE', 'The server is shutting down; resume elsewhere.', {
            retryable: true,
          });
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },
  };
}
