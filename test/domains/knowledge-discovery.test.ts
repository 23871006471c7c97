import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { discoverLinks } from '../../src/jobs/discover-links.js';
import { anotherApp } from '../support/another-app.js';
import { notesOf } from '../support/knowledge.js';
import { newSpace } from '../support/tenancy.js';
import { treeOf } from '../support/tree.js';
import { type World, world } from '../support/world.js';

let w: World;
beforeAll(async () => {
  w = await world();
});
afterAll(() => w.close());

/** A space of its own, because what is common in a space decides what is related. */
async function garden(more: object = {}) {
  const { id } = await newSpace(w.editor, more);
  return { id, notes: notesOf(w.editor, id) };
}

const run = { signal: new AbortController().signal, attempt: 1, isLastAttempt: false };
const tomatoes = { content: 'Tomatoes want sun, and the greenhouse keeps them warm. Water tomatoes in the morning.' };
const greenhouse = { content: 'The greenhouse is for tomatoes and peppers: warm, and with water from the barrel.' };
const taxes = { content: 'The declaration is due in May; receipts lie in the blue folder.' };

/** All links of a space, as rows. */
const rows = (spaceId: string) =>
  w.app.database.query<object>('select * from "Link" where "spaceId" = $1 order by id', [spaceId]);
const eventsOf = async (spaceId: string, type: string) =>
  (await w.app.database.query('select seq from "Event" where "spaceId" = $1 and type = $2', [spaceId, type])).length;

test('a note is answered before what it is related to is looked for', async () => {
  const { id, notes } = await garden();
  await notes.note('Tomatoes', tomatoes);
  const note = await notes.note('Greenhouse', greenhouse);
  expect(note.linkStatus).toBe('PENDING');
  expect(await rows(id)).toEqual([]);
  await w.runJobs();
  expect((await notes.read(note.id)).data.note).toMatchObject({ linkStatus: 'READY', version: 1 });
});

test('related notes are linked, with a score and the reason; an unrelated one gets no link', async () => {
  const { notes } = await garden();
  const one = await notes.note('Tomatoes', tomatoes);
  const other = await notes.note('Greenhouse', greenhouse);
  const unrelated = await notes.note('Taxes', taxes);
  await w.runJobs();
  const [link, ...more] = await notes.seen(one.id);
  expect(more).toEqual([]);
  expect(link).toMatchObject({ kind: 'related', origin: 'AUTO' });
  expect([link?.source.id, link?.target.id].sort()).toEqual([one.id, other.id].sort());
  expect(link?.score).toBeGreaterThan(0.2);
  expect(link?.score).toBeLessThanOrEqual(1);
  expect(link?.sharedKeywords).toEqual(expect.arrayContaining(['greenhouse', 'tomatoes']));
  expect(await notes.seen(unrelated.id)).toEqual([]);
  expect((await notes.read(unrelated.id)).data.note.linkStatus).toBe('READY');
});

test('looking again changes nothing', async () => {
  const { id, notes } = await garden();
  const made = [await notes.note('Tomatoes', tomatoes), await notes.note('Greenhouse', greenhouse)];
  made.push(await notes.note('Peppers', greenhouse));
  await w.runJobs();
  const state = async () => [
    await rows(id),
    await eventsOf(id, 'link.created'),
    await eventsOf(id, 'link.updated'),
    await eventsOf(id, 'note.linked'),
  ];
  const before = await state();
  for (const { id: noteId } of [...made, ...made]) await discoverLinks(w.app, { spaceId: id, noteId }, run);
  await w.runJobs();
  expect(await state()).toEqual(before);
});

test('two notes that are written at once find each other, exactly once', async () => {
  const other = await anotherApp(w.databaseUrl);
  try {
    for (let round = 0; round < 5; round += 1) {
      const { id, notes } = await garden();
      const made = await Promise.all([
        notes.note('Tomatoes', tomatoes),
        notes.note('Greenhouse', greenhouse),
        notes.note('Warm tomatoes', tomatoes),
      ]);
      await Promise.all([
        ...made.map((note) => discoverLinks(w.app, { spaceId: id, noteId: note.id }, run)),
        ...made.map((note) => discoverLinks(other.app, { spaceId: id, noteId: note.id }, run)),
        w.runJobs(),
      ]);
      const pairs = (
        await w.app.database.query<{ pair: string }>(
          `select least("sourceId", "targetId") || greatest("sourceId", "targetId") as pair from "Link" where "spaceId" = $1`,
          [id],
        )
      ).map(({ pair }) => pair);
      expect(pairs).toHaveLength(3);
      expect(new Set(pairs).size).toBe(3);
    }
  } finally {
    await other.close();
  }
});

test('a link that no longer holds goes with the change of either note', async () => {
  const { notes } = await garden();
  const first = await notes.note('Tomatoes', tomatoes);
  await w.runJobs();
  const second = await notes.note('Greenhouse', greenhouse);
  await w.runJobs();
  const [link] = await notes.seen(first.id);
  expect(link?.source.id).toBe(second.id);
  // The one that was found, not the one that found.
  await notes.update({ id: first.id, version: 1, title: 'Taxes', ...taxes });
  await w.runJobs();
  expect(await notes.seen(second.id)).toEqual([]);
  await notes.update({ id: first.id, version: 2, title: 'Tomatoes', ...tomatoes });
  await w.runJobs();
  expect(await notes.seen(second.id)).toHaveLength(1);
});

test('who follows a note hears of a link within a second of its discovery', async () => {
  const { notes } = await garden();
  const first = await notes.note('Tomatoes', tomatoes);
  await w.runJobs();
  const heard = await w.editor.hear(
    'subscription ($id: ID!) { linksChanged(id: $id) { type link { score sharedKeywords } } }',
    {
      id: first.id,
    },
  );
  const { id } = await notes.note('Greenhouse', greenhouse);
  await w.runJobs();
  expect((await notes.seen(id)).length).toBe(1);
  const began = performance.now();
  expect(await heard.next()).toEqual({
    linksChanged: { type: 'link.created', link: { score: expect.any(Number), sharedKeywords: expect.any(Array) } },
  });
  expect(performance.now() - began).toBeLessThan(8_000);
  await heard.stop();
});

test('nothing is found in another space, not even a public one', async () => {
  const [here, there] = [await garden(), await garden({ visibility: 'PUBLIC' })];
  const one = await here.notes.note('Tomatoes', tomatoes);
  const other = await there.notes.note('Tomatoes', tomatoes);
  await w.runJobs();
  expect(await here.notes.seen(one.id)).toEqual([]);
  expect(await there.notes.seen(other.id)).toEqual([]);
});

test('a note finds the ten closest of those that are related', async () => {
  const { notes } = await garden();
  const topics = ['beans', 'soil', 'compost', 'shade'];
  for (let at = 0; at < 14; at += 1) await notes.note(`n${at}`, { keywords: at < 12 ? topics : topics.slice(0, 3) });
  await w.runJobs();
  const { id } = await notes.note('last', { keywords: topics });
  await w.runJobs();
  const found = await notes.seen(id, { direction: 'OUTGOING', first: 50 });
  expect(found).toHaveLength(10);
  expect(found.every(({ sharedKeywords }) => sharedKeywords.length === 4)).toBe(true);
});

test('what somebody takes away is not found again, and what somebody confirms is theirs', async () => {
  const { notes } = await garden();
  const [one, other] = [await notes.note('Tomatoes', tomatoes), await notes.note('Greenhouse', greenhouse)];
  await w.runJobs();
  const [found] = await notes.seen(one.id);
  await notes.unlink(found?.id ?? '');
  expect(await notes.seen(one.id)).toEqual([]);
  for (const [at, { id }] of [one, other].entries())
    await notes.update({ id, version: 1, content: `${tomatoes.content} ${at}` });
  await w.runJobs();
  expect(await notes.seen(one.id)).toEqual([]);
  const confirmed = await notes.linked(one.id, other.id);
  expect(confirmed).toMatchObject({ origin: 'MANUAL', source: { id: one.id }, score: expect.any(Number) });
  await notes.update({ id: one.id, version: 2, title: 'Taxes', ...taxes });
  await w.runJobs();
  expect(await notes.seen(one.id)).toMatchObject([{ id: confirmed.id, origin: 'MANUAL' }]);
});

test('what somebody has linked already is not linked again', async () => {
  const { notes } = await garden();
  const [one, other] = [await notes.note('Tomatoes', tomatoes), await notes.note('Greenhouse', greenhouse)];
  await notes.linked(one.id, other.id);
  await w.runJobs();
  expect(await notes.seen(one.id)).toHaveLength(1);
});

test('a note that changes while it is looked at is looked at again', async () => {
  const { id: spaceId, notes } = await garden();
  await notes.note('Tomatoes', tomatoes);
  const note = await notes.note('Greenhouse', greenhouse);
  await notes.update({ id: note.id, version: 1, title: 'Taxes', ...taxes });
  await w.runJobs();
  expect((await notes.read(note.id)).data.note).toMatchObject({ linkStatus: 'READY', version: 2 });
  expect(await rows(spaceId)).toEqual([]);
});

test('a note that cannot be looked at says so after the last try, and the next change tries again', async () => {
  const { id: spaceId, notes } = await garden();
  const note = await notes.note('Tomatoes', tomatoes);
  const { database } = w.app;
  let broken = true;
  const transaction: typeof database.transaction = async (work, options) => {
    if (!broken) return database.transaction(work, options);
    broken = false;
    throw new Error('no');
  };
  const app = { ...w.app, database: { ...database, transaction } };
  const status = async () => (await notes.read(note.id)).data.note.linkStatus;
  const tryIt = (isLastAttempt: boolean) => discoverLinks(app, { spaceId, noteId: note.id }, { ...run, isLastAttempt });
  await expect(tryIt(false)).rejects.toThrow('no');
  expect(await status()).toBe('PENDING');
  broken = true;
  await expect(tryIt(true)).rejects.toThrow('no');
  expect(await status()).toBe('FAILED');
  await notes.update({ id: note.id, version: 1, content: 'More.' });
  expect(await status()).toBe('PENDING');
  await w.runJobs();
  expect(await status()).toBe('READY');
});

test('the links of one deletion of a large tree are swept by one job', async () => {
  const { id, notes } = await garden();
  const tree = treeOf(w.editor, id);
  const note = await notes.note('Tomatoes');
  for (const path of ['/a', '/a/b', '/a/c']) {
    const { node } = (await tree.read(path, {})).data.treeNode;
    const nodeId = node?.id ?? (await tree.put(path, 1)).data.writeTreeNode.treeNode.id;
    await notes.linked(note.id, nodeId);
  }
  await w.runJobs();
  await tree.remove('/a', { recursive: true });
  const [waiting] = await w.app.database.query<{ n: number }>(
    `select count(*)::int as n from graphile_worker.jobs where task_identifier = 'remains.sweep'`,
    [],
  );
  expect(waiting).toEqual({ n: 1 });
  await w.runJobs();
  expect(await rows(id)).toEqual([]);
  expect(await eventsOf(id, 'link.deleted')).toBe(3);
});
