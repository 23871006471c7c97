import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { contextIn } from '../support/another-app.js';
import { eventually } from '../support/eventually.js';
import { newComment, newDraft, newPost, postsOf } from '../support/posts.js';
import { newSpace } from '../support/tenancy.js';
import { type Person, viewerOf, type World, world } from '../support/world.js';

let w: World;
beforeAll(async () => {
  w = await world();
});
afterAll(() => w.close());

const hostile = '<script>alert(1)</script>\n<img src=x onerror="alert(2)"> {{7*7}} \' OR 1=1 -- \u202e javascript:x \t';

test('a new post is a draft with a slug and an excerpt of its own', async () => {
  const made = await postsOf(w.editor).create({
    spaceId: w.space.id,
    title: ' Crème brûlée & Straßenkäse! ',
    content: '# Heading\n\n- one\n- two\n',
  });
  expect(made).toMatchObject({
    data: {
      createPost: {
        eventCursor: expect.any(String),
        post: {
          slug: 'creme-brulee-strassenkase',
          title: 'Crème brûlée & Straßenkäse!',
          content: '# Heading\n\n- one\n- two\n',
          excerpt: 'Heading one two',
          isPublished: false,
          publishedAt: null,
          viewCount: 0,
          version: 1,
          author: { id: w.editor.id },
        },
      },
    },
  });
});

test('what an organization’s key writes has no author', async () => {
  const key = w.client(viewerOf('', { userId: null, apiKeyId: 'key_test', organizationId: w.organization.id }));
  const { id } = await newPost(key, w.space.id);
  const { id: commentId } = await newComment(key, id, 'by a program');
  expect(await postsOf(w.viewer).read({ id })).toMatchObject({ author: null, comments: { totalCount: 1 } });
  expect(await postsOf(key).editComment({ id: commentId, version: 1, content: 'x' })).toMatchObject({
    code: 'FORBIDDEN',
  });
});

test('text that means something elsewhere comes back unchanged', async () => {
  const { id } = await newPost(w.editor, w.space.id, { title: hostile.trim(), content: hostile, excerpt: '<b>x</b>' });
  await newComment(w.commenter, id, hostile);
  expect(await postsOf(w.viewer).read({ id })).toMatchObject({
    title: hostile.trim(),
    content: hostile,
    excerpt: '<b>x</b>',
    comments: { nodes: [{ content: hostile }] },
  });
});

test('an excerpt follows the content until the author gives one', async () => {
  const mine = postsOf(w.editor);
  const { id } = await newDraft(w.editor, w.space.id, { content: 'First words.' });
  const excerpt = async (version: number, change: object) => {
    const { data, errors } = await mine.update({ id, version, ...change });
    expect(errors).toEqual([]);
    return data.updatePost.post.excerpt;
  };
  expect(await excerpt(1, { content: 'Other words.' })).toBe('Other words.');
  expect(await excerpt(2, { excerpt: ' In short. ' })).toBe('In short.');
  expect(await excerpt(3, { content: `${'word '.repeat(100)}end` })).toBe('In short.');
  const made = await excerpt(4, { excerpt: ' ' });
  expect(made).toMatch(/^(word ){38}word…$/);
  expect(await excerpt(5, { content: '𝒳'.repeat(300) })).toBe(`${'𝒳'.repeat(99)}…`);
  expect(await excerpt(6, { excerpt: 'x', content: ' \n ' })).toBe('x');
  expect(await excerpt(7, { excerpt: null })).toBeNull();
});

test('an excerpt that is made has the words of a content, not its Markdown', async () => {
  const excerpt = async (content: string) => {
    const { id } = await newDraft(w.editor, w.space.id, { content });
    const read = 'query ($id: ID!) { post(by: { id: $id }) { excerpt content } }';
    const { post } = (await w.editor.run(read, { id })).data;
    expect(post.content).toBe(content);
    return post.excerpt;
  };
  expect(await excerpt('**Sow** _beans_ in [May](https://example.com/may), `deep` ![a bed](bed.png)\\.')).toBe(
    'Sow beans in May, deep a bed.',
  );
  expect(
    await excerpt(
      '- [x] dig\n- sow\n\n> water *well*\n\n| what | when |\n|---|---|\n| beans | May |\n\n---\n\n```js\ngrow()\n```',
    ),
  ).toBe('dig sow water well what when beans May grow()');
  expect(await excerpt('2 * 3 < 7, snake_case & <b>bold</b>')).toBe('2 * 3 < 7, snake_case & bold');
  expect(await excerpt('<!-- nothing -->')).toBeNull();
  for (const marks of ['> ', '- ', '[', '_*']) expect((await excerpt(marks.repeat(900))) ?? '').not.toMatch(/\s\s/);
});

test('input that breaks rules is refused, each field by name', async () => {
  const answer = await postsOf(w.editor).create({
    spaceId: w.space.id,
    title: '  ',
    content: 'x'.repeat(100_001),
    excerpt: 'x'.repeat(501),
  });
  expect(answer).toMatchObject({ code: 'BAD_USER_INPUT' });
  const fields = answer.errors[0].extensions.fields.map(({ path }: { path: string }) => path);
  expect(fields.sort()).toEqual(['content', 'excerpt', 'title']);
  const draft = await newDraft(w.editor, w.space.id);
  for (const change of [{ title: null }, { content: null }, { slug: null }, { content: 'a\u0000' }])
    expect(await postsOf(w.editor).update({ ...draft, slug: undefined, version: 1, ...change })).toMatchObject({
      code: 'BAD_USER_INPUT',
    });
});

test('twenty posts of one title at once get twenty slugs, without a gap', async () => {
  const made = await Promise.all(
    Array.from({ length: 20 }, () => newDraft(w.editor, w.space.id, { title: 'Sowing, again' })),
  );
  const slugs = made.map(({ slug }) => slug).sort();
  const numbered = Array.from({ length: 19 }, (_, at) => `sowing-again-${at + 2}`);
  expect(slugs).toEqual(['sowing-again', ...numbered].sort());
});

const slugTaken = { code: 'CONFLICT', errors: [{ extensions: { fields: [{ path: 'slug' }] } }] };

test('a slug is free or numbered, also where it is long, taken by hand or has no Latin letter', async () => {
  const slugOf = async (title: string, more: object = {}) =>
    (await newDraft(w.editor, w.space.id, { title, ...more })).slug;
  expect(await slugOf('x', { slug: 'by-hand-2' })).toBe('by-hand-2');
  expect(await slugOf('By hand')).toBe('by-hand');
  expect(await slugOf('By hand')).toBe('by-hand-3');
  const long = `${'long'.repeat(15)} and more`;
  expect(await slugOf(long)).toBe(`${'long'.repeat(15)}-an`);
  expect(await slugOf(long)).toBe(`${'long'.repeat(15)}-2`);
  expect(await slugOf(long)).toBe(`${'long'.repeat(15)}-3`);
  expect(await slugOf('種まき')).toBe('post');
  expect(await slugOf('種まき')).toBe('post-2');
  expect(await postsOf(w.editor).create({ spaceId: w.space.id, title: 'x', slug: 'by-hand' })).toMatchObject(slugTaken);
  const other = await newSpace(w.editor);
  expect((await newDraft(w.editor, other.id, { title: 'By hand' })).slug).toBe('by-hand');
});

test('a slug given by hand is changed to a free one only', async () => {
  const [one, two] = [await newDraft(w.editor, w.space.id), await newDraft(w.editor, w.space.id)];
  const mine = postsOf(w.editor);
  expect(await mine.update({ id: one.id, version: 1, slug: two.slug })).toMatchObject(slugTaken);
  expect(await mine.update({ id: two.id, version: 1, slug: two.slug })).toMatchObject({ code: null });
  expect(await mine.update({ id: one.id, version: 1, slug: 'moved-here', title: 'Other' })).toMatchObject({
    data: { updatePost: { post: { slug: 'moved-here', title: 'Other', version: 2 } } },
  });
  expect(await mine.read({ slug: { spaceId: w.space.id, slug: 'moved-here' } })).toMatchObject({ id: one.id });
});

test('of two changes to one version, the second is refused and told the version', async () => {
  const { id } = await newDraft(w.editor, w.space.id);
  const mine = postsOf(w.editor);
  const change = { id, version: 1, title: 'New' };
  const answers = await Promise.all([mine.update(change), mine.update(change)]);
  expect(answers.map(({ code }) => code).sort()).toEqual(['CONFLICT', null]);
  for (const again of [mine.update, mine.publish, mine.remove])
    expect(await again({ id, version: 1 })).toMatchObject({
      code: 'CONFLICT',
      errors: [{ extensions: { currentVersion: 2 } }],
    });
});

test('publishing shows a post, unpublishing hides it, and neither happens twice', async () => {
  const { id } = await newDraft(w.editor, w.space.id);
  const mine = postsOf(w.editor);
  expect(await postsOf(w.viewer).read({ id })).toBeNull();
  expect(await mine.unpublish({ id, version: 1 })).toMatchObject({ code: 'CONFLICT' });
  expect(await mine.publish({ id, version: 1 })).toMatchObject({
    data: { publishPost: { post: { isPublished: true, publishedAt: expect.any(String), version: 2 } } },
  });
  expect(await mine.publish({ id, version: 2 })).toMatchObject({ code: 'CONFLICT' });
  expect(await postsOf(w.viewer).read({ id })).toMatchObject({ isPublished: true });
  expect(await mine.unpublish({ id, version: 2 })).toMatchObject({
    data: { unpublishPost: { post: { isPublished: false, publishedAt: null, version: 3 } } },
  });
  expect(await postsOf(w.viewer).read({ id })).toBeNull();
});

test('a deleted post takes its comments along and frees its slug, and a repeated call hears so again', async () => {
  const { id } = await newPost(w.editor, w.space.id, { title: 'Short lived' });
  const top = await newComment(w.commenter, id, 'top');
  await newComment(w.editor, id, 'reply', top.id);
  const document = `mutation ($input: DeletePostInput!) { deletePost(input: $input) @idempotent(key: "gone-${id}") { deletedPostId } }`;
  const first = await w.editor.run(document, { input: { id, version: 2 } });
  expect(first).toMatchObject({ data: { deletePost: { deletedPostId: id } } });
  expect((await w.editor.run(document, { input: { id, version: 2 } })).data).toEqual(first.data);
  expect(await postsOf(w.editor).remove({ id, version: 2 })).toMatchObject({ code: 'NOT_FOUND' });
  const left = await w.app.database.query(`select id from "Comment" where "subjectId" = $1`, [id]);
  expect(left).toEqual([]);
  expect((await newDraft(w.editor, w.space.id, { title: 'Short lived' })).slug).toBe('short-lived');
});

test('what happens to a post is in the log of its space', async () => {
  const space = await newSpace(w.owner);
  const mine = postsOf(w.owner);
  const { id } = await newDraft(w.owner, space.id);
  await mine.update({ id, version: 1, title: 'New' });
  await mine.publish({ id, version: 2 });
  await mine.unpublish({ id, version: 3 });
  await mine.remove({ id, version: 4 });
  const log = 'query ($id: ID!, $after: EventCursor) { events(spaceId: $id, after: $after) { nodes { type } } }';
  const first = Buffer.from('0.0').toString('base64url');
  await eventually(async () => {
    const { data } = await w.owner.run(log, { id: space.id, after: first });
    expect(data.events.nodes.map(({ type }: { type: string }) => type)).toEqual([
      'space.created',
      'post.created',
      'post.updated',
      'post.published',
      'post.unpublished',
      'post.deleted',
    ]);
  });
});

test('SQL and Prisma agree on who sees which post', async () => {
  const open = await newSpace(w.owner, { visibility: 'PUBLIC' });
  for (const spaceId of [open.id, w.space.id]) {
    await newPost(w.owner, spaceId);
    await newDraft(w.owner, spaceId);
  }
  const { id } = await newDraft(w.editor, w.space.id);
  await w.app.database.query('update "Post" set "authorId" = $1 where id = $2', [w.viewer.id, id]);
  const keyed = (person: Person) => w.client(viewerOf(person.id, { apiKeyId: 'k', spaceIds: new Set([w.space.id]) }));
  for (const person of [w.owner, w.editor, w.commenter, w.viewer, w.stranger, w.nobody, keyed(w.viewer)]) {
    const seen: string[] = [];
    for (const space of [open.id, w.space.id])
      for (const post of (await postsOf(person).list(space, { first: 100 }))?.nodes ?? []) seen.push(post.id);
    const rows = await contextIn(w.app, person.viewer).db.post.findMany({
      where: { spaceId: { in: [open.id, w.space.id] } },
      select: { id: true },
    });
    expect(rows.map((row) => row.id).sort()).toEqual(seen.sort());
    expect(seen.includes(id)).toBe([w.owner.id, w.editor.id, w.viewer.id].includes(person.id));
  }
});
