import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Log } from '../log.js';
import { findBinaries } from './embedded-binaries.js';
import { type Cluster, locateCluster, prepareCluster, ROLE } from './embedded-cluster.js';
import { findServer, launch, type Server, stopServer } from './embedded-server.js';

export interface Embedded {
  readonly url: string;
  /** Leaves the server; the last one to leave stops it. A second call waits for the first. */
  stop(): Promise<void>;
}

export interface EmbeddedOptions {
  /** The directory of everything that is kept between starts. */
  readonly home: string;
  readonly log: Pick<Log, 'info' | 'warn'>;
  /** More server settings, as `name=value`; without effect on a server that runs already. */
  readonly settings?: readonly string[];
}

const START_PATIENCE_MS = 60_000;
const ATTEMPTS = 10;

/** Every gateway on a server holds this lock together with the others; who gets it alone is the last one. */
const LEASE = "hashtext('canopy lease')";

/** What a second gateway, or the rest of a killed one, makes Postgres say: worth another look. */
const RACE = /lock file|shared memory block|could not bind|could not create any TCP|It was stopped/;

/**
 * A Postgres for `home`, which keeps its data between starts. One server serves all gateways of one home: a second one
 * joins the server of the first, and a server whose gateway was killed is taken over. It listens on 127.0.0.1 only,
 * with a random password that its owner alone can read.
 */
export async function embeddedPostgres({ home, log, settings = [] }: EmbeddedOptions): Promise<Embedded> {
  const cluster = await locateCluster(home);
  const binaries = await findBinaries(cluster.identity, cluster.copies);
  const password = await prepareCluster(cluster, binaries);
  for (let attempt = 1; ; attempt += 1) {
    const found = await findServer(cluster);
    const server = found ?? (await launch(cluster, binaries, settings));
    const lease = await takeLease(server, urlOf(server, password, 'postgres'));
    if (lease instanceof pg.Client) {
      log.info(`embedded Postgres ${found ? 'joined' : 'started'}`, { port: server.port, data: cluster.data });
      return handle(cluster, lease, urlOf(server, password, ROLE), log);
    }
    if (!RACE.test(lease) || attempt === ATTEMPTS) {
      throw new Error(
        `The embedded Postgres does not start; its log is ${cluster.log}. Set DATABASE_URL to use another one. ${lease}`,
      );
    }
    await sleep(100);
  }
}

/** Stops the server of `home`, whoever uses it, and deletes its data. Returns where they were. */
export async function removeEmbeddedPostgres(home: string): Promise<string> {
  const cluster = await locateCluster(home);
  await stopServer(cluster);
  await rm(cluster.root, { recursive: true, force: true });
  return cluster.root;
}

function urlOf(server: Server, password: string, database: string): string {
  return `postgresql://${ROLE}:${password}@127.0.0.1:${server.port}/${database}`;
}

/** A connection that holds the lease, as soon as the server takes one; or why there is none. */
async function takeLease(server: Server, url: string): Promise<pg.Client | string> {
  const patience = Date.now() + START_PATIENCE_MS;
  for (;;) {
    const attempt = await openLease(url);
    if (attempt instanceof pg.Client) return attempt;
    const refused = 'code' in attempt && attempt.code === '28P01';
    if (refused) await sleep(500);
    const ended = await server.ended();
    if (ended !== null) return ended;
    if (refused || Date.now() > patience) return attempt.message;
    await sleep(20);
  }
}

async function openLease(url: string): Promise<pg.Client | Error> {
  const client = new pg.Client({ connectionString: url, application_name: 'canopy lease', keepAlive: true });
  let lost: Error | null = null;
  client.on('error', (error) => {
    lost = error;
  });
  try {
    await client.connect();
    // Waits while the last gateway is leaving; then this connection ends with its server.
    await client.query(`select pg_advisory_lock_shared(${LEASE})`);
    await createDatabase(client);
    return client;
  } catch (error) {
    await client.end();
    return lost ?? (error instanceof Error ? error : new Error(String(error)));
  }
}

async function createDatabase(client: pg.Client): Promise<void> {
  await client.query("select pg_advisory_lock(hashtext('canopy database'))");
  const { rowCount } = await client.query('select from pg_database where datname = $1', [ROLE]);
  if (rowCount === 0) await client.query(`create database ${ROLE}`);
  await client.query("select pg_advisory_unlock(hashtext('canopy database'))");
}

function handle(cluster: Cluster, lease: pg.Client, url: string, log: EmbeddedOptions['log']): Embedded {
  let leaving: Promise<void> | null = null;
  let lost = false;
  lease.removeAllListeners('error').on('error', (error) => {
    lost = true;
    if (leaving === null) log.warn('the embedded Postgres ended', { error, log: cluster.log });
  });
  const leave = async () => {
    if (!lost && (await isLast(lease))) await stopServer(cluster);
    await lease.end();
  };
  return {
    url,
    stop: () => {
      leaving ??= leave();
      return leaving;
    },
  };
}

async function isLast(lease: pg.Client): Promise<boolean> {
  await lease.query(`select pg_advisory_unlock_shared(${LEASE})`);
  const { rows } = await lease.query<{ last: boolean }>(`select pg_try_advisory_lock(${LEASE}) as last`);
  return rows[0]?.last === true;
}
