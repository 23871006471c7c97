import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { App, Ctx, Viewer } from '../../src/core/context.js';
import { newId } from '../../src/core/ids.js';
import { contextFor } from '../../src/core/operation.js';
import { post } from '../../src/domains/posts/service.js';
import { postViews } from '../../src/domains/posts/views.js';
import { cleanUp } from '../../src/jobs/clean-up.js';
import { anotherApp } from '../support/another-app.js';
import { eventually } from '../support/eventually.js';
import { newDraft, newPost, postsOf } from '../support/posts.js';
import { newSpace } from '../support/tenancy.js';
import { viewerOf, type World, world } from '../support/world.js';

const hourMs = 60 * 60 * 1_000;
let later = 0;
const now = () => new Date(Date.now() + later);

let w: World;
beforeAll(async () => {
  w = await world({ now });
});
afterAll(() => w.close());

const readIn = (app: App, viewer: Viewer | null, id: string, ip: string | null = null): Promise<object | null> =>
  post(contextFor(app, viewer, { requestId: 'view', ip }) as Ctx, { id });

async function countOf(id: string, app: App = w.app): Promise<number> {
  const [row] = await app.database.query<{ viewCount: number }>('select "viewCount" from "Post" where id = $1', [id]);
  return row?.viewCount ?? -1;
}

async function publicPost() {
  const space = await newSpace(w.owner, { visibility: 'PUBLIC' });
  return (await newPost(w.owner, space.id)).id;
}

test('a reader counts once an hour, an anonymous one by their address', async () => {
  const id = await publicPost();
  for (const _ of [1, 2, 3]) await readIn(w.app, w.viewer.viewer, id);
  await readIn(w.app, viewerOf(w.viewer.id, { apiKeyId: newId('key') }), id);
  for (const ip of ['192.0.2.1', '192.0.2.2', '192.0.2.1', null, null]) await readIn(w.app, null, id, ip);
  await postViews(w.app).flush();
  expect(await countOf(id)).toBe(4);
  await readIn(w.app, w.viewer.viewer, id);
  await postViews(w.app).flush();
  expect(await countOf(id)).toBe(4);
  later = hourMs;
  await readIn(w.app, w.viewer.viewer, id);
  await postViews(w.app).flush();
  expect(await countOf(id)).toBe(5);
  expect(await postsOf(w.viewer).read({ id })).toMatchObject({ viewCount: 5, version: 2 });
});

test('lists, drafts and what is not seen are no views', async () => {
  const id = await publicPost();
  const draft = await newDraft(w.editor, w.space.id);
  await postsOf(w.editor).read({ id: draft.id });
  await postsOf(w.stranger).read({ id: (await newPost(w.editor, w.space.id)).id });
  await w.viewer.run('query ($id: ID!) { node(id: $id) { ... on Post { content } } }', { id });
  await postViews(w.app).flush();
  expect([await countOf(id), await countOf(draft.id)]).toEqual([0, 0]);
});

test('a view is not written while its reader waits', async () => {
  const id = await publicPost();
  const query = 'query ($id: ID!) { post(by: { id: $id }) { title } }';
  await w.viewer.run(query, { id: newId('post') });
  const { sql } = await w.viewer.run(query, { id });
  expect(sql).toEqual([expect.stringMatching(/^select .* join "Post" t/s)]);
  await eventually(async () => expect(await countOf(id)).toBe(1));
});

test('two processes count the same readers once, ten thousand views of them exactly', async () => {
  const ids = [await publicPost(), await publicPost()];
  const other = await anotherApp(w.databaseUrl, now);
  try {
    const readers = Array.from({ length: 40 }, () => viewerOf(newId('user')));
    const reads = readers.flatMap((reader) =>
      [w.app, other.app].flatMap((app) => ids.map((id) => readIn(app, reader, id))),
    );
    expect((await Promise.all(reads)).every(Boolean)).toBe(true);
    // Half of them are seen by both processes.
    for (let at = 0; at < 7_500; at += 1) for (const id of ids) postViews(w.app).note(id, `reader ${at}`);
    for (let at = 2_500; at < 10_000; at += 1) for (const id of ids) postViews(other.app).note(id, `reader ${at}`);
    await Promise.all([postViews(w.app).flush(), postViews(other.app).flush()]);
    await Promise.all([postViews(w.app).flush(true), postViews(other.app).flush(true)]);
    for (const id of ids) expect(await countOf(id)).toBe(10_040);
  } finally {
    await other.close();
  }
});

test('somebody who changes a post holds up no counting, and what is held up is counted later', async () => {
  const [busy, free] = [await publicPost(), await publicPost()];
  await w.app.database.transaction(
    async (query) => {
      await query('select id from "Post" where id = $1 for no key update', [busy]);
      for (const id of [busy, free]) await readIn(w.app, w.viewer.viewer, id);
      await postViews(w.app).flush();
      expect([await countOf(busy), await countOf(free)]).toEqual([0, 1]);
    },
    { snapshot: false },
  );
  await postViews(w.app).flush();
  expect([await countOf(busy), await countOf(free)]).toEqual([1, 1]);
});

test('a process that ends writes down what it has seen', async () => {
  const id = await publicPost();
  const other = await anotherApp(w.databaseUrl, now);
  await readIn(other.app, w.viewer.viewer, id);
  await other.close();
  expect(await countOf(id)).toBe(1);
});

test('views of a post that has been deleted are forgotten, and those of the others counted', async () => {
  const [gone, id] = [await publicPost(), await publicPost()];
  for (const each of [gone, id]) await readIn(w.app, w.viewer.viewer, each);
  await postsOf(w.owner).remove({ id: gone, version: 2 });
  await postViews(w.app).flush();
  expect(await countOf(id)).toBe(1);
  expect(w.lines.join()).not.toContain('Views of posts');
});

test('who has read what is kept for a day, and never by name', async () => {
  const id = await publicPost();
  await readIn(w.app, w.viewer.viewer, id);
  await postViews(w.app).flush();
  const kept = () => w.app.database.query<{ viewerKey: string }>('select * from "PostView" where "postId" = $1', [id]);
  expect(await kept()).toHaveLength(1);
  expect(JSON.stringify(await kept())).not.toContain(w.viewer.id);
  later += 23 * hourMs;
  await cleanUp(w.app);
  expect(await kept()).toHaveLength(1);
  later += 3 * hourMs;
  await cleanUp(w.app);
  expect(await kept()).toEqual([]);
  expect(await countOf(id)).toBe(1);
});
