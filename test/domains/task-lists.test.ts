import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { tasksOf } from '../support/tasks.js';
import { newSpace } from '../support/tenancy.js';
import { type Person, type World, world } from '../support/world.js';

let w: World;
let busy: Person;

beforeAll(async () => {
  w = await world();
  busy = await w.member('Bea', w.space.id, 'EDITOR');
  const spaces = [w.space.id];
  for (let n = 0; n < 9; n += 1) spaces.push((await newSpace(busy)).id);
  const owners = [busy.id, w.editor.id, w.viewer.id];
  await w.app.database.query(
    `insert into "Task" (id, "spaceId", "ownerId", "assigneeId", type, title, status, "createdAt", "updatedAt")
     select 'task_' || lpad(i::text, 26, '0'), s, ($2::text[])[1 + i % 3], case when s = $1 and i % 3 = 0 then ($2::text[])[1 + i / 3 % 3] end,
       'manual', 'Task ' || i, (case when i % 4 = 0 then 'COMPLETED' else 'PENDING' end)::"TaskStatus", now() - i * interval '1 second', now() - i * interval '1 second'
     from generate_series(1, 2000) i, lateral (select case when i % 2 = 0 then $1 else ($3::text[])[2 + i / 2 % 9] end as s) x`,
    [w.space.id, owners, spaces],
  );
});
afterAll(() => w.close());

const list = `query ($id: ID!, $filter: TaskFilter, $orderBy: TaskOrder!, $first: Int, $after: String, $last: Int) {
  space(by: { id: $id }) { tasks(filter: $filter, orderBy: $orderBy, first: $first, after: $after, last: $last) { nodes { id } } } }`;

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
