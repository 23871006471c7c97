import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { explained, planModes } from '../support/plans.js';
import { type Tree, treeOfWorld } from '../support/tree.js';
import { type World, world } from '../support/world.js';

/** One step of a plan, as Postgres explains it. */
interface Step {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Shared Hit Blocks': number;
  readonly 'Shared Read Blocks': number;
  readonly Plans?: readonly Step[];
}

interface Explained {
  readonly 'QUERY PLAN': readonly [{ readonly Plan: Step }];
}

let w: World;
let writer: Tree;
let reader: Tree;
let client: pg.Client;
const asked: { text: string; values: readonly unknown[] }[] = [];
const size = { mine: 50_000, others: 30_000, page: 100 };

beforeAll(async () => {
  w = await world();
  ({ writer, reader } = treeOfWorld(w));
  client = new pg.Client({ connectionString: w.databaseUrl });
  await client.connect();
  const insert = (spaceId: string, count: number) =>
    client.query(
      `insert into "TreeNode" (id, "spaceId", path, "parentPath", name, depth, value, "contentType", checksum, "sizeBytes")
       select 'node_' || $1 || path, $1, path, '/big/' || (i % 10), name, 3, '{"a":1}', 'application/json', '', 7
       from generate_series(1, $2::int) i, lateral (select lpad(i::text, 6, '0') as name) n, lateral (select '/big/' || (i % 10) || '/' || name as path) p`,
      [spaceId, count],
    );
  await insert(w.space.id, size.mine);
  await insert(w.otherSpace.id, size.others);
  for (let n = 0; n < 10; n += 1) await writer.put(`/big/${n}`, n);
  await client.query('analyze "TreeNode"');
  const { database } = w.app as { database: { query: typeof w.app.database.query } };
  const query = database.query.bind(database);
  database.query = (text, values) => {
    asked.push({ text, values });
    return query(text, values);
  };
}, 60_000);
afterAll(async () => {
  await client.end();
  await w.close();
});

const steps = (step: Step): Step[] => [step, ...(step.Plans ?? []).flatMap(steps)];
// Counts read all that they count, which is bounded by what they answer at most.
const isRead = (text: string) => text.includes('"TreeNode"') && !text.includes('count(*)');

/** How the database goes about the reads that `run` asks for, each as it is planned for its values and for any. */
async function plansOf(run: () => Promise<unknown>): Promise<Step[]> {
  asked.length = 0;
  await run();
  const plans: Step[] = [];
  for (const { text, values } of asked.filter((one) => isRead(one.text))) plans.push(...(await explain(text, values)));
  return plans;
}

async function explain(text: string, values: readonly unknown[]): Promise<Step[]> {
  const plans: Step[] = [];
  const ask = async <Row extends object>(text: string, values: readonly unknown[]) =>
    (await client.query<Row>(text, [...values])).rows;
  for (const mode of planModes) {
    await client.query('begin');
    const rows = await explained<Explained>(ask, mode, 'analyze, buffers, timing off, format json', text, values);
    await client.query('rollback');
    plans.push(...rows.map((row) => row['QUERY PLAN'][0].Plan));
  }
  return plans;
}

/** Fails unless nodes are found by index alone, nothing is sorted but what is shown, and no more is read than a page takes. */
function expectBounded(plans: readonly Step[], indexes: readonly string[], rows = size.page): void {
  expect(plans.length).toBeGreaterThan(0);
  for (const plan of plans) {
    const all = steps(plan);
    const scans = all.filter((step) => step['Relation Name'] === 'TreeNode');
    for (const scan of scans) expect(scan['Node Type']).toMatch(/^Index (Only )?Scan$/);
    expect(indexes).toEqual(expect.arrayContaining([...new Set(scans.map((step) => step['Index Name']))]));
    for (const sort of all.filter((step) => /Sort/.test(step['Node Type']))) {
      for (const input of sort.Plans ?? [])
        expect(input['Actual Rows'] * input['Actual Loops']).toBeLessThanOrEqual(rows + 2);
    }
    expect(plan['Shared Hit Blocks'] + plan['Shared Read Blocks']).toBeLessThan(4 * rows + 60);
  }
}

const byPath = ['TreeNode_spaceId_path_live_key'];
const byDepth = [...byPath, 'TreeNode_spaceId_depth_path_live_idx'];
const first = size.page;

test('the reading of a path is one look into an index', async () => {
  expectBounded(await plansOf(() => reader.read('/big/7/000007')), byPath, 1);
});

test.each([{ pathPrefix: '/big/7' }, { pathPrefix: '/big' }, {}, { pathPrefix: '/nowhere' }])(
  'a page of a subtree is read from a range of an index, from both ends and in the middle (%j)',
  async (of) => {
    expectBounded(await plansOf(() => reader.list({ ...of, first })), byPath);
    expectBounded(await plansOf(() => reader.list({ ...of, last: first })), byPath);
    const { endCursor } = (await reader.page({ ...of, first: 1_000 })).pageInfo;
    if (!endCursor) return;
    expectBounded(await plansOf(() => reader.list({ ...of, first, after: endCursor })), byPath);
    expectBounded(await plansOf(() => reader.list({ ...of, last: first, before: endCursor })), byPath);
  },
);

test.each([{ pathPrefix: '/big/7', depth: 1 }, { depth: 2 }, { depth: 3 }, { depth: 32 }])(
  'each level of a subtree is a range of an index (%j)',
  async (of) => {
    const rows = first * Math.min(of.depth, 3) + of.depth;
    expectBounded(await plansOf(() => reader.list({ ...of, first })), byDepth, rows);
    const { endCursor } = (await reader.page({ ...of, first: 1_000 })).pageInfo;
    expectBounded(await plansOf(() => reader.list({ ...of, first, after: endCursor })), byDepth, rows);
    expectBounded(await plansOf(() => reader.list({ ...of, last: first })), byDepth, rows);
  },
);

test('children of many parents are ranges of an index', async () => {
  const query =
    'query ($spaceId: ID!) { tree(spaceId: $spaceId, pathPrefix: "/big", depth: 1) { nodes { children(first: 9) { nodes { path } } } } }';
  const plans = await plansOf(() => w.viewer.run(query, { spaceId: w.space.id }));
  expectBounded(plans, [...byDepth, 'TreeNode_spaceId_parentPath_name_idx']);
});

test('what a change locks, and what a batch reads, are ranges of an index', async () => {
  const locked = (await writer.move('/big/7', '/big/8')).sql.find((text) => text.includes('with itself')) ?? '';
  const id = w.space.id;
  const one = await explain(locked, [id, '/big/7/000007', id, '/big/7/000007/', '/big/7/0000070', 10_001]);
  const many = await explain(locked, [id, '/big/7', id, '/big/7/', '/big/70', first]);
  const read =
    (await writer.batch([{ readTree: { pathPrefix: '/big' } }])).sql.find((text) =>
      text.includes('cross join lateral'),
    ) ?? '';
  const some = await explain(read, [id, '/big/7', [3, 4, 5], id, '/big/7/', '/big/70', first, first]);
  for (const plans of [one, many, some])
    expect(
      plans.flatMap(steps).some((step) => /Seq|Bitmap/.test(step['Node Type']) && step['Relation Name'] === 'TreeNode'),
    ).toBe(false);
  expectBounded(some, byDepth);
  for (const plan of [...one, ...many])
    expect(plan['Shared Hit Blocks'] + plan['Shared Read Blocks']).toBeLessThan(6 * first);
});
