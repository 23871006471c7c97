import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { PrismaClient } from '../../generated/prisma/client.js';
import type { Log } from '../log.js';
import { type Database, JsonText, type Query } from './database.js';
import { throughPooler } from './pooler.js';
import { statementNames } from './statement-names.js';

export interface PoolOptions {
  readonly url: string;
  /** Connections at most. */
  readonly max: number;
  readonly log: Log;
  /** Hears the text of every statement, transactions included. */
  readonly observe?: ((text: string) => void) | undefined;
}

const connectMs = 3_000;
const statementMs = 5_000;
const maxNames = { statements: 500, characters: 1_000_000 };
const noNames = { statements: 0, characters: 0 };
const idleMs = 20_000;
/** What a connection of a server is told once, each transaction behind a pooler is. */
const bounds = `; set local statement_timeout = ${statementMs}; set local idle_in_transaction_session_timeout = ${idleMs}`;
const lifetimeSeconds = 3_600;

/** A pool that the prepared reads and Prisma share. Opens no connection before the first statement. */
export function openDatabase({ url, max, log, observe }: PoolOptions): Database {
  const pooler = throughPooler(url);
  const pool = new pg.Pool({
    connectionString: url,
    max,
    connectionTimeoutMillis: connectMs,
    idleTimeoutMillis: 30_000,
    // With a connection goes what the server keeps for it.
    maxLifetimeSeconds: lifetimeSeconds,
    // A pooler takes no such settings.
    ...(!pooler && { statement_timeout: statementMs, idle_in_transaction_session_timeout: idleMs }),
    // The server may hang too: past its own timeout the connection is given up.
    query_timeout: statementMs + 500,
    application_name: 'canopy',
    keepAlive: true,
  });
  pool.on('error', (error) => log.warn('An idle database connection was lost.', { error }));
  pool.on('release', (error: unknown) => {
    if (error instanceof Error && error.message === 'Query read timeout') dropIdle(pool);
  });
  pool.on('connect', (client) => {
    // A connection that is lost in use fails the statement that runs on it, and that is heard; the event alone would end the process.
    client.on('error', (error) => log.info('A database connection was lost.', { error: error.message }));
    if (observe) observeClient(client, observe);
  });
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool, { disposeExternalPool: false }) });
  const nameOf = statementNames(pooler ? noNames : maxNames, lifetimeSeconds * 1_000);

  const queryOn = (client: pg.Pool | pg.PoolClient, types: pg.CustomTypesConfig): Query =>
    async function query<Row extends object>(text: string, values: readonly unknown[]) {
      const { rows } = await client.query<Row>({ ...nameOf(text), text, values: values as unknown[], types });
      return rows;
    };

  return {
    query: queryOn(pool, unparsedJson),
    async transaction(work, { snapshot }) {
      const client = await pool.connect();
      try {
        await client.query(`begin${snapshot ? ' isolation level repeatable read' : ''}${pooler ? bounds : ''}`);
        const result = await work(queryOn(client, pg.types));
        await client.query('commit');
        client.release();
        return result;
      } catch (error) {
        await abandon(client);
        throw error;
      }
    },
    prisma,
    async close() {
      await prisma.$disconnect();
      await pool.end();
    },
  };
}

const unparsedJson: pg.CustomTypesConfig = {
  getTypeParser: (type, format) =>
    type === pg.types.builtins.JSON ? (text: string) => new JsonText(text) : pg.types.getTypeParser(type, format),
};

/** Rolls back and gives the connection back; one that cannot even do that is thrown away, and the server rolls back by itself. */
async function abandon(client: pg.PoolClient): Promise<void> {
  try {
    await client.query('rollback');
    client.release();
  } catch (error) {
    client.release(error instanceof Error ? error : true);
  }
}

/** A server that left one statement unanswered may have forgotten its other connections too: none of them is tried again. */
function dropIdle(pool: pg.Pool): void {
  for (let left = pool.idleCount; left > 0; left -= 1) pool.connect((_error, _client, release) => release(true));
}

function observeClient(client: pg.PoolClient, observe: (text: string) => void): void {
  const query = client.query.bind(client) as (...args: unknown[]) => unknown;
  const observed = (...args: unknown[]) => {
    const [first] = args;
    observe(typeof first === 'string' ? first : (first as { text: string }).text);
    return query(...args);
  };
  client.query = observed as typeof client.query;
}
