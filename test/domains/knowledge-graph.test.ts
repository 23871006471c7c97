import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { notesOf } from '../support/knowledge.js';
import { planModes, planOf } from '../support/plans.js';
import { make, newSpace } from '../support/tenancy.js';
import { type World, world } from '../support/world.js';

let w: World;
let notes: ReturnType<typeof notesOf>;
beforeAll(async () => {
  w = await world();
  notes = notesOf(w.editor, w.space.id);
});
afterAll(() => w.close());

/** Notes linked one after the other: the ids. */
async function chain(length: number): Promise<string[]> {
  const ids: string[] = [];
  for (let at = 0; at < length; at += 1) ids.push((await notes.note(`n${at}`)).id);
  for (const [at, id] of ids.slice(1).entries()) await notes.linked(ids[at] ?? '', id);
  return ids;
}

const around = async (root: string, more: object = {}) => {
  const { data, errors } = await notes.graph(root, more);
  expect(errors).toEqual([]);
  const { nodes, links } = data.graph;
  return { nodes: nodes.map(({ id }: { id: string }) => id) as string[], links: links.length as number };
};

test('each level of links leads one further, at most five', async () => {
  const ids = await chain(7);
  const [root = ''] = ids;
  for (const depth of [0, 1, 2, 3, 4, 5])
    expect(await around(root, { depth })).toEqual({ nodes: ids.slice(0, depth + 1), links: depth });
  for (const depth of [-1, 6]) expect(await notes.graph(root, { depth })).toMatchObject({ code: 'BAD_USER_INPUT' });
  for (const first of [0, 1_001]) expect(await notes.graph(root, { first })).toMatchObject({ code: 'BAD_USER_INPUT' });
});

test('links are followed against their direction too', async () => {
  const ids = await chain(3);
  expect((await around(ids[2] ?? '')).nodes).toEqual([...ids].reverse());
});

test('a circle is gone round once, and all its links are told', async () => {
  const ids = await chain(4);
  await notes.linked(ids[3] ?? '', ids[0] ?? '');
  await notes.linked(ids[0] ?? '', ids[3] ?? '', { kind: 'again' });
  const { nodes, links } = await around(ids[0] ?? '', { depth: 5 });
  expect([...nodes].sort()).toEqual([...ids].sort());
  expect({ count: nodes.length, links }).toEqual({ count: 4, links: 5 });
});

test('it has no more things than asked for, the nearest and most strongly linked ones', async () => {
  const hub = await notes.note('hub');
  const far = await notes.note('far');
  for (const score of [0.3, 0.9, 0.6]) {
    const spoke = await notes.note(`spoke ${score}`);
    const { id } = await notes.linked(hub.id, spoke.id);
    await notes.linked(spoke.id, far.id);
    await w.app.database.query('update "Link" set score = $2 where id = $1', [id, score]);
  }
  const read =
    'query ($root: ID!) { graph(root: $root, depth: 3, first: 3) { nodes { ... on Note { title } } links { id } } }';
  const { graph } = (await w.viewer.run(read, { root: hub.id })).data;
  expect(graph.nodes).toEqual([{ title: 'hub' }, { title: 'spoke 0.9' }, { title: 'spoke 0.6' }]);
  expect(graph.links).toHaveLength(2);
});

test('nothing is hidden behind what a removed member could see', async () => {
  const [a = ''] = await chain(2);
  expect(await notesOf(w.stranger, w.space.id).graph(a)).toMatchObject({ code: 'NOT_FOUND' });
  expect(await notesOf(w.nobody, w.space.id).graph(a)).toMatchObject({ code: 'UNAUTHENTICATED' });
});

test('a level leads no further by what the viewer may not see', async () => {
  const [note, behind] = [await notes.note('note'), await notes.note('behind')];
  const { post } = await make<{ post: { id: string } }>(
    w.editor,
    'mutation ($input: CreatePostInput!) { createPost(input: $input) { post { id } } }',
    { spaceId: w.space.id, title: 'Draft' },
  );
  await notes.linked(note.id, post.id, { kind: 'cites' });
  await notes.linked(behind.id, post.id, { kind: 'cites' });
  const read = `query ($root: ID!, $depth: Int!) { graph(root: $root, depth: $depth) {
    nodes { __typename ... on Note { id } ... on Post { id } } links { source { __typename ... on Note { id } } target { ... on Post { id } } } } }`;
  const by = async (person: typeof w.viewer, depth: number) =>
    (await person.run(read, { root: note.id, depth })).data.graph;
  const link = (from: { id: string }) => ({ source: { __typename: 'Note', id: from.id }, target: { id: post.id } });
  const nodes = [
    { __typename: 'Note', id: note.id },
    { __typename: 'Post', id: post.id },
    { __typename: 'Note', id: behind.id },
  ];
  expect(await by(w.editor, 1)).toEqual({ nodes: nodes.slice(0, 2), links: [link(note)] });
  expect(await by(w.editor, 2)).toEqual({ nodes, links: expect.arrayContaining([link(note), link(behind)]) });
  expect(await by(w.viewer, 5)).toEqual({ nodes: nodes.slice(0, 1), links: [] });
});

describe('ten thousand links', () => {
  const size = 2_000;
  const idOf = (at: number) => `note_${`${at}`.padStart(26, '0')}`;
  beforeAll(async () => {
    const { id: spaceId } = await newSpace(w.editor);
    await w.app.database.query(
      `insert into "Note" (id, "spaceId", title, content) select 'note_' || lpad(i::text, 26, '0'), $1, 'n' || i, '' from generate_series(0, $2::int - 1) i`,
      [spaceId, size],
    );
    // Each note has five links, to notes that are spread over all of them.
    await w.app.database.query(
      `insert into "Link" (id, "spaceId", "sourceType", "sourceId", "targetType", "targetId", kind, origin)
        select 'link_' || lpad((i * 5 + k)::text, 26, '0'), $1, 'Note', 'note_' || lpad(i::text, 26, '0'), 'Note',
          'note_' || lpad((abs(hashint4(i * 5 + k)) % $2)::text, 26, '0'), 'k' || k, 'MANUAL'
        from generate_series(0, $2::int - 1) i, generate_series(0, 4) k where abs(hashint4(i * 5 + k)) % $2 <> i`,
      [spaceId, size],
    );
    await w.app.database.query('analyze "Note", "Link"', []);
  });

  const three = { depth: 3, first: 1_000 };

  test('three levels take one statement each, and little time', async () => {
    await notes.graph(idOf(1), three);
    const spent: { wall: number; cpu: number }[] = [];
    for (let round = 0; round < 5; round += 1) {
      const [began, used] = [performance.now(), process.cpuUsage()];
      const { data, sql } = await notes.graph(idOf(1), three);
      const { user, system } = process.cpuUsage(used);
      spent.push({ wall: performance.now() - began, cpu: (user + system) / 1_000 });
      expect(data.graph.nodes.length).toBeGreaterThan(500);
      // The root, three levels and the links between what was found, whose ids alone are asked for.
      expect(sql).toHaveLength(5);
    }
    const best = (of: 'wall' | 'cpu') => Math.min(...spent.map((one) => one[of]));
    process.stdout.write(
      `graph: 3 levels of 10,000 links in ${best('wall').toFixed(0)} ms, ${best('cpu').toFixed(0)} ms of this process\n`,
    );
    // 200 ms on a machine of its own.
    expect(best('wall')).toBeLessThan(5_000);
  });

  test('what is asked for besides takes as few statements as there are things', async () => {
    const read = `query ($root: ID!, $depth: Int!, $first: Int!) { graph(root: $root, depth: $depth, first: $first) {
      nodes { ... on Note { id title } } links { id kind source { ... on Note { title } } target { ... on Note { title } } } } }`;
    const { data, sql } = await w.editor.run(read, { root: idOf(1), ...three });
    const titles = new Set(data.graph.nodes.map((node: { title: string }) => node.title));
    for (const { source, target } of data.graph.links)
      expect([titles.has(source.title), titles.has(target.title)]).toEqual([true, true]);
    // Things are read five hundred at a time.
    expect(sql.length).toBeLessThanOrEqual(7);
  });

  test.each(planModes)('links are found by index, and each is looked at once (%s)', async (mode) => {
    const isMeant = (text: string) => text.includes('"Link" t');
    const lines = await planOf(w.app, () => notes.graph(idOf(1), three), isMeant, mode);
    const links = lines.filter((line) => / on "Link" t/.test(line));
    expect(links.length).toBeGreaterThanOrEqual(7);
    for (const line of links) expect(line).toMatch(/Index.*Scan/);
    // Joined one by one, a thousand things and their links would be looked at a million times.
    for (const line of lines) {
      const [, removed = '0'] = /Rows Removed by Join Filter: (\d+)/.exec(line) ?? [];
      expect(Number(removed)).toBe(0);
    }
  });
});
