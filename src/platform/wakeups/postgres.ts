import pg from 'pg';
import type { Database } from '../database/database.js';
import type { Log } from '../log.js';
import { eventLog, type Wakeups } from './wakeups.js';

const channel = 'canopy_events';
const coalesceMs = 2;
const reconnectMs = 500;
const answerMs = 3_000;
/** How often the listening connection is asked whether it still lives: one that was forgotten by the other side says nothing by itself. */
const checkMs = 5_000;

/** Wake-ups through LISTEN/NOTIFY: one connection of its own that listens; notifications go over the pool, after the commits. */
export function postgresWakeups({ url, database, log }: { url: string; database: Database; log: Log }): Wakeups {
  const listeners = new Set<(topic: string | null) => void>();
  const waiting = new Set<string>();
  let client: pg.Client | null = null;
  let connecting: Promise<void> | null = null;
  let closed = false;
  let notifying: NodeJS.Timeout | null = null;
  let retrying: NodeJS.Timeout | null = null;

  const heard = (topic: string | null) => {
    for (const listener of listeners) listener(topic);
  };

  async function connect() {
    const next = new pg.Client({
      connectionString: url,
      application_name: 'canopy wakeups',
      keepAlive: true,
      connectionTimeoutMillis: answerMs,
      query_timeout: answerMs,
    });
    next.on('notification', ({ payload = eventLog }) => heard(payload));
    next.on('error', (error) => lost(next, error));
    next.on('end', () => lost(next, null));
    try {
      await next.connect();
      await next.query(`listen ${channel}`);
    } catch (error) {
      hangUp(next);
      throw error;
    }
    if (closed) return hangUp(next);
    client = next;
    check(next);
    heard(null);
  }

  function check(which: pg.Client) {
    const timer = setTimeout(async () => {
      if (client !== which) return;
      try {
        await which.query('select 1');
        check(which);
      } catch (error) {
        lost(which, error);
      }
    }, checkMs);
    timer.unref();
  }

  function lost(which: pg.Client, error: unknown) {
    if (closed || client !== which) return;
    client = null;
    hangUp(which);
    log.warn('Wake-ups are lost for the moment; the slow poll goes on.', { error });
    reconnect();
  }

  /** Does not wait: a server that hangs would never say goodbye. */
  function hangUp(which: pg.Client) {
    which.end().catch((error: unknown) => log.warn('A connection for wake-ups did not end well.', { error }));
    setTimeout(() => which.connection.stream.destroy(), answerMs).unref();
  }

  function reconnect() {
    if (closed) return;
    retrying = setTimeout(() => connect().catch(reconnect), reconnectMs);
  }

  async function notify() {
    notifying = null;
    const topics = [...waiting];
    waiting.clear();
    try {
      await database.query(`select pg_notify('${channel}', topic) from unnest($1::text[]) topic`, [topics]);
    } catch (error) {
      log.warn('A wake-up could not be sent; the slow poll finds what it was about.', { error });
    }
  }

  return {
    wake(topic = eventLog) {
      // This process need not wait for the round trip.
      heard(topic);
      waiting.add(topic);
      notifying ??= setTimeout(notify, coalesceMs);
    },
    async listen(listener) {
      listeners.add(listener);
      connecting ??= connect();
      await connecting;
    },
    async close() {
      closed = true;
      if (notifying) clearTimeout(notifying);
      if (retrying) clearTimeout(retrying);
      if (client) hangUp(client);
    },
  };
}
