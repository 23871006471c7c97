import type { Database } from '../platform/database/database.js';
import type { Log } from '../platform/log.js';
import { eventLog, type Wakeups } from '../platform/wakeups/wakeups.js';
import { type Logged, lastPosition, type Position, type Reading, readLog } from './event-log.js';
import { staleTags } from './events.js';

/** Reads the end of the event log once for the whole process and hands it to whoever follows a space. */
export interface EventTail {
  /** Begins at the end of the log. Resolves once it reads. */
  start(): Promise<void>;
  /** Whether everything committed more than a moment ago has been read, and what it made stale forgotten. */
  readonly fresh: boolean;
  /**
   * Calls `heard` with every event of the space after the answered position, in order and in the same process, until `signal` aborts;
   * nothing between the two is lost. `failed` is called once when the tail stops.
   */
  follow(spaceId: string, follower: Follower, signal: AbortSignal): Position;
  /** How many follow a space now. */
  readonly followers: number;
  stop(): Promise<void>;
}

export interface Follower {
  heard(event: Logged): void;
  /** What may be done, and by whom, has changed for these ids, wherever that was said. */
  doubted?(ids: ReadonlySet<string>): void;
  failed(error: Error): void;
}

const batch = 500;
/** How soon to look again when something has committed behind a transaction that still runs: at first, and at last. */
const waitingMs = { least: 5, most: 160 };
/** How long a lost wake-up can delay. */
const pollMs = 1_000;
/** Without a successful read for this long, memories are not trusted. */
const staleAfterMs = 5_000;

interface Parts {
  readonly database: Database;
  readonly wakeups: Wakeups;
  readonly log: Log;
  /** Forgets what these ids stand for; all of it after a gap in the reading. */
  readonly forget: (tags: string[] | 'all') => void;
}

/** The tail of this process. */
export function eventTail({ database, wakeups, log, forget }: Parts): EventTail {
  const followers = new Map<string, Set<Follower>>();
  let position: Position = { txid: 0n, seq: 0n };
  let readAt = 0;
  /** Positions, as text, of what has been seen ahead of its turn. */
  let seen = new Set<string>();
  /** More has committed ahead of its turn than was read. */
  let blind = false;
  let waits = 0;
  let running = false;
  let wake = () => {};
  let woken = false;
  let loop: Promise<void> = Promise.resolve();

  function deliver({ event, position: at }: Logged) {
    position = at;
    for (const follower of followers.get(event.spaceId ?? '') ?? []) follower.heard({ event, position: at });
  }

  /** Forgets what has become stale, in its turn or not: who was removed hears nothing that committed later. */
  function forgetStale({ events, ahead, full }: Reading) {
    const fresh = [...events, ...ahead].filter(({ event }) => !seen.has(event.cursor));
    const tags = fresh.flatMap(({ event }) => staleTags(event));
    if (tags.length > 0) {
      forget(tags);
      const ids = new Set(tags);
      for (const all of followers.values()) for (const follower of all) follower.doubted?.(ids);
    }
    seen = new Set(ahead.map(({ event }) => event.cursor));
    blind = full && ahead.length > 0;
  }

  /** Reads all there is; answers how long to sleep. */
  async function readOn(): Promise<number> {
    for (;;) {
      const reading = await readLog(database, position, batch);
      const { events, ahead } = reading;
      const gap = readAt !== 0 && performance.now() - readAt > staleAfterMs;
      if (gap) forget('all');
      readAt = performance.now();
      forgetStale(reading);
      for (const event of events) deliver(event);
      waits = ahead.length === 0 || events.length > 0 ? 0 : waits + 1;
      if (events.length < batch)
        return ahead.length > 0 ? Math.min(waitingMs.least * 2 ** waits, waitingMs.most) : pollMs;
    }
  }

  async function run() {
    let failures = 0;
    while (running) {
      woken = false;
      let sleepMs: number;
      try {
        sleepMs = await readOn();
        failures = 0;
      } catch (error) {
        if (failures++ === 0) log.warn('The event log cannot be read; trying on.', { error });
        sleepMs = Math.min(100 * 2 ** failures, pollMs);
      }
      if (running && (!woken || failures > 0)) await sleep(sleepMs);
    }
  }

  function sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  return {
    async start() {
      position = await lastPosition(database);
      readAt = performance.now();
      running = true;
      await wakeups.listen((topic) => {
        if (topic !== null && topic !== eventLog) return;
        woken = true;
        wake();
      });
      loop = run();
    },
    get fresh() {
      return running && !blind && performance.now() - readAt < staleAfterMs;
    },
    follow(spaceId, follower, signal) {
      const all = followers.get(spaceId) ?? new Set();
      followers.set(spaceId, all.add(follower));
      const leave = () => {
        all.delete(follower);
        if (all.size === 0 && followers.get(spaceId) === all) followers.delete(spaceId);
      };
      if (signal.aborted) leave();
      else signal.addEventListener('abort', leave, { once: true });
      return position;
    },
    get followers() {
      return [...followers.values()].reduce((sum, all) => sum + all.size, 0);
    },
    async stop() {
      running = false;
      wake();
      await loop;
      for (const all of followers.values())
        for (const follower of all) follower.failed(new Error('The event tail has stopped.'));
      followers.clear();
    },
  };
}
