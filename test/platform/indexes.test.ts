import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import type { Related } from '../../src/core/related.js';
import { freshDatabase } from '../support/database.js';

let client: pg.Client;
let drop: () => Promise<void>;
beforeAll(async () => {
  const database = await freshDatabase();
  drop = database.drop;
  client = new pg.Client({ connectionString: database.url });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await drop();
});

/** The columns of each index, in order, by table. */
async function indexes(): Promise<Map<string, string[][]>> {
  const { rows } = await client.query<{ table: string; columns: string[] }>(
    `select t.relname as table, array_agg(a.attname::text order by k.ord) as columns
      from pg_index i join pg_class t on t.oid = i.indrelid join pg_namespace n on n.oid = t.relnamespace and n.nspname = 'public'
      cross join lateral unnest(i.indkey) with ordinality k(attnum, ord)
      join pg_attribute a on a.attrelid = t.oid and a.attnum = k.attnum group by i.indexrelid, t.relname`,
  );
  const byTable = new Map<string, string[][]>();
  for (const { table, columns } of rows) byTable.set(table, [...(byTable.get(table) ?? []), columns]);
  return byTable;
}

test('every foreign key leads an index', async () => {
  const all = await indexes();
  const { rows } = await client.query<{ table: string; columns: string[] }>(
    `select t.relname as table, array_agg(a.attname::text order by k.ord) as columns
      from pg_constraint c join pg_class t on t.oid = c.conrelid join pg_namespace n on n.oid = t.relnamespace and n.nspname = 'public'
      cross join lateral unnest(c.conkey) with ordinality k(attnum, ord)
      join pg_attribute a on a.attrelid = t.oid and a.attnum = k.attnum where c.contype = 'f' group by c.oid, t.relname`,
  );
  expect(rows.length).toBeGreaterThan(15);
  const bare = rows.filter(
    ({ table, columns }) => !all.get(table)?.some((index) => columns.every((column, at) => index[at] === column)),
  );
  expect(bare).toEqual([]);
});

const isRelated = (value: unknown): value is Related<object> =>
  typeof value === 'object' && value !== null && 'keys' in value && 'order' in value;

test('every list that hangs on a parent reads one index in its order', async () => {
  const all = await indexes();
  const modules = readdirSync('src/domains', { recursive: true, encoding: 'utf8' }).filter((file) =>
    /loaders\.ts$/.test(file),
  );
  const lists: { file: string; list: Related<object> }[] = [];
  for (const file of modules) {
    const loaded = (await import(join('../../src/domains', file.replace(/\.ts$/, '.js')))) as Record<string, unknown>;
    lists.push(
      ...Object.values(loaded)
        .filter(isRelated)
        .map((list) => ({ file, list })),
    );
  }
  expect(lists.length).toBeGreaterThanOrEqual(6);
  const unsorted = lists.filter(({ list: { shape, keys, order } }) => {
    const wanted = [...keys, ...order.columns];
    return !all.get(shape.model)?.some((index) => wanted.every((column, at) => index[at] === column));
  });
  expect(
    unsorted.map(({ file, list }) => `${file}: ${list.shape.model} by ${[...list.keys, ...list.order.columns].join()}`),
  ).toEqual([]);
});

test('text that is compared by bytes says so', async () => {
  const { rows } = await client.query<{ column: string; collation: string }>(
    `select a.attname as column, c.collname as collation from pg_attribute a join pg_collation c on c.oid = a.attcollation
      where a.attrelid = '"TreeNode"'::regclass and a.attname in ('path', 'parentPath', 'name')`,
  );
  expect(rows.map(({ collation }) => collation)).toEqual(['C', 'C', 'C']);
});
