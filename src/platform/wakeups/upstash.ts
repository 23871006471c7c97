import { randomUUID } from 'node:crypto';
import { Redis } from '@upstash/redis';
import type { Log } from '../log.js';
import { type Line, relay } from './relay.js';
import type { Wakeups } from './wakeups.js';

/** A database of Upstash's Redis. */
export interface UpstashRedis {
  readonly url: string;
  readonly token: string;
}

/** How patient it is, in ms. */
export interface Pace {
  /** After so long a silence, something is said to be heard by all who listen. */
  readonly silence: number;
  /** How long an answer may take, and what was said until it is heard. */
  readonly answer: number;
}

const channel = 'canopy-wakeups';
const usual: Pace = { silence: 15_000, answer: 3_000 };

/**
 * Wake-ups through Upstash's Redis. The client never says that its stream has ended, so whatever this process publishes it expects to hear itself, a
 * heartbeat after each silence included; when it does not, it subscribes anew.
 */
export function upstashWakeups({ url, token }: UpstashRedis, log: Log, pace: Pace = usual): Wakeups {
  const redis = new Redis({
    url,
    token,
    // A function, because an aborted call may otherwise answer as if it had worked.
    signal: () => AbortSignal.timeout(pace.answer),
    retry: { retries: 0 },
    automaticDeserialization: false,
    enableAutoPipelining: false,
    enableTelemetry: false,
    readYourWrites: false,
  });
  const self = randomUUID();
  /** Since when something is expected to be heard; null: nothing is. */
  let expectedSince: number | null = null;

  /** A message is who sends it, then the topics; a heartbeat has none. */
  async function publish(topics: readonly string[]): Promise<void> {
    const now = performance.now();
    expectedSince ??= now;
    try {
      await redis.publish(channel, [self, ...topics].join(','));
    } catch (error) {
      if (expectedSince === now) expectedSince = null;
      throw error;
    }
  }

  async function listen(heard: (topic: string) => void): Promise<Line> {
    let lose = (_reason: unknown) => {};
    const lost = new Promise<unknown>((resolve) => (lose = resolve));
    let heardAt = performance.now();
    const subscriber = redis.subscribe<string>(channel);
    subscriber.on('error', lose);
    subscriber.on('message', ({ message }) => {
      heardAt = performance.now();
      expectedSince = null;
      const [from, ...topics] = message.split(',');
      // What this process says it has heard already.
      if (from !== self) for (const topic of topics) heard(topic);
    });
    const watching = setInterval(() => {
      const now = performance.now();
      if (expectedSince !== null && now - expectedSince > pace.answer)
        lose(new Error('What was published is not heard.'));
      else if (expectedSince === null && now - heardAt > pace.silence) publish([]).catch(lose);
    }, pace.answer / 3).unref();
    const hangUp = () => {
      clearInterval(watching);
      subscriber.unsubscribe().catch((error: unknown) => log.warn('A subscription did not end well.', { error }));
    };
    try {
      await subscribed(subscriber, lost, pace.answer);
    } catch (error) {
      hangUp();
      throw error;
    }
    // What was published before is not for this subscription.
    expectedSince = null;
    return { lost, hangUp };
  }

  return relay({ listen, send: publish }, log);
}

/** Resolves once the subscription has begun. */
async function subscribed(
  subscriber: ReturnType<Redis['subscribe']>,
  lost: Promise<unknown>,
  patienceMs: number,
): Promise<void> {
  let late: NodeJS.Timeout | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      subscriber.on('subscribe', () => resolve());
      void lost.then(reject);
      late = setTimeout(() => reject(new Error('The subscription was not answered.')), patienceMs);
    });
  } finally {
    clearTimeout(late);
  }
}
