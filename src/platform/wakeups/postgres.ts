import pg from 'pg';
import type { Database } from '../database/database.js';
import type { Log } from '../log.js';
import { type Line, relay } from './relay.js';
import { eventLog, type Wakeups } from './wakeups.js';

const channel = 'canopy_events';
const answerMs = 3_000;
/** How often the listening connection is asked whether it still lives: one that was forgotten by the other side says nothing by itself. */
const checkMs = 5_000;

/** Wake-ups through LISTEN/NOTIFY: one connection of its own that listens; notifications go over the pool, after the commits. */
export function postgresWakeups({ url, database, log }: { url: string; database: Database; log: Log }): Wakeups {
  async function listen(heard: (topic: string) => void): Promise<Line> {
    const client = new pg.Client({
      connectionString: url,
      application_name: 'canopy wakeups',
      keepAlive: true,
      connectionTimeoutMillis: answerMs,
      query_timeout: answerMs,
    });
    let lose = (_reason: unknown) => {};
    const lost = new Promise<unknown>((resolve) => (lose = resolve));
    client.on('notification', ({ payload = eventLog }) => heard(payload));
    client.on('error', lose);
    client.on('end', () => lose(new Error('The listening connection was ended.')));
    const checking = setInterval(() => client.query('select 1').catch(lose), checkMs).unref();
    // Does not wait: a server that hangs would never say goodbye.
    const hangUp = () => {
      clearInterval(checking);
      client.end().catch((error: unknown) => log.warn('A connection for wake-ups did not end well.', { error }));
      setTimeout(() => client.connection.stream.destroy(), answerMs).unref();
    };
    try {
      await client.connect();
      await client.query(`listen ${channel}`);
    } catch (error) {
      hangUp();
      throw error;
    }
    return { lost, hangUp };
  }

  async function send(topics: readonly string[]): Promise<void> {
    await database.query(`select pg_notify('${channel}', topic) from unnest($1::text[]) topic`, [topics]);
  }

  return relay({ listen, send }, log);
}
