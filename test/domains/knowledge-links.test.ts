import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newId } from '../../src/core/ids.js';
import { behind } from '../../src/core/operation.js';
import { commit } from '../../src/core/write.js';
import { eventually } from '../support/eventually.js';
import { notesOf } from '../support/knowledge.js';
import { planOf } from '../support/plans.js';
import { make, newSpace } from '../support/tenancy.js';
import { treeOf } from '../support/tree.js';
import { viewerOf, type World, world } from '../support/world.js';

let w: World;
let notes: ReturnType<typeof notesOf>;
beforeAll(async () => {
  w = await world();
  notes = notesOf(w.editor, w.space.id);
});
afterAll(() => w.close());

const changed =
  'subscription ($id: ID!, $after: EventCursor) { linksChanged(id: $id, after: $after) { type linkId sourceId targetId link { kind } } }';
const pathOf = async (path: string) =>
  (await treeOf(w.editor, w.space.id).put(path, 1)).data.writeTreeNode.treeNode.id as string;
const idsOf = (links: readonly { id: string }[]) => links.map(({ id }) => id);

/** Links in the database, whatever anyone sees. */
const kept = async (id: string) => {
  const [row] = await w.app.database.query<{ n: number }>(
    'select count(*)::int as n from "Link" where "sourceId" = $1 or "targetId" = $1',
    [id],
  );
  return row?.n;
};

test('a note and a tree node are linked, and each tells of it from its side', async () => {
  const [note, node] = [await notes.note('Beans'), await pathOf('/beds/north')];
  const link = await notes.linked(note.id, node, { kind: 'grows-in' });
  expect(link).toMatchObject({
    kind: 'grows-in',
    origin: 'MANUAL',
    score: null,
    sharedKeywords: [],
    source: { __typename: 'Note', id: note.id },
    target: { __typename: 'TreeNode', id: node },
  });
  const read = `query ($id: ID!) { node(id: $id) { ... on TreeNode { links { totalCount nodes { id } }
    incoming: links(direction: INCOMING) { totalCount } outgoing: links(direction: OUTGOING) { totalCount } } } }`;
  expect((await w.viewer.run(read, { id: node })).data.node).toEqual({
    links: { totalCount: 1, nodes: [{ id: link.id }] },
    incoming: { totalCount: 1 },
    outgoing: { totalCount: 0 },
  });
});

test('links are picked by direction, kind and score, the strongest first, in pages', async () => {
  const [hub, a, b, c] = [await notes.note('hub'), await notes.note('a'), await notes.note('b'), await notes.note('c')];
  const made = [
    await notes.linked(hub.id, a.id, { kind: 'cites' }),
    await notes.linked(b.id, hub.id, { kind: 'cites' }),
    await notes.linked(hub.id, c.id),
  ];
  const scores = [0.5, 0.9, 0.2];
  for (const [at, { id }] of made.entries())
    await w.app.database.query('update "Link" set score = $2 where id = $1', [id, scores[at]]);
  const [first, second, third] = idsOf(made);
  expect(idsOf(await notes.seen(hub.id))).toEqual([second, first, third]);
  expect(idsOf(await notes.seen(hub.id, { direction: 'OUTGOING' }))).toEqual([first, third]);
  expect(idsOf(await notes.seen(hub.id, { direction: 'INCOMING' }))).toEqual([second]);
  expect(idsOf(await notes.seen(hub.id, { kind: 'cites' }))).toEqual([second, first]);
  expect(idsOf(await notes.seen(hub.id, { minScore: 0.5 }))).toEqual([second, first]);
  expect(idsOf(await notes.seen(hub.id, { minScore: 0.6, kind: 'cites' }))).toEqual([second]);
  const { pageInfo, totalCount } = (await notes.links(hub.id, { first: 2 })).data.node.links;
  expect({ totalCount, more: pageInfo.hasNextPage }).toEqual({ totalCount: 3, more: true });
  expect(idsOf(await notes.seen(hub.id, { first: 2, after: pageInfo.endCursor }))).toEqual([third]);
  expect(await notes.links(hub.id, { minScore: 1.5 })).toMatchObject({ code: 'BAD_USER_INPUT' });
});

test('two things are linked once in each direction and kind, and nothing with itself', async () => {
  const [a, b] = [await notes.note('a'), await notes.note('b')];
  await notes.linked(a.id, b.id);
  expect(await notes.link(a.id, b.id)).toMatchObject({ code: 'CONFLICT' });
  expect(await notes.link(b.id, a.id)).toMatchObject({ code: null });
  expect(await notes.link(a.id, b.id, { kind: 'cites' })).toMatchObject({ code: null });
  expect(await notes.link(a.id, a.id)).toMatchObject({ code: 'BAD_USER_INPUT' });
  expect(await notes.link(a.id, b.id, { kind: 'Not A Slug' })).toMatchObject({ code: 'BAD_USER_INPUT' });
  expect(await notes.link(a.id, w.space.id)).toMatchObject({ code: 'NOT_FOUND' });
});

test('both ends are in one space', async () => {
  const other = await newSpace(w.editor);
  const [here, there] = [await notes.note('here'), await notesOf(w.editor, other.id).note('there')];
  expect(await notes.link(here.id, there.id)).toMatchObject({
    code: 'BAD_USER_INPUT',
    errors: [{ extensions: { fields: [{ path: 'targetId' }] } }],
  });
  expect(await notesOf(w.admin, w.space.id).link(here.id, there.id)).toMatchObject({ code: 'NOT_FOUND' });
});

test('a link goes with a note at its end, and followers of the other end hear it', async () => {
  const [a, b] = [await notes.note('a'), await notes.note('b')];
  const heard = await w.viewer.hear(changed, { id: b.id });
  const link = await notes.linked(a.id, b.id);
  const ends = { linkId: link.id, sourceId: a.id, targetId: b.id };
  expect(await heard.next()).toEqual({ linksChanged: { type: 'link.created', ...ends, link: { kind: 'related' } } });
  await notes.remove({ id: a.id, version: 1 });
  expect(await heard.next()).toEqual({ linksChanged: { type: 'link.deleted', ...ends, link: null } });
  await heard.stop();
  expect(await kept(b.id)).toBe(0);
});

test('a link with a deleted tree node is gone at once, and swept away soon', async () => {
  const [note, node] = [await notes.note('a'), await pathOf('/swept')];
  const link = await notes.linked(note.id, node);
  await treeOf(w.editor, w.space.id).remove('/swept');
  expect(await notes.seen(note.id)).toEqual([]);
  expect(await w.owner.run('query ($id: ID!) { node(id: $id) { id } }', { id: link.id })).toMatchObject({
    data: { node: null },
  });
  expect(await notes.link(note.id, node)).toMatchObject({ code: 'NOT_FOUND' });
  await w.runJobs();
  expect(await kept(note.id)).toBe(0);
});

test('the node of a link that is being deleted takes the link along, whichever comes first', async () => {
  for (let round = 0; round < 5; round += 1) {
    const [a, b] = [await notes.note('a'), await notes.note('b')];
    await Promise.all([notes.link(a.id, b.id), notes.remove({ id: b.id, version: 1 })]);
    expect(await kept(a.id)).toBe(0);
  }
});

test('a deleted link is gone, once', async () => {
  const [a, b] = [await notes.note('a'), await notes.note('b')];
  const { id } = await notes.linked(a.id, b.id);
  expect(await notes.unlink(id)).toMatchObject({ data: { deleteLink: { deletedLinkId: id } } });
  expect(await notes.unlink(id)).toMatchObject({ code: 'NOT_FOUND' });
  expect(await notes.seen(a.id)).toEqual([]);
});

test('a link with an end that the viewer may not see does not exist for them, wherever they look', async () => {
  const secret = await notesOf(w.owner, (await newSpace(w.owner)).id).note('secret');
  const [seen, other] = [await notes.note('seen'), await notes.note('other')];
  const link = newId('link');
  // No way leads to a link between two spaces.
  await commit(behind(w.app), 'link.write', { space: w.space.id }, null, async (tx) => {
    await tx.sql`insert into "Link" (id, "spaceId", "sourceType", "sourceId", "targetType", "targetId", kind, origin)
      values (${link}, ${w.space.id}, 'Note', ${seen.id}, 'Note', ${secret.id}, 'hides', 'MANUAL')`;
    tx.emit('link.created', 'Link', link, { sourceId: seen.id, targetId: secret.id });
  });
  const open = await notes.linked(seen.id, other.id);
  const by = async (person: typeof w.viewer) => {
    const theirs = notesOf(person, w.space.id);
    const { nodes, totalCount } = (await theirs.links(seen.id)).data.node.links;
    const { graph } = (await theirs.graph(seen.id)).data;
    const { data } = await person.run('query ($id: ID!) { node(id: $id) { id } nodes(ids: [$id]) { id } }', {
      id: link,
    });
    return [idsOf(nodes).sort(), totalCount, idsOf(graph.nodes).length, idsOf(graph.links).sort(), data];
  };
  const both = [link, open.id].sort();
  expect(await by(w.owner)).toEqual([both, 2, 3, both, { node: { id: link }, nodes: [{ id: link }] }]);
  expect(await by(w.viewer)).toEqual([[open.id], 1, 2, [open.id], { node: null, nodes: [null] }]);
  const missing = { ...(await notes.unlink(newId('link'))), sql: [] };
  const hidden = { ...(await notes.unlink(link)), sql: [] };
  const bare = (answer: object) => JSON.stringify(answer).replace(/"requestId":"[^"]*"/, '');
  expect(bare(hidden)).toBe(bare(missing));
  expect(await notes.graph(secret.id)).toMatchObject({ code: 'NOT_FOUND' });
});

test('a link with a draft is there for those who see the draft, and for all once it is published', async () => {
  const note = await notes.note('seen');
  const createPost = 'mutation ($input: CreatePostInput!) { createPost(input: $input) { post { id } } }';
  const publish = 'mutation ($input: PublishPostInput!) { publishPost(input: $input) { post { id } } }';
  const removePost = 'mutation ($input: DeletePostInput!) { deletePost(input: $input) { deletedPostId } }';
  const { post } = await make<{ post: { id: string } }>(w.editor, createPost, { spaceId: w.space.id, title: 'Draft' });
  const heard = await w.viewer.hear(changed, { id: note.id });
  const { id } = await notes.linked(note.id, post.id, { kind: 'cites' });
  const open = await notes.linked(note.id, (await notes.note('open')).id);
  const read = `query ($note: ID!, $post: ID!, $link: ID!) { note(id: $note) { links { totalCount nodes { target { ... on Post { title } } } } }
    graph(root: $note, depth: 1) { links { kind } } node(id: $link) { id } post(by: { id: $post }) { links(kind: "cites") { totalCount } } }`;
  const by = async (person: typeof w.viewer) => {
    const { data } = await person.run(read, { note: note.id, post: post.id, link: id });
    return [data.note.links.totalCount, data.graph.links.length, data.node?.id, data.post?.links.totalCount];
  };
  expect(await by(w.editor)).toEqual([2, 2, id, 1]);
  expect(await by(w.viewer)).toEqual([1, 1, undefined, undefined]);
  expect(await heard.next()).toMatchObject({ linksChanged: { linkId: open.id } });
  await heard.stop();
  await w.editor.run(publish, { input: { id: post.id, version: 1 } });
  expect(await by(w.viewer)).toEqual([2, 2, id, 1]);
  await w.editor.run(removePost, { input: { id: post.id, version: 2 } });
  expect(await by(w.viewer)).toEqual([1, 1, undefined, undefined]);
  expect(await kept(post.id)).toBe(0);
});

test('a link with a file is there for those who see the file, as long as it is there', async () => {
  const note = await notes.note('seen');
  const file = {
    id: newId('file'),
    spaceId: w.space.id,
    ownerId: w.editor.id,
    path: '/plan.pdf',
    parentPath: '/',
    name: 'plan.pdf',
  };
  const bytes = { mimeType: 'application/pdf', sizeBytes: 1, checksum: 'x', visibility: 'PRIVATE' as const };
  await w.app.database.prisma.file.create({ data: { ...file, ...bytes } });
  const { id } = await notes.linked(note.id, file.id, { kind: 'shows' });
  const read = `query ($note: ID!, $link: ID!, $file: ID!) { note(id: $note) { links { totalCount nodes { target { ... on File { name } } } } }
    node(id: $link) { id } file(id: $file) { links { totalCount } } }`;
  const by = async (person: typeof w.viewer) => {
    const { data, errors } = await person.run(read, { note: note.id, link: id, file: file.id });
    expect(errors).toEqual([]);
    return [data.note.links, data.node?.id, data.file?.links.totalCount];
  };
  expect(await by(w.editor)).toEqual([{ totalCount: 1, nodes: [{ target: { name: 'plan.pdf' } }] }, id, 1]);
  expect(await by(w.viewer)).toEqual([{ totalCount: 0, nodes: [] }, undefined, undefined]);
  expect((await notesOf(w.admin, w.space.id).link(note.id, file.id)).code).toBe('NOT_FOUND');
  await w.app.database.query(`update "File" set "deletedAt" = now() where id = $1`, [file.id]);
  expect(await by(w.editor)).toEqual([{ totalCount: 0, nodes: [] }, undefined, undefined]);
});

test('a key that may not read the tree gets no tree node out of a link', async () => {
  const [note, node] = [await notes.note('a'), await pathOf('/closed')];
  await notes.linked(note.id, node);
  const key = w.client(viewerOf(w.editor.id, { apiKeyId: newId('key'), scopes: new Set(['knowledge:read']) }));
  const read = 'query ($id: ID!) { note(id: $id) { links { nodes { target { ... on TreeNode { path } } } } } }';
  expect(await key.run(read, { id: note.id })).toMatchObject({ code: 'FORBIDDEN' });
});

test('a follower who comes back with a cursor has missed nothing', async () => {
  const [a, b] = [await notes.note('a'), await notes.note('b')];
  const made = await notes.link(a.id, b.id);
  const { link, eventCursor } = made.data.createLink;
  await notes.unlink(link.id);
  await eventually(async () => {
    const heard = await w.viewer.hear(changed, { id: b.id, after: eventCursor });
    const types = [];
    while (types.at(-1) !== 'link.deleted') types.push((await heard.next()).linksChanged.type);
    expect(types).toContain('link.deleted');
    await heard.stop();
  });
});

test('the links of a thing that has very many are read in their order, and no further than the page', async () => {
  const { id: spaceId } = await newSpace(w.editor);
  const theirs = notesOf(w.editor, spaceId);
  const hub = await theirs.note('hub');
  await w.app.database.query(
    `with note as (insert into "Note" (id, "spaceId", title, content) select 'note_far' || i, $1, 'n', '' from generate_series(1, 5000) i returning id)
      insert into "Link" (id, "spaceId", "sourceType", "sourceId", "targetType", "targetId", kind, origin)
      select 'link_' || id, $1, 'Note', $2, 'Note', id, 'related', 'MANUAL' from note`,
    [spaceId, hub.id],
  );
  await w.app.database.query('analyze "Note", "Link"', []);
  const lines = await planOf(
    w.app,
    () => theirs.links(hub.id, { first: 10 }),
    (text) => text.includes('"endId"') && !text.includes('count(*)'),
  );
  const read = lines.filter((line) => /Index.*Scan.* on "Link"/.test(line));
  expect(read).toHaveLength(2);
  for (const line of read) expect(Number(/rows=([\d.]+) loops=1\)$/.exec(line)?.[1])).toBeLessThanOrEqual(12);
});
