import type { App } from '../../src/core/context.js';

/** Tables whose rows tell what happened, and are to stay when what they tell of is gone. */
const histories: ReadonlySet<string> = new Set(['Event', 'AuditEvent']);

/** In which tables, those of the job queue included, any column of how many rows says any of these. Tables that tell of the past are left out. */
export async function tracesOf(app: App, ...texts: readonly string[]): Promise<Record<string, number>> {
  const found = Object.entries(await allTracesOf(app, ...texts));
  return Object.fromEntries(found.filter(([name]) => !histories.has(name)));
}

/** The same in all tables. */
export async function allTracesOf({ database }: App, ...texts: readonly string[]): Promise<Record<string, number>> {
  const tables = await database.query<{ name: string; from: string }>(tablesSql, []);
  const needles = texts.flatMap((text) => [text.toLowerCase(), Buffer.from(text).toString('hex')]);
  const found: Record<string, number> = {};
  for (const { name, from } of tables) {
    const [row] = await database.query<{ n: number }>(
      `select count(*)::int as n from ${from} t where exists (select from unnest($1::text[]) needle where strpos(lower(t::text), needle) > 0)`,
      [needles],
    );
    if (row && row.n > 0) found[name] = row.n;
  }
  return found;
}

// A partition's rows are those of its table.
const tablesSql = `select c.relname as name, format('%I.%I', n.nspname, c.relname) as "from"
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p') and not c.relispartition and n.nspname in ('public', 'graphile_worker') order by 1`;

/** Has the jobs that wait for their time, or for their next try, run now, and all that follows. */
export async function runAllJobs({ app, runJobs }: { app: App; runJobs(): Promise<void> }): Promise<void> {
  for (let round = 0; round < 4; round += 1) {
    await app.database.query('update graphile_worker._private_jobs set run_at = now() where run_at > now()', []);
    await runJobs();
  }
}
