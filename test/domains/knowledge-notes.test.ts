import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { notesOf } from '../support/knowledge.js';
import { planOf } from '../support/plans.js';
import { newSpace } from '../support/tenancy.js';
import { type World, world } from '../support/world.js';

let w: World;
beforeAll(async () => {
  w = await world();
});
afterAll(() => w.close());

const list = `query ($id: ID!, $filter: NoteFilter, $orderBy: NoteOrder! = NEWEST, $first: Int, $after: String) { space(by: { id: $id }) {
  notes(filter: $filter, orderBy: $orderBy, first: $first, after: $after) { totalCount pageInfo { hasNextPage endCursor } nodes { title } } } }`;

async function titles(id: string, more: object = {}): Promise<string[]> {
  const { data } = await w.viewer.run(list, { id, ...more });
  return data.space.notes.nodes.map(({ title }: { title: string }) => title);
}

/** A space that the world's viewer reads. */
async function readable() {
  const { id } = await newSpace(w.owner, { visibility: 'PUBLIC' });
  return { id, notes: notesOf(w.owner, id) };
}

test('a note comes back as it was written, with what it is about', async () => {
  const notes = notesOf(w.editor, w.space.id);
  const content = '# Beans\r\n\r\n* climb\t🌱 \u200f עברית <b>&amp;</b>\n\n```js\nlet a = `b`;\n```\n   ';
  const { id } = await notes.note('  Beans in spring ', { content });
  expect(await notesOf(w.viewer, w.space.id).read(id)).toMatchObject({
    data: {
      note: { title: 'Beans in spring', content, version: 1, keywords: expect.arrayContaining(['beans', 'spring']) },
    },
  });
});

test('chosen keywords are kept in lower case, each once', async () => {
  const note = await notesOf(w.editor, w.space.id).note('Beans', { keywords: [' #Soil', 'soil', 'Raised  Beds'] });
  expect(note.keywords).toEqual(['soil', 'raised beds']);
});

test('chosen keywords stay when the text changes, found ones follow it, and null gives them back to it', async () => {
  const notes = notesOf(w.editor, w.space.id);
  const chosen = await notes.note('Beans', { keywords: ['legumes'] });
  const found = await notes.note('Beans');
  const change = async (input: object) => (await notes.update(input)).data.updateNote.note.keywords;
  expect(await change({ id: chosen.id, version: 1, title: 'Peas' })).toEqual(['legumes']);
  expect(await change({ id: found.id, version: 1, title: 'Peas' })).toEqual(['peas']);
  expect(await change({ id: chosen.id, version: 2, keywords: null })).toEqual(['peas']);
  expect(await change({ id: found.id, version: 2, keywords: [] })).toEqual([]);
});

test.each([
  [{ title: '  ' }, 'BAD_USER_INPUT', 'title'],
  [{ title: 'x'.repeat(201) }, 'BAD_USER_INPUT', 'title'],
  [{ title: 'a', content: 'b\u0000c' }, 'BAD_USER_INPUT', 'content'],
  [{ title: 'a', content: '\ud800' }, 'BAD_USER_INPUT', 'content'],
  [{ title: 'a', content: 'é'.repeat(131_073) }, 'PAYLOAD_TOO_LARGE', 'content'],
  [{ title: 'a', keywords: ['ok', ' # '] }, 'BAD_USER_INPUT', 'keywords.1'],
  [{ title: 'a', keywords: ['x'.repeat(65)] }, 'BAD_USER_INPUT', 'keywords.0'],
  [{ title: 'a', keywords: Array.from({ length: 33 }, (_, at) => `k${at}`) }, 'BAD_USER_INPUT', 'keywords'],
])('%# a note that breaks a rule is refused, and the field is named', async (input, code, path) => {
  const answer = await notesOf(w.editor, w.space.id).create(input);
  expect(answer).toMatchObject({ code, errors: [{ extensions: { fields: [{ path }] } }] });
});

test('a note of the largest size is kept, whatever words it is made of', async () => {
  const notes = notesOf(w.editor, w.space.id);
  const bytes = 256 * 1024;
  const fill = (make: (at: number) => string) => {
    let text = '';
    for (let at = 0; text.length < bytes; at += 1) text += make(at);
    return text.slice(0, bytes);
  };
  const short = (at: number) => at.toString(36).padStart(3, '0');
  const texts = [
    fill((at) => `${short(at)} `),
    fill((at) => `${short(at)}-${short(at * 7)} `),
    fill((at) => `a${short(at)}.bb/${short(at)} `),
    fill((at) => `${short(at)}@${short(at)}.cc `),
    fill(() => 'x'),
  ];
  for (const content of texts) {
    const { data, errors } = await notes.create({ title: 'Large', content });
    expect(errors).toEqual([]);
    expect(data.createNote.note.content === content).toBe(true);
  }
});

test('of two changes to one version, the second is refused and told the version', async () => {
  const notes = notesOf(w.editor, w.space.id);
  const { id } = await notes.note('Beans');
  const change = { id, version: 1, title: 'Peas' };
  expect(await notes.update(change)).toMatchObject({ data: { updateNote: { note: { title: 'Peas', version: 2 } } } });
  expect(await notes.update(change)).toMatchObject({
    code: 'CONFLICT',
    errors: [{ extensions: { currentVersion: 2 } }],
  });
  expect(await notes.remove({ id, version: 1 })).toMatchObject({ code: 'CONFLICT' });
  expect(await notes.remove({ id, version: 2 })).toMatchObject({ data: { deleteNote: { deletedNoteId: id } } });
  expect(await notes.read(id)).toMatchObject({ data: { note: null } });
  expect(await notes.remove({ id, version: 2 })).toMatchObject({ code: 'NOT_FOUND' });
});

test('a note is deleted in any case when no version is said', async () => {
  const notes = notesOf(w.editor, w.space.id);
  const { id } = await notes.note('Beans');
  await notes.update({ id, version: 1, title: 'Peas' });
  expect(await notes.remove({ id })).toMatchObject({ data: { deleteNote: { deletedNoteId: id } } });
});

test('who may do what with a note or a link can be asked', async () => {
  const notes = notesOf(w.editor, w.space.id);
  const [one, other] = [await notes.note('Beans'), await notes.note('Peas')];
  const link = await notes.linked(one.id, other.id);
  const ask = 'query ($id: ID!, $action: String!) { explainAccess(id: $id, action: $action) { allowed missing } }';
  for (const [id, action] of [
    [one.id, 'note.write'],
    [link.id, 'link.write'],
  ]) {
    expect((await w.editor.run(ask, { id, action })).data.explainAccess).toEqual({ allowed: true, missing: [] });
    expect((await w.viewer.run(ask, { id, action })).data.explainAccess).toEqual({
      allowed: false,
      missing: ['role EDITOR'],
    });
  }
});

test('notes are listed in the order that is asked for, in pages', async () => {
  const { id, notes } = await readable();
  const [first] = [await notes.note('a'), await notes.note('b'), await notes.note('c')];
  await notes.update({ id: first.id, version: 1, content: 'changed' });
  expect(await titles(id)).toEqual(['c', 'b', 'a']);
  expect(await titles(id, { orderBy: 'OLDEST' })).toEqual(['a', 'b', 'c']);
  expect(await titles(id, { orderBy: 'LAST_CHANGED' })).toEqual(['a', 'c', 'b']);
  for (const orderBy of ['NEWEST', 'OLDEST', 'LAST_CHANGED']) {
    const page = await w.viewer.run(list, { id, orderBy, first: 2 });
    const { endCursor: after } = page.data.space.notes.pageInfo;
    const rest = await w.viewer.run(list, { id, orderBy, first: 2, after });
    const all = [...page.data.space.notes.nodes, ...rest.data.space.notes.nodes].map((note) => note.title);
    expect(all).toEqual(await titles(id, { orderBy }));
    expect(rest.data.space.notes).toMatchObject({ totalCount: 3, pageInfo: { hasNextPage: false } });
  }
});

test('notes are found by a keyword in any case and number, and by their author', async () => {
  const { id, notes } = await readable();
  await notes.note('one', { keywords: ['Beans', 'soil'] });
  await notes.note('two', { keywords: ['bean'] });
  await notes.note('three', { keywords: ['soil'] });
  expect(await titles(id, { filter: { keyword: ' BEAN ' } })).toEqual(['two', 'one']);
  expect(await titles(id, { filter: { keyword: 'beans', authorId: w.owner.id } })).toEqual(['two', 'one']);
  expect(await titles(id, { filter: { keyword: 'beans', authorId: w.viewer.id } })).toEqual([]);
  expect(await titles(id, { filter: { authorId: w.owner.id }, orderBy: 'OLDEST' })).toEqual(['one', 'two', 'three']);
  expect(await titles(id, { filter: { keyword: 'soil' }, orderBy: 'LAST_CHANGED' })).toEqual(['three', 'one']);
  expect(await w.viewer.run(list, { id, filter: { keyword: ' ' } })).toMatchObject({ code: 'BAD_USER_INPUT' });
});

test('a cursor of one list is no cursor of another', async () => {
  const { id, notes } = await readable();
  for (const title of ['a', 'b']) await notes.note(title, { keywords: ['soil'] });
  const page = await w.viewer.run(list, { id, first: 1 });
  const { endCursor: after } = page.data.space.notes.pageInfo;
  const filter = { keyword: 'soil' };
  expect(await w.viewer.run(list, { id, first: 1, after, filter })).toMatchObject({ code: 'BAD_USER_INPUT' });
});

const wide = `query ($filter: NoteFilter) { viewer { spaces(first: 50) { nodes { notes(first: 3, filter: $filter) {
  totalCount nodes { title author { name } links(first: 2) { totalCount nodes { kind target { ... on Note { title } } } } } } } } } }`;

test.each([[null], [{ keyword: 'soil' }], [{ authorId: 'user_00000000000000000000000000' }]])(
  'notes of many spaces with authors and links take one statement a level: %j',
  async (filter) => {
    const fill = async () => {
      const { id } = await newSpace(w.admin);
      const notes = notesOf(w.admin, id);
      const made = [];
      for (const title of ['a', 'b', 'c', 'd']) made.push(await notes.note(title, { keywords: ['soil'] }));
      for (const note of made.slice(1)) await notes.linked(note.id, made[0]?.id ?? '');
    };
    await fill();
    const few = await w.admin.run(wide, { filter });
    for (const _ of [1, 2, 3]) await fill();
    const many = await w.admin.run(wide, { filter });
    expect(many.errors).toEqual([]);
    expect(many.sql.length).toBe(few.sql.length);
    expect(many.sql.length).toBeLessThanOrEqual(8);
  },
);

test('a keyword is looked up in an index, however many notes there are', async () => {
  const { id } = await newSpace(w.owner);
  await w.app.database.query(
    `with note as (insert into "Note" (id, "spaceId", title, content) select 'note_' || i, $1, 'n', '' from generate_series(1, 8000) i returning id)
      insert into "Keyword" ("spaceId", term, "resourceType", "resourceId", word)
      select $1, 'term' || (row_number() over () % 200), 'Note', id, 'word' from note`,
    [id],
  );
  await w.app.database.query('analyze "Note", "Keyword"', []);
  const lines = await planOf(
    w.app,
    () => w.owner.run(list, { id, filter: { keyword: 'term7' }, first: 10 }),
    (statement) => statement.includes('"Keyword" k') && !statement.includes('count(*)'),
  );
  const text = lines.join('\n');
  expect(text).toMatch(/Keyword_pkey/);
  expect(text).not.toMatch(/Seq Scan on "(Note|Keyword)"/);
});

test('who closes their account leaves what they wrote to the space, unnamed', async () => {
  const { id } = await newSpace(w.owner);
  const someone = await w.member('Sid', id, 'EDITOR');
  const note = await notesOf(someone, id).note('Beans');
  const other = await notesOf(w.owner, id).note('Peas');
  const link = await notesOf(someone, id).linked(note.id, other.id);
  const close = 'mutation { deleteUser(input: { mode: ANONYMIZE }) { deletedUserId } }';
  expect((await someone.run(close)).code).toBeNull();
  const read = `query ($note: ID!, $link: ID!) { note(id: $note) { title author { name } } link: node(id: $link) { ... on Link { kind createdBy { name } } } }`;
  expect(await w.owner.run(read, { note: note.id, link: link.id })).toMatchObject({
    data: { note: { title: 'Beans', author: null }, link: { kind: 'related', createdBy: null } },
  });
});
