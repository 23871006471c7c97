import type pg from 'pg';

/** The last migration of the pinned graphile-worker; a test says when it is no longer. */
export const lastMigration = 19;

/** Brings the tables of the job queue up to date. The library is loaded only when there is something to do. */
export async function migrateQueue(client: pg.Client, url: string): Promise<void> {
  if ((await migrated(client)) >= lastMigration) return;
  const { runMigrations } = await import('graphile-worker');
  await runMigrations({ connectionString: url, maxPoolSize: 1, noHandleSignals: true });
}

async function migrated(client: pg.Client): Promise<number> {
  const { rows: tables } = await client.query(`select to_regclass('graphile_worker.migrations') as found`);
  if (!tables[0]?.found) return 0;
  const { rows } = await client.query('select max(id) as last from graphile_worker.migrations');
  return rows[0]?.last ?? 0;
}
