import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { type Door, documents, doorOf, filesOf } from '../support/files.js';
import { notesOf } from '../support/knowledge.js';
import { newComment, newDraft, postsOf } from '../support/posts.js';
import { invite, newSpace } from '../support/tenancy.js';
import { type Person, type World, world } from '../support/world.js';

let w: World;
let door: Door;
let people: Readonly<Record<'author' | 'grantee' | 'other' | 'editor' | 'admin' | 'viewer' | 'demoted', Person>>;
let spaceId: string;
beforeAll(async () => {
  w = await world();
  door = await doorOf(w.app);
  spaceId = (await newSpace(w.owner)).id;
  people = {
    author: await w.member('Ada', spaceId, 'EDITOR'),
    grantee: await w.member('Greg', spaceId, 'VIEWER'),
    other: await w.member('Otis', spaceId, 'COMMENTER'),
    editor: await w.member('Ed', spaceId, 'EDITOR'),
    admin: await w.member('Ann', spaceId, 'ADMIN'),
    viewer: await w.member('Vic', spaceId, 'VIEWER'),
    demoted: await w.member('Dee', spaceId, 'EDITOR'),
  };
});
afterAll(async () => {
  await door.close();
  await w.close();
});

interface Told {
  readonly type: string;
  readonly resourceId: string;
  readonly related: object;
}

const follow =
  'subscription ($id: ID!, $after: EventCursor) { events(spaceId: $id, after: $after) { ... on Event { type resourceId related } } }';
const read = `query ($id: ID!, $after: EventCursor) { events(spaceId: $id, after: $after, first: 3) {
  nodes { type resourceId related } edges { cursor node { resourceId } } pageInfo { hasNextPage endCursor } } }`;

/** Types of the events that name one of these ids. */
const about = (told: readonly Told[], ids: readonly string[]) =>
  told.filter((one) => ids.some((id) => JSON.stringify(one).includes(id))).map(({ type }) => type);

/** Everything that is told until a note is made. */
async function upTo(stream: Awaited<ReturnType<Person['hear']>>, noteId: string): Promise<Told[]> {
  const told: Told[] = [];
  for (;;) {
    const { events } = await stream.next();
    if (events.resourceId === noteId) break;
    if (events.type) told.push(events);
  }
  await stream.stop();
  return told;
}

/** The whole log, page by page: each is full but the last. */
async function logOf(person: Person): Promise<Told[]> {
  const told: Told[] = [];
  for (let after: string | null = null; ; ) {
    const { data } = await person.run(read, { id: spaceId, after });
    const { nodes, edges, pageInfo } = data.events;
    told.push(...nodes);
    if (!pageInfo.hasNextPage) return told;
    expect(nodes).toHaveLength(3);
    expect(edges.at(-1).cursor).toBe(pageInfo.endCursor);
    after = pageInfo.endCursor;
  }
}

/** What each of some people hears of these ids: as it happens, on coming back to it, and in the log. */
async function heardBy(names: readonly (keyof typeof people)[], change: () => Promise<readonly string[]>) {
  const live = await Promise.all(names.map((name) => people[name].hear(follow, { id: spaceId })));
  const ids = await change();
  const marker = await notesOf(people.editor, spaceId).note('The end');
  const heard: Record<string, { live: string[]; replayed: string[]; read: string[] }> = {};
  for (const [at, name] of names.entries()) {
    const stream = live[at];
    if (!stream) throw new Error('Nobody listens.');
    const told = await upTo(stream, marker.id);
    const start = Buffer.from('0.0').toString('base64url');
    const replayed = await upTo(await people[name].hear(follow, { id: spaceId, after: start }), marker.id);
    heard[name] = {
      live: about(told, ids),
      replayed: about(replayed, ids),
      read: about(await logOf(people[name]), ids),
    };
  }
  return heard;
}

const everywhere = (types: readonly string[]) => ({ live: types, replayed: types, read: types });

describe('of a file that is private', () => {
  const upload = ['upload.started'];
  const all = [
    'file.ready',
    'file.updated',
    'file.granted',
    'file.granted',
    'comment.created',
    'comment.updated',
    'link.created',
    'link.deleted',
    'link.created',
    'comment.deleted',
    'file.revoked',
    'file.deleted',
    'link.deleted',
  ];

  test('its owner hears all, who it is shared with all but whom else, and others in the space nothing', async () => {
    const heard = await heardBy(['author', 'grantee', 'other', 'editor', 'admin', 'viewer'], async () => {
      const { author, grantee, other } = people;
      const files = filesOf(author, spaceId, door);
      const session = await files.started(Buffer.from('Sow.'), { name: 'secret.txt', visibility: 'PRIVATE' });
      await files.put({ url: `${session.url}` }, Buffer.from('Sow.'));
      const completed = await files.complete(session.id);
      const { id } = completed.data.completeUpload.file;
      await files.run(documents.update, { id, version: 1, name: 'more-secret.txt' });
      await files.run(documents.grant, { fileId: id, user: { id: grantee.id }, permission: 'READ' });
      const shared = await files.run(documents.grant, { fileId: id, user: { id: other.id }, permission: 'READ' });
      const comment = await newComment(author, id, 'Look.');
      await postsOf(author).editComment({ id: comment.id, version: 1, content: 'Look here.' });
      const notes = notesOf(author, spaceId);
      const note = await notes.note('Seen by all');
      const link = await notes.linked(note.id, id);
      await notes.unlink(link.id);
      await notes.linked(note.id, id);
      await postsOf(author).removeComment({ id: comment.id, version: 2 });
      await files.run(documents.revoke, { id: shared.data.grantAccess.accessGrant.id });
      await files.run(documents.remove, { id, version: 2 });
      await w.runJobs();
      return [id, session.id, comment.id];
    });
    expect(heard).toEqual({
      author: everywhere([...upload, ...all]),
      // Asked when it is told: what happened before it was shared is told to who comes to it later.
      grantee: everywhere(all.filter((type, at) => type !== 'file.revoked' && at !== 3)),
      other: everywhere([]),
      editor: everywhere([]),
      admin: everywhere([]),
      viewer: everywhere([]),
    });
  });
});

describe('of a draft', () => {
  test('those who write hear all, and others nothing, not even once it is gone', async () => {
    const heard = await heardBy(['author', 'editor', 'viewer', 'other'], async () => {
      const posts = postsOf(people.author);
      const { id } = await newDraft(people.author, spaceId);
      await posts.update({ id, version: 1, title: 'New' });
      const comment = await newComment(people.author, id, 'Good?');
      const note = await notesOf(people.author, spaceId).note('Seen by all');
      await notesOf(people.author, spaceId).linked(note.id, id);
      await posts.remove({ id, version: 2 });
      return [id, comment.id];
    });
    const all = ['post.created', 'post.updated', 'comment.created', 'link.created', 'link.deleted', 'post.deleted'];
    expect(heard).toEqual({
      author: everywhere(all),
      editor: everywhere(all),
      viewer: everywhere([]),
      other: everywhere([]),
    });
  });

  test('its author hears of its end also where they write no more', async () => {
    const demote = 'mutation ($input: UpdateSpaceMemberInput!) { updateSpaceMember(input: $input) { eventCursor } }';
    const heard = await heardBy(['demoted', 'viewer'], async () => {
      const { id } = await newDraft(people.demoted, spaceId);
      const input = { spaceId, userId: people.demoted.id, role: 'VIEWER', version: 1 };
      expect((await w.owner.run(demote, { input })).code).toBeNull();
      await postsOf(people.editor).remove({ id, version: 1 });
      return [id];
    });
    expect(heard).toEqual({ demoted: everywhere(['post.created', 'post.deleted']), viewer: everywhere([]) });
  });

  test('everybody hears once it is published, also of its end', async () => {
    const heard = await heardBy(['author', 'viewer'], async () => {
      const posts = postsOf(people.author);
      const { id } = await newDraft(people.author, spaceId);
      await posts.publish({ id, version: 1 });
      await newComment(people.other, id, 'Good.');
      await posts.remove({ id, version: 2 });
      return [id];
    });
    const all = ['post.created', 'post.published', 'comment.created', 'post.deleted'];
    expect(heard['author']).toEqual(everywhere(all));
    expect(heard['viewer']?.live.slice(-3)).toEqual(all.slice(-3));
    expect(heard['viewer']).toMatchObject({ replayed: all, read: all });
  });
});

test('who comes back hears nothing of what is hidden while they are being told', async () => {
  const files = filesOf(people.author, spaceId, door);
  const { note } = notesOf(people.author, spaceId);
  const bytes = Buffer.from('Sow beans.');
  const hear = (person: Person, more: object = {}) => person.hear(follow, { id: spaceId, ...more });
  // What the author has heard, this process has read.
  const heard = await hear(people.author);
  const { eventCursor: after } = (await files.start(bytes, { name: 'other.txt' })).data.startUpload;
  const { id } = await files.upload(bytes, { name: 'soon hidden.txt' });
  for (const version of [1, 2]) await files.run(documents.update, { id, version, name: `soon hidden ${version}.txt` });
  await upTo(heard, (await note('So far')).id);
  const [live, back] = [await hear(people.author), await hear(people.viewer, { after })];
  expect((await back.next()).events).toMatchObject({ type: 'file.ready', resourceId: id });
  await files.run(documents.update, { id, version: 3, visibility: 'PRIVATE' });
  const end = await note('The end');
  await upTo(live, end.id);
  expect(about(await upTo(back, end.id), [id])).toEqual([]);
});

test('an offer is told to the admins, who came by it to everybody', async () => {
  const newcomer = await w.person('Nell');
  const heard = await heardBy(['admin', 'viewer'], async () => {
    const offer = await invite(people.admin, newcomer, { spaceId, spaceRole: 'VIEWER' });
    await offer.accept();
    return [offer.id, newcomer.id];
  });
  expect(heard).toEqual({
    admin: everywhere(['invitation.created', 'invitation.accepted', 'space.memberAdded']),
    viewer: everywhere(['space.memberAdded']),
  });
});

test('a page costs one statement more for each kind of thing on it that not everybody sees', async () => {
  const statements = async (spaceId: string) => (await w.owner.run(read, { id: spaceId })).sql.length;
  const [plain, mixed] = [await newSpace(w.owner), await newSpace(w.owner)];
  for (let n = 0; n < 4; n += 1) {
    await notesOf(w.owner, plain.id).note(`Note ${n}`);
    await filesOf(w.owner, mixed.id, door).upload(Buffer.from('Sow.'), { name: `${n}.txt` });
  }
  await eventually(async () => expect(await statements(mixed.id)).toBe((await statements(plain.id)) + 2));
});
