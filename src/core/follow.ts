import { enter } from './access.js';
import type { SpaceActionName } from './actions.js';
import { closable } from './closable.js';
import type { Ctx } from './context.js';
import { assertKept, cursorOf, isAfter, type Position, positionOf, readSpaceLog } from './event-log.js';
import type { EventRow } from './events.js';
import { type Feed, feedOf, type Overrun } from './feed.js';
import { countHeard, heardOf } from './hearing.js';

/** What a follower gets: events, and once the word that replay is over. */
export type Delivery = { readonly event: EventRow } | { readonly caughtUp: string } | { readonly lagged: Lag };

/** Events that were left out, for the follower was too slow. */
export interface Lag {
  /** How many the viewer may hear of, counted to 10,000. */
  readonly missed: number;
  /** The cursor before the first of them. */
  readonly resumeFrom: string;
}

/** A delivery, and whether the viewer may hear of it. */
interface Offer {
  /** Null: there is none, but access is to be asked for. */
  readonly delivery: Delivery | null;
  /** It was read from the log, where more may follow it. */
  readonly isPast: boolean;
  isHeard(): Promise<boolean>;
}

/** What to follow of a space. */
export interface Following {
  readonly spaceId: string;
  /** Null: every type. */
  readonly types: readonly string[] | null;
  /** Replay what came after this cursor; null: only what comes from now on. */
  readonly after?: string | null | undefined;
}

/** What a follower gets, one after the other. */
export interface Followed<T> extends AsyncIterableIterator<T> {
  /** Whether it tells what was missed: then the next is there at once. */
  isBehind(): boolean;
  /** Asks again whether the viewer may hear of something that was given out a while ago. Rejects where `next` would. */
  stillHeard(item: T): Promise<boolean>;
}

/** What a follower gets who takes nothing for a while, and for whom more waits than is kept: all of it, read from the log again, or word of how much that was. */
export type WhenSlow = 'readAgain' | 'tell';

const replayPage = 200;
/** For how long it counts what the viewer may hear of a page: a grant can end without an event. */
const heardForMs = 1_000;
/** How long a slow consumer takes over one delivery; many events at once make nobody slow. */
const slowMs = 1_000;

/**
 * What `load` makes of each event of a space, and of the end of the replay; what it turns into null is left out, and so are events about rows
 * that the viewer may not see. Access is asked for at the start and again for every event, so someone who is removed stops hearing at once: the
 * stream ends with the refusal.
 * Resolves once it listens; `return()` takes effect while it waits.
 */
export async function follow<T extends object>(
  ctx: Ctx,
  name: SpaceActionName,
  { spaceId, types, after }: Following,
  load: (delivery: Delivery) => Promise<T | null>,
  whenSlow: WhenSlow = 'readAgain',
): Promise<Followed<T>> {
  await enter(ctx, name, { space: spaceId });
  const from = after == null ? null : positionOf(after);
  if (from) await assertKept(ctx.app.database, from);
  const closing = new AbortController();
  const feed = feedOf(ctx, spaceId, types, closing.signal);
  const place = { reached: from ?? feed.start };
  const pace = { longestMs: 0 };
  const given = new WeakMap<T, Offer['isHeard']>();
  let isBehind = from !== null;

  /** Whether the consumer has been slow since this was last asked, and wants to be told of it. */
  function isSlow(): boolean {
    const { longestMs } = pace;
    pace.longestMs = 0;
    return whenSlow === 'tell' && longestMs >= slowMs;
  }
  async function* items(): AsyncGenerator<T> {
    try {
      const course = { spaceId, types, from, isSlow, place };
      for await (const { delivery, isHeard, isPast } of deliveries(ctx, course, feed)) {
        isBehind = isPast;
        ctx.epoch.current = {};
        await enter(ctx, name, { space: spaceId });
        const item = delivery && (await load(delivery));
        if (item !== null && (await isHeard())) {
          given.set(item, isHeard);
          const at = performance.now();
          yield item;
          pace.longestMs = Math.max(pace.longestMs, performance.now() - at);
        }
        if (closing.signal.aborted) return;
      }
    } finally {
      closing.abort();
    }
  }
  return Object.assign(
    closable(ctx, items(), closing, () => cursorOf(place.reached)),
    {
      isBehind: () => isBehind,
      async stillHeard(item: T) {
        ctx.epoch.current = {};
        await enter(ctx, name, { space: spaceId });
        return (await given.get(item)?.()) ?? false;
      },
    },
  );
}

/** Where to begin, what to leave out, and how far it is. */
interface Course extends Pick<Following, 'spaceId' | 'types'> {
  readonly from: Position | null;
  isSlow(): boolean;
  /** Up to where all has been given out. */
  readonly place: { reached: Position };
}

/** Replay, then tail, without a seam: what was delivered is never delivered again, and the log fills every gap. */
async function* deliveries(
  ctx: Ctx,
  { spaceId, types, from, isSlow, place }: Course,
  feed: Feed,
): AsyncGenerator<Offer> {
  /** Events that are offered one after the other and asked about together: again, when something has happened since, or a moment has gone by. */
  const offered = (events: readonly EventRow[], isPast: boolean) => {
    let asked = { from: events.length, after: -1, at: 0, heard: Promise.resolve<ReadonlySet<EventRow>>(new Set()) };
    const isHeard = async (event: EventRow) => {
      const [after, at] = [feed.arrived(), performance.now()];
      const from = events.indexOf(event);
      // What was offered before may be asked about after what came later.
      if (from < asked.from || asked.after !== after || at - asked.at > heardForMs)
        asked = { from, after, at, heard: heardOf(ctx, spaceId, events.slice(from)) };
      return (await asked.heard).has(event);
    };
    return (event: EventRow): Offer => ({ delivery: { event }, isPast, isHeard: () => isHeard(event) });
  };
  async function* replay(to: Position): AsyncGenerator<Offer> {
    for (;;) {
      const page = await readSpaceLog(ctx.app.database, spaceId, place.reached, to, types, replayPage);
      const events = page.map(({ event }) => event);
      const offer = offered(events, true);
      for (const { event, position } of page) {
        place.reached = position;
        yield offer(event);
      }
      if (page.length < replayPage) return;
    }
  }
  /** All that the log has up to there. No further than the tail has read: what it makes stale has been forgotten up to there. */
  async function* readAgain({ after, upTo }: Overrun): AsyncGenerator<Offer> {
    await assertKept(ctx.app.database, after);
    place.reached = later(place.reached, after);
    yield* replay(upTo);
    place.reached = later(place.reached, upTo);
  }
  async function* tell({ after, upTo }: Overrun): AsyncGenerator<Offer> {
    // Counted as the viewer may hear of them now.
    ctx.epoch.current = {};
    const resume = later(place.reached, after);
    const missed = await countHeard(ctx, spaceId, { from: resume, to: upTo, types });
    place.reached = later(place.reached, upTo);
    if (missed > 0) yield { delivery: { lagged: { missed, resumeFrom: cursorOf(resume) } }, ...always };
  }
  if (from) yield* replay(feed.start);
  place.reached = later(place.reached, feed.start);
  // Who takes their time over what they missed is not too slow: that is read from the log.
  for (let gap = from && feed.overrun(); gap; gap = feed.overrun()) yield* readAgain(gap);
  isSlow();
  yield { delivery: { caughtUp: cursorOf(place.reached) }, ...always };
  for (;;) {
    const next = await feed.next();
    if (next === 'closed') return;
    if (next === 'doubted') {
      yield { ...always, delivery: null, isHeard: async () => false };
      continue;
    }
    if ('upTo' in next) {
      yield* isSlow() ? tell(next) : readAgain(next);
      continue;
    }
    if (!isAfter(next.position, place.reached)) continue;
    place.reached = next.position;
    yield offered([next.event], false)(next.event);
  }
}

const always = { isPast: false, isHeard: async () => true };
const later = (one: Position, other: Position) => (isAfter(one, other) ? one : other);
