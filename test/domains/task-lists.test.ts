import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { explained, planModes } from '../support/plans.js';
import { tasksOf } from '../support/tasks.js';
import { newSpace } from '../support/tenancy.js';
import { type Person, type World, world } from '../support/world.js';

/** One step of a plan, as Postgres explains it. */
interface Step {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly Plans?: readonly Step[];
}

interface Explained {
  readonly 'QUERY PLAN': readonly [{ readonly Plan: Step; readonly 'Execution Time': number }];
}

let w: World;
let client: pg.Client;
let busy: Person;
const asked: { text: string; values: readonly unknown[] }[] = [];
const spread = 110_000;

beforeAll(async () => {
  w = await world();
  client = new pg.Client({ connectionString: w.databaseUrl });
  await client.connect();
  busy = await w.member('Bea', w.space.id, 'EDITOR');
  const people = await Promise.all(
    Array.from({ length: 20 }, (_, n) => w.member(`Person ${n}`, w.space.id, n % 2 ? 'EDITOR' : 'VIEWER')),
  );
  const spaces = [
    w.space.id,
    ...(await Promise.all(Array.from({ length: 9 }, () => newSpace(busy)))).map(({ id }) => id),
  ];
  const owners = [busy, ...people].map(({ id }) => id);
  // Half of all is in the space that is looked at; most is done, as it is anywhere after a while.
  await client.query(
    `insert into "Task" (id, "spaceId", "ownerId", "assigneeId", type, title, status, progress, priority, "createdAt", "updatedAt")
     select 'task_' || lpad(i::text, 26, '0'), s, ($2::text[])[1 + i % 21], case when s = $1 and i % 3 = 0 then ($2::text[])[1 + i / 3 % 21] end,
       case when i % 10 = 0 then 'acme.render' else 'manual' end, 'Task ' || i,
       (case when i % 50 = 0 then 'RUNNING' when i % 20 = 1 then 'PENDING' when i % 100 = 7 then 'FAILED' else 'COMPLETED' end)::"TaskStatus",
       i % 101, i % 7, now() - (i % 100000) * interval '1 second', now() - (i % 777) * interval '1 minute'
     from generate_series(1, $4::int) i, lateral (select case when i % 2 = 0 then $1 else ($3::text[])[2 + i / 2 % 9] end as s) x`,
    [w.space.id, owners, spaces, spread],
  );
  await client.query('analyze "Task"');
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

const steps = (step: Step): Step[] => [step, ...(step.Plans ?? []).flatMap(steps)];

/** The plans of what an operation reads of tasks, for these values and for any, and the time that the database took for each. */
async function plansOf(query: string, variables: object): Promise<{ plan: Step; ms: number }[]> {
  asked.length = 0;
  const { errors } = await busy.run(query, { ...variables });
  expect(errors).toEqual([]);
  const reads = asked.filter(({ text }) => text.includes('"Task"') && !text.includes('count(*)'));
  expect(reads.length).toBeGreaterThan(0);
  const plans: { plan: Step; ms: number }[] = [];
  const ask = async <Row extends object>(text: string, values: readonly unknown[]) =>
    (await client.query<Row>(text, [...values])).rows;
  for (const mode of planModes) {
    for (const { text, values } of reads) {
      // The best of a few: other work on the machine is not what is asked about.
      let best: { plan: Step; ms: number } | null = null;
      for (let n = 0; n < 4; n += 1) {
        await client.query('begin');
        const [row] = await explained<Explained>(ask, mode, 'analyze, timing off, format json', text, values);
        await client.query('rollback');
        if (!row) continue;
        const { Plan: plan, 'Execution Time': ms } = row['QUERY PLAN'][0];
        if (!best || ms < best.ms) best = { plan, ms };
      }
      if (best) plans.push(best);
    }
  }
  return plans;
}

const list = `query ($id: ID!, $filter: TaskFilter, $orderBy: TaskOrder!, $first: Int, $after: String, $last: Int) {
  space(by: { id: $id }) { tasks(filter: $filter, orderBy: $orderBy, first: $first, after: $after, last: $last) { nodes { id } } } }`;
const mine =
  'query ($status: TaskStatus) { viewer { tasks(status: $status, first: 20) { nodes { id title status } } } }';
const one = 'query ($id: ID!) { task(id: $id) { title status } }';

const inSpace =
  (filter: object | null, orderBy = 'CREATED_AT') =>
  () => ({ id: w.space.id, filter, orderBy, first: 20 });
const patterns: readonly [string, string, () => object, readonly string[]][] = [
  ['a task by its id', one, () => ({ id: `task_${'4242'.padStart(26, '0')}` }), ['Task_pkey']],
  [
    'the tasks of a user, newest first',
    mine,
    () => ({}),
    ['Task_ownerId_createdAt_id_idx', 'Task_assigneeId_createdAt_id_idx'],
  ],
  [
    'the tasks of a user with a status, newest first',
    mine,
    () => ({ status: 'FAILED' }),
    ['Task_ownerId_status_createdAt_id_idx', 'Task_assigneeId_status_createdAt_id_idx'],
  ],
  [
    'tasks with a status by when they were created',
    list,
    inSpace({ status: 'PENDING' }),
    ['Task_spaceId_status_createdAt_id_idx'],
  ],
  ['the tasks of a space, newest first', list, inSpace(null), ['Task_spaceId_createdAt_id_idx']],
  ['the tasks of a space by what changed last', list, inSpace(null, 'UPDATED_AT'), ['Task_spaceId_updatedAt_id_idx']],
  ['the tasks of a space by importance', list, inSpace(null, 'PRIORITY'), ['Task_spaceId_priority_id_idx']],
  ['the tasks of a type', list, inSpace({ type: 'acme.render' }), ['Task_spaceId_type_createdAt_id_idx']],
  ['the tasks of an assignee', list, () => inSpaceOf(busy), ['Task_spaceId_assigneeId_createdAt_id_idx']],
];
const inSpaceOf = (person: Person) => inSpace({ assigneeId: person.id })();

test.each(patterns)(
  '%s: an index has them in order, and the database takes less than 5 ms',
  async (_, query, variables, indexes) => {
    for (const { plan, ms } of await plansOf(query, variables())) {
      const scans = steps(plan).filter((step) => step['Relation Name'] === 'Task');
      expect(scans.map((step) => step['Node Type']).join()).toMatch(/^(Index (Only )?Scan,?)+$/);
      expect([...new Set(scans.map((step) => step['Index Name']))].sort()).toEqual([...indexes].sort());
      for (const step of scans) expect(step['Actual Rows']).toBeLessThanOrEqual(21);
      expect(ms).toBeLessThan(25);
    }
  },
);

test('pages of every filter and order are whole, in order, and the same from both ends', async () => {
  const { id } = await newSpace(w.owner);
  const tasks = tasksOf(w.owner, id);
  const made: { id: string; status: string; priority: number; type: string }[] = [];
  for (let n = 0; n < 9; n += 1)
    made.unshift(await tasks.made({ title: `T${n}`, priority: n % 3, ...(n % 2 && { type: 'acme.render' }) }));
  await tasks.cancel(made[4]?.id ?? '');
  const pagesOf = async (more: object) => {
    const ids: string[] = [];
    for (let after: string | null = null; ; ) {
      const { data, errors } = await w.owner.run(
        list.replace('nodes { id }', 'nodes { id } pageInfo { hasNextPage endCursor }'),
        {
          id,
          orderBy: 'CREATED_AT',
          first: 2,
          after,
          ...more,
        },
      );
      expect(errors).toEqual([]);
      const { nodes, pageInfo } = data.space.tasks;
      ids.push(...nodes.map((node: { id: string }) => node.id));
      if (!pageInfo.hasNextPage) return ids;
      after = pageInfo.endCursor;
    }
  };
  const ids = (of: readonly { id: string }[]) => of.map((task) => task.id);
  const byPriority = [...made].sort((a, b) => b.priority - a.priority || (a.id < b.id ? 1 : -1));
  const cancelled = ids(made.slice(4, 5));
  const rendered = made.filter(({ type }) => type === 'acme.render');
  expect(await pagesOf({})).toEqual(ids(made));
  expect(await pagesOf({ orderBy: 'PRIORITY' })).toEqual(ids(byPriority));
  expect((await pagesOf({ orderBy: 'UPDATED_AT' }))[0]).toBe(cancelled[0]);
  expect(await pagesOf({ filter: { type: 'acme.render' } })).toEqual(ids(rendered));
  expect(await pagesOf({ filter: { status: 'CANCELLED' } })).toEqual(cancelled);
  expect(await pagesOf({ filter: { ownerId: w.owner.id, status: 'QUEUED' } })).toEqual(
    ids(rendered).filter((one) => one !== cancelled[0]),
  );
  expect(await pagesOf({ filter: { ownerId: w.viewer.id } })).toEqual([]);
  const last = await w.owner.run(list, { id, orderBy: 'CREATED_AT', last: 2 });
  expect(ids(last.data.space.tasks.nodes)).toEqual(ids(made.slice(-2)));
});

test('my tasks are those that I own or am assigned, each once, wherever I may see them', async () => {
  const person = await w.member('Mia', w.space.id, 'EDITOR');
  const { id: own } = await newSpace(person);
  const { id: theirs } = await newSpace(w.owner);
  await w.app.database.prisma.spaceMember.create({ data: { spaceId: theirs, userId: person.id, role: 'EDITOR' } });
  w.app.memory.forgetAll();
  const made = [
    await tasksOf(person, own).made({ title: 'owned', assigneeId: person.id }),
    await tasksOf(w.editor, w.space.id).made({ title: 'assigned', assigneeId: person.id }),
    await tasksOf(person, theirs).made({ title: 'hidden later' }),
    await tasksOf(person, w.space.id).made({ title: 'mine' }),
  ];
  await tasksOf(w.editor, w.space.id).made({ title: 'of others' });
  const query = `query ($status: TaskStatus, $first: Int, $after: String, $last: Int) { viewer { tasks(status: $status, first: $first, after: $after, last: $last) {
    totalCount nodes { title } pageInfo { hasNextPage endCursor } } } }`;
  const titles = (answer: { data: { viewer: { tasks: { nodes: { title: string }[] } } } }) =>
    answer.data.viewer.tasks.nodes.map(({ title }) => title);
  const first = await person.run(query, { first: 2 });
  expect(titles(first)).toEqual(['mine', 'hidden later']);
  expect(first.data.viewer.tasks).toMatchObject({ totalCount: 4, pageInfo: { hasNextPage: true } });
  const second = await person.run(query, { first: 2, after: first.data.viewer.tasks.pageInfo.endCursor });
  expect(titles(second)).toEqual(['assigned', 'owned']);
  expect(second.data.viewer.tasks).toMatchObject({ totalCount: 4, pageInfo: { hasNextPage: false } });
  expect(titles(await person.run(query, { last: 1 }))).toEqual(['owned']);
  await tasksOf(person, w.space.id).cancel(made[3].id);
  expect(titles(await person.run(query, { status: 'CANCELLED' }))).toEqual(['mine']);
  await w.owner.run('mutation ($i: RemoveSpaceMemberInput!) { removeSpaceMember(input: $i) { removedUserId } }', {
    i: { spaceId: theirs, userId: person.id },
  });
  expect(titles(await person.run(query, { first: 2 }))).toEqual(['mine', 'assigned']);
});

test('a space with its tasks and their assignees takes one statement, however many they are', async () => {
  const query = `query ($id: ID!, $first: Int) { space(by: { id: $id }) { name tasks(first: $first) { nodes { id title status progress createdAt assignee { id name } } } } }`;
  await busy.run(query, { id: w.space.id, first: 1 });
  const { data, sql } = await busy.run(query, { id: w.space.id, first: 20 });
  expect(data.space.tasks.nodes).toHaveLength(20);
  expect(data.space.tasks.nodes.filter(({ assignee }: { assignee: unknown }) => assignee).length).toBeGreaterThan(3);
  expect(sql).toHaveLength(1);
});

test('the tasks of many spaces with their histories take one statement a level', async () => {
  const query = `{ viewer { spaces(first: 10) { nodes { name tasks(filter: { status: PENDING }, first: 5) { totalCount nodes { title owner { name } assignee { name } events(first: 3) { nodes { kind status } } } } } } } }`;
  await busy.run(query);
  const { data, sql } = await busy.run(query);
  expect(data.viewer.spaces.nodes.length).toBe(10);
  // Spaces, tasks, counts, people, histories.
  expect(sql.length).toBeLessThanOrEqual(6);
});
