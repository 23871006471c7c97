import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { embeddedPostgres } from '../../src/platform/database/embedded.js';
import { migrate } from '../../src/platform/database/migrate.js';
import { home, inProject } from '../places.js';
import { step } from '../progress.js';

/** The database of one run: fresh rows, which nobody else uses. */
export interface RunDatabase {
  readonly url: string;
  readonly nodes: number;
  /** For the bench's own questions. */
  readonly client: pg.Client;
  close(): Promise<void>;
}

const migrations = inProject('prisma/migrations');
const scripts = ['dataset.sql', 'functions.sql'].map((name) => inProject('bench/data', name));
const runName = 'canopy_bench_run';
const quiet = { info: () => {}, warn: () => {} };

/** As one would set a server up for this much data; those who use it differ in nothing. */
const settings = ['shared_buffers=512MB', 'max_wal_size=8GB', 'checkpoint_timeout=1h', 'effective_cache_size=2GB'];

/**
 * A database with `nodes` tree nodes. The rows are made once for each size and state of the schema, and copied for each
 * run, so that every run begins with the same bytes. Only one run at a time may use a server.
 */
export async function openDatabase(nodes: number): Promise<RunDatabase> {
  const embedded = process.env['BENCH_DATABASE_URL'] ? null : await embeddedPostgres({ home, log: quiet, settings });
  const serverUrl = process.env['BENCH_DATABASE_URL'] ?? embedded?.url ?? '';
  const admin = await connect(serverUrl);
  try {
    await takeTurn(admin);
    const template = await findTemplate(admin, serverUrl, nodes);
    await step('copying the rows', async () => {
      await admin.query(`drop database if exists ${runName} with (force)`);
      await admin.query(`create database ${runName} template ${template} strategy file_copy`);
    });
    const url = urlOf(serverUrl, runName);
    const client = await connect(url);
    const close = async () => {
      await client.end();
      await admin.query(`drop database if exists ${runName} with (force)`);
      await admin.end();
      await embedded?.stop();
    };
    return { url, nodes, client, close };
  } catch (error) {
    await admin.end();
    await embedded?.stop();
    throw error;
  }
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, application_name: 'canopy bench' });
  await client.connect();
  return client;
}

function urlOf(serverUrl: string, database: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${database}`;
  return url.href;
}

async function takeTurn(admin: pg.Client): Promise<void> {
  const { rows } = await admin.query<{ mine: boolean }>(
    "select pg_try_advisory_lock(hashtext('canopy bench')) as mine",
  );
  if (!rows[0]?.mine)
    throw new Error('Another bench is running on this database server; two would measure each other.');
}

/** The name of the database with the rows of this size, made when it is not there. */
async function findTemplate(admin: pg.Client, serverUrl: string, nodes: number): Promise<string> {
  const name = `canopy_bench_${nodes}_${await fingerprint()}`;
  const like = `canopy_bench_${nodes}_%`;
  const { rows } = await admin.query<{ datname: string }>('select datname from pg_database where datname like $1', [
    like,
  ]);
  if (rows.some(({ datname }) => datname === name)) return name;
  for (const { datname } of rows) await admin.query(`drop database "${datname}" with (force)`);
  const unfinished = `${name}_unfinished`;
  await admin.query(`create database ${unfinished}`);
  await step(`making ${nodes.toLocaleString('en')} nodes (once)`, () => fill(urlOf(serverUrl, unfinished), nodes));
  await admin.query(`alter database ${unfinished} rename to ${name}`);
  return name;
}

async function fill(url: string, nodes: number): Promise<void> {
  await migrate(url, { directory: migrations, log: quiet });
  const client = await connect(url);
  try {
    await client.query("select set_config('bench.nodes', $1, false)", [`${nodes}`]);
    for (const script of scripts) await client.query(await readFile(script, 'utf8'));
    await client.query('vacuum (analyze, freeze)');
  } finally {
    await client.end();
  }
}

/** Changes with everything that the rows are made from. */
async function fingerprint(): Promise<string> {
  const hash = createHash('sha256');
  const names = (await readdir(migrations, { withFileTypes: true }))
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
  const files = [...names.sort().map((name) => join(migrations, name, 'migration.sql')), ...scripts];
  for (const file of files) hash.update(await readFile(file));
  return hash.digest('hex').slice(0, 8);
}
