import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newId } from '../../src/core/ids.js';
import { nodeShapes } from '../../src/domains/all.js';
import { tasksOf } from '../support/tasks.js';
import { newSpace } from '../support/tenancy.js';
import { viewerOf, type World, world } from '../support/world.js';

let w: World;
let taskId: string;
beforeAll(async () => {
  w = await world();
  for (const title of ['first', 'second', 'third'])
    taskId = (await tasksOf(w.owner, w.space.id).made({ title, assigneeId: w.editor.id })).id;
  const comment = 'mutation ($i: CreateCommentInput!) { createComment(input: $i) { comment { id } } }';
  await w.editor.run(comment, { i: { subjectId: taskId, content: 'Mind the frost.' } });
  await w.owner.run('mutation ($i: CreateNoteInput!) { createNote(input: $i) { note { id } } }', {
    i: { spaceId: w.space.id, title: 'Beans', content: 'They climb.' },
  });
});
afterAll(() => w.close());

const inSpace = (selection: string, parameters = '') =>
  `query ($id: ID! ${parameters}) { space(by: { id: $id }) { ${selection} } }`;

/** What an operation about the space answers when the viewer's roles are known already. */
async function asked(query: string, more: object = {}, person = w.owner) {
  await person.run('{ viewer { spaces { nodes { id } } } }');
  return person.run(query, { id: w.space.id, ...more });
}

test('a row, its lists, the lists of those, and who they name take one statement', async () => {
  const { data, errors, sql } = await asked(
    inSpace(`name
      tasks(first: 2) { nodes { title assignee { name } comments(first: 5) { nodes { content createdAt author { name } } } } }
      notes(first: 5) { nodes { title } }
      members(first: 2) { edges { role joinedAt node { user { name } } } }`),
  );
  expect(errors).toEqual([]);
  expect(sql).toHaveLength(1);
  expect(data.space).toEqual({
    name: 'Beds',
    tasks: {
      nodes: [
        {
          title: 'third',
          assignee: { name: 'Edda' },
          comments: {
            nodes: [
              { content: 'Mind the frost.', createdAt: expect.stringMatching(/^\d{4}-.*Z$/), author: { name: 'Edda' } },
            ],
          },
        },
        { title: 'second', assignee: { name: 'Edda' }, comments: { nodes: [] } },
      ],
    },
    notes: { nodes: [{ title: 'Beans' }] },
    members: {
      edges: [
        { role: 'OWNER', joinedAt: expect.any(String), node: { user: { name: 'Olga' } } },
        { role: expect.any(String), joinedAt: expect.any(String), node: { user: { name: expect.any(String) } } },
      ],
    },
  });
});

test('a list that came with its row goes on, and is counted, like one that was read by itself', async () => {
  const page = 'tasks(first: $first, after: $after) { totalCount nodes { title } pageInfo { hasNextPage endCursor } }';
  const query = inSpace(page, ', $first: Int, $after: String');
  const first = (await asked(query, { first: 2 })).data.space.tasks;
  expect(first).toMatchObject({ totalCount: 3, nodes: [{ title: 'third' }, { title: 'second' }] });
  expect(first.pageInfo.hasNextPage).toBe(true);
  const rest = (await asked(query, { first: 2, after: first.pageInfo.endCursor })).data.space.tasks;
  expect(rest).toMatchObject({ totalCount: 3, nodes: [{ title: 'first' }], pageInfo: { hasNextPage: false } });
});

test('each name in the answer has a list of its own', async () => {
  const { data, errors, sql } = await asked(
    inSpace(
      `last: tasks(first: 1) { nodes { title } } urgent: tasks(first: $n, orderBy: PRIORITY) { nodes { id priority } }
      none: tasks(filter: { type: "no.such" }) { nodes { id } }`,
      ', $n: Int',
    ),
    { n: 3 },
  );
  expect(errors).toEqual([]);
  expect(sql).toHaveLength(1);
  expect(data.space.last.nodes).toEqual([{ title: 'third' }]);
  expect(data.space.urgent.nodes).toHaveLength(3);
  expect(data.space.none.nodes).toEqual([]);
});

test('two places that ask of one row for other lists get each their own', async () => {
  const query = `query ($id: ID!) { a: space(by: { id: $id }) { tasks(first: 1) { nodes { title } } }
    b: space(by: { id: $id }) { tasks(first: 2) { nodes { title } } } c: node(id: $id) { ... on Space { notes(first: 1) { nodes { title } } }
    ... on Organization { notes: spaces(first: 2) { nodes { title: name } } } } }`;
  const { data, errors } = await asked(query);
  expect(errors).toEqual([]);
  expect(data).toEqual({
    a: { tasks: { nodes: [{ title: 'third' }] } },
    b: { tasks: { nodes: [{ title: 'third' }, { title: 'second' }] } },
    c: { notes: { nodes: [{ title: 'Beans' }] } },
  });
});

test('what is wrong with the arguments of a list is told at its field, and the rest is answered', async () => {
  const { data, errors } = await asked(
    inSpace('name tasks(first: 1000) { nodes { id } } notes(first: 1) { nodes { title } }'),
  );
  expect(data).toEqual({ space: null });
  expect(errors).toMatchObject([{ path: ['space', 'tasks'], extensions: { code: 'BAD_USER_INPUT' } }]);
});

test('a list that is left out is not read', async () => {
  const query = inSpace('name tasks(first: 2) @include(if: $all) { nodes { id } }', ', $all: Boolean!');
  expect((await asked(query, { all: false })).sql.join()).not.toContain('"Task"');
  expect((await asked(query, { all: true })).sql.join()).toContain('"Task"');
});

test('a list that a key may not hold is not read with its row either', async () => {
  const limited = w.client(
    viewerOf(w.owner.id, { apiKeyId: newId('key'), scopes: new Set(['spaces:read', 'account:read']) }),
  );
  const { errors, sql } = await asked(inSpace('name tasks(first: 2) { nodes { id } }'), {}, limited);
  expect(errors).toMatchObject([{ path: ['space', 'tasks'], extensions: { code: 'FORBIDDEN' } }]);
  expect(sql.join()).not.toContain('"Task"');
});

test('what a viewer may not see of a list is not in it, wherever it is read', async () => {
  const open = await newSpace(w.owner, { visibility: 'PUBLIC' });
  await tasksOf(w.owner, open.id).made({ title: 'inside' });
  const query = inSpace('name tasks(first: 5) { nodes { title } }');
  expect((await w.owner.run(query, { id: open.id })).data.space.tasks.nodes).toEqual([{ title: 'inside' }]);
  expect((await w.stranger.run(query, { id: open.id })).data.space.tasks.nodes).toEqual([]);
});

test('what a change answers has its lists as well', async () => {
  const update = `mutation ($i: UpdateTaskInput!) { updateTask(input: $i) { task { title comments(first: 1) { nodes { content } } } } }`;
  const { data } = await w.owner.run(update, { i: { id: taskId, version: 1, title: 'fourth' } });
  expect(data.updateTask.task).toEqual({ title: 'fourth', comments: { nodes: [{ content: 'Mind the frost.' }] } });
});

test('every column whose form in JSON is not the driver’s says so', async () => {
  const rows = await w.app.database.query<{ model: string; column: string; type: string }>(
    `select c.relname as model, a.attname as column, t.typname as type from pg_attribute a join pg_class c on c.oid = a.attrelid
      join pg_type t on t.oid = a.atttypid where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and a.attnum > 0`,
    [],
  );
  const forms: Readonly<Record<string, string>> = {
    timestamptz: 'instant',
    timestamp: 'instant',
    int8: 'int8',
    numeric: 'never',
    bytea: 'never',
    json: 'never',
  };
  const shapes = Object.values(nodeShapes);
  expect(shapes.length).toBeGreaterThan(15);
  for (const { model, columns, inJson } of shapes) {
    const expected = rows
      .filter((row) => row.model === model && columns.includes(row.column as never) && row.type in forms)
      .map(({ column, type }) => [column, forms[type]]);
    expect({ model, ...inJson }).toMatchObject({ model, ...Object.fromEntries(expected) });
  }
});
