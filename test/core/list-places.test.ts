import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { tasksOf } from '../support/tasks.js';
import { newSpace } from '../support/tenancy.js';
import { type World, world } from '../support/world.js';

let w: World;
let noteId: string;
beforeAll(async () => {
  w = await world();
  for (const title of ['first', 'second', 'third']) {
    await tasksOf(w.owner, w.space.id).made({ title });
    noteId = await noteOf(w.editor, w.space.id, title);
  }
  for (const content of ['one', 'two', 'three'])
    await w.editor.run('mutation ($i: CreateCommentInput!) { createComment(input: $i) { comment { id } } }', {
      i: { subjectId: noteId, content },
    });
});
afterAll(() => w.close());

async function noteOf(person: World['owner'], spaceId: string, title: string): Promise<string> {
  const make = 'mutation ($i: CreateNoteInput!) { createNote(input: $i) { note { id } } }';
  return (await person.run(make, { i: { spaceId, title, content: title } })).data.createNote.note.id;
}

test.each(['i', 'id', 'rows', 'l0', 'k0', 'x', 'title', 'constructor', '__x'])(
  'a list may be called %s in the answer',
  async (name) => {
    const query = `query ($id: ID!) { note(id: $id) { ${name}: comments(first: 1) { nodes { content } } } }`;
    const { data, errors } = await w.owner.run(query, { id: noteId });
    expect(errors).toEqual([]);
    expect(data.note).toEqual({ [name]: { nodes: [{ content: 'one' }] } });
  },
);

test('the rows of one page are asked for several lists of one name', async () => {
  const query = `query ($id: ID!) { space(by: { id: $id }) { notes(first: 1) {
    edges { node { x: comments(first: 3) { nodes { content } } y: comments(first: 2) { nodes { content } } } }
    nodes { x: comments(last: 1) { nodes { id } pageInfo { hasPreviousPage } } y: links(first: 1) { nodes { id } } }
    more: nodes { x: author { name } } } } }`;
  const { data, errors } = await w.owner.run(query, { id: w.space.id });
  expect(errors).toEqual([]);
  expect(data.space.notes).toEqual({
    edges: [
      {
        node: {
          x: { nodes: [{ content: 'one' }, { content: 'two' }, { content: 'three' }] },
          y: { nodes: [{ content: 'one' }, { content: 'two' }] },
        },
      },
    ],
    nodes: [{ x: { nodes: [{ id: expect.any(String) }], pageInfo: { hasPreviousPage: true } }, y: { nodes: [] } }],
    more: [{ x: { name: 'Edda' } }],
  });
});

test('a list of the same name that goes on from a cursor is another list', async () => {
  const query = `query ($id: ID!, $after: String) { space(by: { id: $id }) { notes(first: 1) {
    edges { node { x: comments(first: 1) { nodes { content } pageInfo { endCursor } } } }
    nodes { x: comments(first: 1, after: $after) { nodes { content } } } } } }`;
  const first = (await w.owner.run(query, { id: w.space.id })).data.space.notes;
  expect(first.nodes[0].x.nodes).toEqual([{ content: 'one' }]);
  const after = first.edges[0].node.x.pageInfo.endCursor;
  const { data } = await w.owner.run(query, { id: w.space.id, after });
  expect(data.space.notes.edges[0].node.x.nodes).toEqual([{ content: 'one' }]);
  expect(data.space.notes.nodes[0].x.nodes).toEqual([{ content: 'two' }]);
});

test('an argument that may not be null is told at its list', async () => {
  const query = `query ($id: ID!, $by: TaskOrder = PRIORITY) { space(by: { id: $id }) { name tasks(orderBy: $by) { nodes { id } } } }`;
  const { data, errors } = await w.owner.run(query, { id: w.space.id, by: null });
  expect(data).toEqual({ space: null });
  expect(errors).toMatchObject([{ path: ['space', 'tasks'], extensions: { code: 'BAD_USER_INPUT' } }]);
});

test.each([
  'tasks(filter: { type: "\\u0000" })',
  'notes(filter: { authorId: "\\u0000" })',
  'posts(filter: { authorId: "\\u0000" })',
  'files(filter: { mimeType: "\\u0000" })',
])('%s is told at its list', async (list) => {
  const query = `query ($id: ID!) { space(by: { id: $id }) { name ${list} { nodes { id } } } }`;
  const { errors } = await w.owner.run(query, { id: w.space.id });
  const name = list.slice(0, list.indexOf('('));
  expect(errors).toMatchObject([{ path: ['space', name], extensions: { code: 'BAD_USER_INPUT' } }]);
});

test('who wrote something is told wherever the viewer knows them from', async () => {
  const here = await newSpace(w.owner);
  const elsewhere = await newSpace(w.owner);
  const gone = await w.member('Gina', here.id, 'EDITOR');
  await w.app.database.prisma.spaceMember.create({ data: { userId: gone.id, spaceId: elsewhere.id, role: 'VIEWER' } });
  w.app.memory.forgetAll();
  const write = `mutation ($i: WriteTreeNodeInput!) { writeTreeNode(input: $i) { treeNode { id } } }`;
  const made = await gone.run(write, { i: { spaceId: here.id, path: '/a', value: 1 } });
  expect(made.errors).toEqual([]);
  await w.app.database.prisma.spaceMember.deleteMany({ where: { userId: gone.id, spaceId: here.id } });
  w.app.memory.forgetAll();
  const one = await w.owner.run('query ($id: ID!) { node(id: $id) { ... on TreeNode { createdBy { name } } } }', {
    id: made.data.writeTreeNode.treeNode.id,
  });
  expect(one.data.node).toEqual({ createdBy: { name: 'Gina' } });
  const all = await w.owner.run('query ($id: ID!) { tree(spaceId: $id) { nodes { path createdBy { name } } } }', {
    id: here.id,
  });
  expect(all.data.tree.nodes).toContainEqual({ path: '/a', createdBy: { name: 'Gina' } });
});

test('however many lists are asked for, side by side and below each other, a statement has so many only', async () => {
  const lists = `tasks { nodes { id comments { nodes { id replies { nodes { id } } } } } } notes { nodes { id links { nodes { id } } comments { nodes { content } } } }
    files { nodes { id versions { nodes { id } } grants { nodes { id } } comments { nodes { id } } } } chats { nodes { messages { nodes { id } } } }`;
  const spaces = Array.from({ length: 30 }, (_, at) => `a${at}: spaces(first: ${at + 1}) { nodes { ...lists } }`).join(
    ' ',
  );
  const query = `query ($id: ID!) { organization(by: { id: $id }) { ${spaces} } } fragment lists on Space { id ${lists} }`;
  const { data, errors, sql } = await w.owner.run(query, { id: w.organization.id });
  expect(errors).toEqual([]);
  for (const text of sql) expect(text.split(' as "*').length - 1).toBeLessThanOrEqual(32);
  const { tasks, notes } = data.organization.a29.nodes.find(({ id }: { id: string }) => id === w.space.id);
  expect(tasks.nodes).toHaveLength(3);
  expect(notes.nodes[0].comments.nodes).toEqual([{ content: 'one' }, { content: 'two' }, { content: 'three' }]);
});

test('lists whose rows could be more than an answer holds are read level by level', async () => {
  const query = (first: number) => `query ($id: ID!) { space(by: { id: $id }) {
    notes(first: ${first}) { nodes { comments(first: 100) { nodes { replies(first: 100) { nodes { id } } } } } } } }`;
  await w.owner.run(query(1), { id: w.space.id });
  expect((await w.owner.run(query(10), { id: w.space.id })).sql).toHaveLength(1);
  const { errors, sql } = await w.owner.run(query(11), { id: w.space.id });
  expect(errors).toEqual([]);
  expect(sql).toHaveLength(2);
});

test.each(['0000-12-31T23:59:59Z', '9999-12-31T23:59:59-00:01', '0001-01-01T00:00:00+00:01'])(
  '%s is no instant that every client can read',
  async (dueAt) => {
    const { errors } = await tasksOf(w.owner, w.space.id).create({ title: 'odd', dueAt });
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
  },
);

test.each(['0001-01-01T00:00:00.000Z', '9999-12-31T23:59:59.999Z'])('%s comes back from a list', async (dueAt) => {
  await tasksOf(w.owner, w.otherSpace.id).made({ title: 'odd', dueAt });
  const query = 'query ($id: ID!) { space(by: { id: $id }) { tasks(first: 1) { nodes { dueAt } } } }';
  const { data, errors } = await w.owner.run(query, { id: w.otherSpace.id });
  expect(errors).toEqual([]);
  expect(data.space.tasks.nodes).toEqual([{ dueAt }]);
});
