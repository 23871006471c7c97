import type { Log } from '../log.js';
import { eventLog, type Wakeups } from './wakeups.js';

/** What carries wake-ups from process to process. */
export interface Carrier {
  /** Calls `heard` with each topic that is sent, by any process. Rejects when nothing can be heard now. */
  listen(heard: (topic: string) => void): Promise<Line>;
  /** Wakes all processes by these topics. Rejects when it cannot. */
  send(topics: readonly string[]): Promise<void>;
}

/** A connection that listens. */
export interface Line {
  /** Resolves with the reason once nothing is heard any more. */
  readonly lost: Promise<unknown>;
  /** Ends it, without waiting for the other side. */
  hangUp(): void;
}

const coalesceMs = 2;
const retryMs = { least: 250, most: 4_000 };

/** Wake-ups over a carrier that may fail: this process is woken at once, the others through it, and its line is taken up again whenever it is lost. */
export function relay(carrier: Carrier, log: Log): Wakeups {
  const listeners = new Set<(topic: string | null) => void>();
  /** Topics of the last moment, and whether they were woken again in it. */
  const fresh = new Map<string, boolean>();
  let gathering: NodeJS.Timeout | null = null;
  const outgoing = new Set<string>();
  let sending = false;
  let listening: Promise<void> | null = null;
  let connected = false;
  let closed = false;
  let unsent = false;
  let end = () => {};
  const ended = new Promise<void>((resolve) => (end = resolve));

  const heard = (topic: string | null) => {
    if (!closed) for (const listener of listeners) listener(topic);
  };

  /** Listens until the line is lost, and says that it began. */
  async function hold(begun: () => void): Promise<unknown> {
    const line = await carrier.listen(heard);
    try {
      connected = !closed;
      heard(null);
      begun();
      return await Promise.race([line.lost, ended]);
    } finally {
      connected = false;
      line.hangUp();
    }
  }

  async function keepListening(tried: () => void): Promise<void> {
    for (let failures = 0; !closed; failures += 1) {
      const begun = () => {
        if (failures > 0) log.info('Wake-ups are heard again.');
        failures = 0;
        tried();
      };
      const error = await hold(begun).catch((failure: unknown) => failure);
      if (closed) return;
      if (failures === 0) log.warn('Wake-ups are lost for the moment; the slow poll goes on.', { error });
      tried();
      await pause(Math.min(retryMs.least * 2 ** failures, retryMs.most));
    }
  }

  async function pause(ms: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([ended, new Promise((resolve) => (timer = setTimeout(resolve, ms)))]);
    clearTimeout(timer);
  }

  function endMoment(): void {
    gathering = null;
    for (const [topic, again] of fresh) {
      if (again) heard(topic);
      outgoing.add(topic);
    }
    fresh.clear();
    if (!sending) void send();
  }

  /** Sends once at a time: what comes meanwhile goes together. */
  async function send(): Promise<void> {
    sending = true;
    while (outgoing.size > 0 && !closed) {
      const topics = [...outgoing];
      outgoing.clear();
      try {
        await carrier.send(topics);
        unsent = false;
      } catch (error) {
        if (!unsent) log.warn('Wake-ups cannot be sent; the slow poll finds what they are about.', { error });
        unsent = true;
      }
    }
    sending = false;
  }

  return {
    wake(topic = eventLog) {
      if (closed) return;
      const again = fresh.has(topic);
      fresh.set(topic, again);
      // This process need not wait for the round trip.
      if (!again) heard(topic);
      gathering ??= setTimeout(endMoment, coalesceMs);
    },
    async listen(listener) {
      listeners.add(listener);
      listening ??= new Promise((resolve) => void keepListening(resolve));
      await listening;
    },
    get connected() {
      return connected;
    },
    async close() {
      closed = true;
      connected = false;
      if (gathering) clearTimeout(gathering);
      end();
    },
  };
}
