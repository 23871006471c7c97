import { createHash, randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import type { Log } from '../log.js';
import { migrateQueue } from '../queue/migrate.js';

export interface MigrateOptions {
  /** prisma/migrations: one folder a migration, applied in the order of their names. */
  readonly directory: string;
  readonly log: Pick<Log, 'info' | 'warn'>;
}

interface Migration {
  readonly name: string;
  readonly sql: string;
  readonly checksum: string;
}

interface Applied {
  readonly migration_name: string;
  readonly checksum: string;
  readonly finished_at: Date | null;
}

const OLDEST_SERVER = 150_000;

/** The number that `prisma migrate` locks too, so the two wait for each other. */
const LOCK = 72_707_369;

/** As `prisma migrate deploy` makes it, which reads and continues what is recorded here. */
const RECORD = `create table if not exists _prisma_migrations (
  id                  varchar(36) primary key not null,
  checksum            varchar(64) not null,
  finished_at         timestamptz,
  migration_name      varchar(255) not null,
  logs                text,
  rolled_back_at      timestamptz,
  started_at          timestamptz not null default now(),
  applied_steps_count integer not null default 0
)`;

/**
 * Brings the database up to the migrations in `directory`, and the job queue's tables up to its release; returns the names of the migrations applied. Any number of
 * processes may do so at once. Each migration is applied wholly or not at all; one that changed after it was applied,
 * and one that `prisma migrate` left half done, are errors.
 */
export async function migrate(url: string, { directory, log }: MigrateOptions): Promise<string[]> {
  const migrations = await readMigrations(directory);
  const client = new pg.Client({
    connectionString: url,
    application_name: 'canopy migrate',
    connectionTimeoutMillis: 10_000,
  });
  await client.connect();
  try {
    await requireServer(client);
    const applied: string[] = [];
    for (;;) {
      const name = await applyNext(client, migrations, applied.length === 0 ? log : null);
      if (name === null) break;
      log.info('migration applied', { name });
      applied.push(name);
    }
    await migrateQueue(client, url);
    return applied;
  } finally {
    await client.end();
  }
}

async function readMigrations(directory: string): Promise<Migration[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return Promise.all(
    names.sort().map(async (name) => {
      const sql = await readFile(join(directory, name, 'migration.sql'), 'utf8');
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
    }),
  );
}

async function requireServer(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ number: number; version: string }>(
    "select current_setting('server_version_num')::int as number, current_setting('server_version') as version",
  );
  const [server] = rows;
  if (server && server.number >= OLDEST_SERVER) return;
  throw new Error(`Canopy needs Postgres 15 or newer; the server of DATABASE_URL is ${server?.version}.`);
}

/** One migration in one transaction. The lock is the transaction's, so it also holds behind a connection pooler. */
async function applyNext(
  client: pg.Client,
  migrations: readonly Migration[],
  log: MigrateOptions['log'] | null,
): Promise<string | null> {
  await client.query('begin');
  try {
    await client.query('select pg_advisory_xact_lock($1)', [LOCK]);
    await client.query(RECORD);
    const next = await findNext(client, migrations, log);
    if (next !== undefined) await apply(client, next);
    await client.query('commit');
    return next?.name ?? null;
  } catch (error) {
    await client.query('rollback');
    throw error;
  }
}

async function findNext(client: pg.Client, migrations: readonly Migration[], log: MigrateOptions['log'] | null) {
  const { rows } = await client.query<Applied>(
    'select migration_name, checksum, finished_at from _prisma_migrations where rolled_back_at is null',
  );
  const applied = new Map(rows.map((row) => [row.migration_name, row]));
  const unfinished = rows.find((row) => row.finished_at === null);
  if (unfinished) {
    throw new Error(
      `Migration ${unfinished.migration_name} failed before. Correct the database, then say so with npx prisma migrate resolve.`,
    );
  }
  const modified = migrations.find(({ name, checksum }) => (applied.get(name)?.checksum ?? checksum) !== checksum);
  if (modified) {
    throw new Error(
      `Migration ${modified.name} was modified after it was applied. Restore prisma/migrations/${modified.name}/migration.sql and put the change into a new migration.`,
    );
  }
  const known = new Set(migrations.map(({ name }) => name));
  const newer = [...applied.keys()].filter((name) => !known.has(name));
  if (newer.length > 0) log?.warn('the database has migrations that this release does not know', { newer });
  return migrations.find(({ name }) => !applied.has(name));
}

async function apply(client: pg.Client, { name, sql, checksum }: Migration): Promise<void> {
  await client.query(sql).catch((cause: unknown) => {
    throw new Error(`Migration ${name} cannot be applied${placeOf(cause, sql)}; nothing of it was kept.`, { cause });
  });
  await client.query(
    `insert into _prisma_migrations (id, checksum, migration_name, started_at, finished_at, applied_steps_count)
     values ($1, $2, $3, now(), clock_timestamp(), 1)`,
    [randomUUID(), checksum, name],
  );
}

function placeOf(cause: unknown, sql: string): string {
  if (!(cause instanceof pg.DatabaseError)) return '';
  const line = cause.position ? `, line ${sql.slice(0, Number(cause.position)).split('\n').length}` : '';
  return `${line}: ${cause.message}`;
}
