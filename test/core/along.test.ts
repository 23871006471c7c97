import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { tasksOf } from '../support/tasks.js';
import { newSpace } from '../support/tenancy.js';
import { type World, world } from '../support/world.js';

let w: World;
beforeAll(async () => {
  w = await world();
  const spaces = [w.space.id, (await newSpace(w.owner)).id, (await newSpace(w.owner)).id];
  for (const spaceId of spaces) {
    for (const title of ['first', 'second', 'third']) {
      await tasksOf(w.owner, spaceId).made({ title, assigneeId: title === 'second' ? null : w.owner.id });
      await note(spaceId, title);
    }
  }
  await tasksOf(w.owner, w.space.id).made({ title: 'theirs', assigneeId: w.editor.id });
});
afterAll(() => w.close());

const note = (spaceId: string, title: string) =>
  w.owner.run('mutation ($i: CreateNoteInput!) { createNote(input: $i) { note { id } } }', {
    i: { spaceId, title, content: title },
  });

test('spaces with their tasks, their notes and the people of both take one statement', async () => {
  const query = `{ viewer { spaces(first: 10) { nodes { name
    tasks(first: 10) { nodes { title assignee { name } } } notes(first: 10) { nodes { title author { name } } } } } } }`;
  await w.owner.run(query);
  const { data, errors, sql } = await w.owner.run(query);
  expect(errors).toEqual([]);
  expect(sql).toHaveLength(1);
  const beds = data.viewer.spaces.nodes.find(({ name }: { name: string }) => name === 'Beds');
  expect(beds.tasks.nodes).toEqual([
    { title: 'theirs', assignee: { name: 'Edda' } },
    { title: 'third', assignee: { name: 'Olga' } },
    { title: 'second', assignee: null },
    { title: 'first', assignee: { name: 'Olga' } },
  ]);
  expect(beds.notes.nodes[0]).toEqual({ title: 'third', author: { name: 'Olga' } });
});

test('a space with its tasks and the people of each takes one statement, whatever is asked of whom', async () => {
  const query = `query ($id: ID!) { space(by: { id: $id }) { tasks(first: 1) { edges { cursor node {
    ...people who: assignee { __typename handle } assignee { name } } } } } }
    fragment people on Task { assignee { id } owner { name } }`;
  await w.viewer.run(query, { id: w.space.id });
  const { data, errors, sql } = await w.viewer.run(query, { id: w.space.id });
  expect(errors).toEqual([]);
  expect(sql).toHaveLength(1);
  expect(data.space.tasks.edges[0]).toEqual({
    cursor: expect.any(String),
    node: {
      assignee: { id: w.editor.id, name: 'Edda' },
      who: { __typename: 'User', handle: expect.stringMatching(/^edda-/) },
      owner: { name: 'Olga' },
    },
  });
});

test('instants, numbers and stored JSON of a page are those of the row itself', async () => {
  const dueAt = '2027-03-04T05:06:07.080Z';
  const { id } = await tasksOf(w.owner, w.otherSpace.id).made({ title: 'ä "quoted" \\ \u2028', dueAt, priority: -7 });
  const fields = 'title dueAt finishedAt createdAt priority owner { name handle }';
  const page = (more: string) =>
    `query ($id: ID!) { space(by: { id: $id }) { tasks(first: 1) { nodes { ${fields} ${more} } } } }`;
  const one = await w.owner.run(`query ($id: ID!) { task(id: $id) { ${fields} parameters } }`, { id });
  const { parameters, ...plain } = one.data.task;
  expect(plain).toMatchObject({ dueAt, finishedAt: null, priority: -7, createdAt: expect.stringMatching(/Z$/) });
  const asked = { id: w.otherSpace.id };
  expect((await w.owner.run(page(''), asked)).data.space.tasks.nodes).toEqual([plain]);
  expect((await w.owner.run(page('parameters'), asked)).data.space.tasks.nodes).toEqual([{ ...plain, parameters }]);
});

test('a page that was asked for its cursors goes on where it ended, in either direction', async () => {
  const query = `query ($id: ID!, $after: String, $before: String, $last: Int, $first: Int) { space(by: { id: $id }) {
    tasks(first: $first, last: $last, after: $after, before: $before) { nodes { title owner { id } } pageInfo { endCursor startCursor } } } }`;
  const page = async (args: object) => (await w.owner.run(query, { id: w.space.id, ...args })).data.space.tasks;
  const titles = ({ nodes }: { nodes: readonly { title: string }[] }) => nodes.map(({ title }) => title);
  const first = await page({ first: 2 });
  expect(titles(first)).toEqual(['theirs', 'third']);
  const rest = await page({ first: 2, after: first.pageInfo.endCursor });
  expect(titles(rest)).toEqual(['second', 'first']);
  expect(titles(await page({ last: 2, before: rest.pageInfo.startCursor }))).toEqual(['theirs', 'third']);
});

test('who may not see a person is not shown them along with what they wrote', async () => {
  const open = await newSpace(w.admin, { visibility: 'PUBLIC' });
  const make = 'mutation ($i: CreateNoteInput!) { createNote(input: $i) { note { id } } }';
  const member = await w.member('Mina', open.id, 'EDITOR');
  const made = await member.run(make, { i: { spaceId: open.id, title: 'hers', content: 'x' } });
  expect(made.errors).toEqual([]);
  const list = 'query ($id: ID!) { space(by: { id: $id }) { notes { nodes { title author { name } } } } }';
  const one = 'query ($id: ID!) { note(id: $id) { title author { name } } }';
  const seen = { title: 'hers', author: { name: 'Mina' } };
  const hidden = { title: 'hers', author: null };
  for (const [person, expected] of [
    [w.admin, seen],
    [w.stranger, hidden],
    [w.nobody, hidden],
  ] as const) {
    expect((await person.run(list, { id: open.id })).data.space.notes.nodes).toEqual([expected]);
    if (person.viewer)
      expect((await person.run(one, { id: made.data.createNote.note.id })).data.note).toEqual(expected);
  }
});
