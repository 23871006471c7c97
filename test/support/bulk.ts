import type pg from 'pg';

/** What is taken off a table, and how it is put back. */
interface Part {
  readonly drop: string;
  readonly make: string;
}

const referencesSql = `select format('alter table %s drop constraint %I', conrelid::regclass, conname) as drop,
    format('alter table %s add constraint %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) as make
  from pg_constraint where conrelid = $1::regclass and contype = 'f'`;
const indexesSql = `select format('drop index %s', indexrelid::regclass) as drop, pg_get_indexdef(indexrelid) as make
  from pg_index i where indrelid = $1::regclass and not exists (select from pg_constraint c where c.conindid = i.indexrelid)`;

/** Fills a table with more than one row at a time could: its references are checked, and its indexes made, when all of it is there. */
export async function fillTable(client: pg.Client, table: string, fill: () => Promise<unknown>): Promise<void> {
  const { rows: references } = await client.query<Part>(referencesSql, [table]);
  const { rows: indexes } = await client.query<Part>(indexesSql, [table]);
  const parts = [...references, ...indexes];
  for (const { drop } of parts) await client.query(drop);
  await fill();
  await client.query(`set maintenance_work_mem = '256MB'`);
  for (const { make } of parts.reverse()) await client.query(make);
  await client.query(`vacuum (analyze) ${table}`);
}
