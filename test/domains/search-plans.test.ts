import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { pathsFound } from '../support/search.js';
import { type World, world } from '../support/world.js';

const size = 100_000;
let w: World;
let client: pg.Client;
const asked: { text: string; values: readonly unknown[] }[] = [];

beforeAll(async () => {
  w = await world();
  client = new pg.Client({ connectionString: w.databaseUrl });
  await client.connect();
  const insert = async (spaceId: string, from: number, to: number) => {
    await client.query(
      `insert into "TreeNode" (id, "spaceId", path, "parentPath", name, depth, value, "contentType", checksum, "sizeBytes")
       select 'node_' || i, $1, '/' || i, '/', i::text, 1, '1', 'application/json', '', 1 from generate_series($2::int, $3::int) i`,
      [spaceId, from, to],
    );
    await client.query(
      `insert into "SearchText" ("resourceId", "resourceType", "spaceId", title, body, "contentHash", tsv)
       select 'node_' || i, 'TreeNode', $1, '/' || i, body, '', to_tsvector('canopy', body) from generate_series($2::int, $3::int) i,
         lateral (select concat_ws(' ', 'common words everywhere', 'topic' || (i % 1000), 'group' || (i % 7), 'serial' || i) as body) b`,
      [spaceId, from, to],
    );
  };
  await insert(w.space.id, 1, size / 2);
  await insert(w.otherSpace.id, size / 2 + 1, size);
  await client.query(
    `insert into "SearchWord" select $1, left(translate(md5(i::text), '0123456789', 'ghijklmnop'), 5 + i % 6) from generate_series(1, 50000) i on conflict do nothing`,
    [w.space.id],
  );
  await client.query('analyze');
  const { database } = w.app as { database: { query: typeof w.app.database.query } };
  const query = database.query.bind(database);
  database.query = (text, values) => {
    asked.push({ text, values });
    return query(text, values);
  };
}, 120_000);
afterAll(async () => {
  await client.end();
  await w.close();
});

/** Milliseconds: fifty are promised on a quiet machine. */
const busy = 250;

interface Explained {
  readonly 'QUERY PLAN': readonly [{ readonly Plan: object; readonly 'Execution Time': number }];
}

/** The plans of the statements over a table that a search takes, as planned for its values, and the least time of five runs. */
async function explained(table: string, text: string) {
  asked.length = 0;
  await pathsFound(w.viewer, text, { mode: 'EXACT', first: 20 });
  const statements = asked.filter((one) => one.text.includes(`"${table}"`) && !one.text.includes('ts_headline'));
  expect(statements.length).toBeGreaterThan(0);
  const plans: string[] = [];
  let ms = 0;
  for (const statement of statements) {
    const times: number[] = [];
    for (let run = 0; run < 5; run += 1) {
      const { rows } = await client.query<Explained>(`explain (analyze, format json) ${statement.text}`, [
        ...statement.values,
      ]);
      const [{ Plan, 'Execution Time': time }] = rows[0]?.['QUERY PLAN'] ?? [
        { Plan: {}, 'Execution Time': Number.NaN },
      ];
      times.push(time);
      if (run === 0) plans.push(JSON.stringify(Plan));
    }
    ms += Math.min(...times);
  }
  return { plans, ms };
}

test('one word, and several, are found among 100,000 texts by the index in less than 50 ms', async () => {
  for (const text of ['serial4711', 'topic42', 'topic42 group3', 'common topic17']) {
    const { plans, ms } = await explained('SearchText', text);
    for (const plan of plans) {
      // By both columns of the index: what other spaces have of a word is not read.
      expect(plan).toMatch(/SearchText_spaceId_tsv_idx[^{}]*"Index Cond":"[^{}]*spaceId[^{}]* AND \(tsv @@/);
      expect(plan).not.toMatch(/"Seq Scan"[^{}]*"(SearchText|TreeNode)"/);
    }
    expect(ms).toBeLessThan(busy);
  }
});

test('a misspelled word is found among 50,000 by the index in less than 50 ms', async () => {
  const { plans, ms } = await explained('SearchWord', 'abcdegfijk');
  for (const plan of plans) expect(plan).toMatch(/SearchWord_spaceId_word_idx[^{}]*"Index Cond":"[^{}]*\(word %/);
  expect(ms).toBeLessThan(busy);
});

test('a word that stands everywhere is answered too, within bounds', async () => {
  const { ms } = await explained('SearchText', 'common');
  expect(ms).toBeLessThan(8_000);
  expect(await pathsFound(w.viewer, 'common', { mode: 'EXACT', first: 20 })).toHaveLength(20);
});
