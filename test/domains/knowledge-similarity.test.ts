import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { discoverLinks } from '../../src/jobs/discover-links.js';
import { anotherApp } from '../support/another-app.js';
import { notesOf } from '../support/knowledge.js';
import { lettersModel, lettersService } from '../support/letters.js';
import { newSpace } from '../support/tenancy.js';
import { type World, world } from '../support/world.js';

let w: World;
beforeAll(async () => {
  w = await world();
});
afterAll(() => w.close());

async function garden() {
  const { id } = await newSpace(w.editor);
  return { id, notes: notesOf(w.editor, id) };
}

const run = { signal: new AbortController().signal, attempt: 1, isLastAttempt: false };
const leaf = {
  content: 'Plants convert light into chemical energy with the green of their leaves.',
  keywords: ['biology'],
};
const sugar = {
  content: 'How the green leaves of plants turn light into sugar, which is energy.',
  keywords: ['botany'],
};
const taxes = { content: 'The declaration is due in May; receipts lie in the blue folder.', keywords: ['money'] };

test('notes that say the like in other words are linked, though they share no keyword', async () => {
  const { notes } = await garden();
  const [one, other, unrelated] = await Promise.all([
    notes.note('Photosynthesis', leaf),
    notes.note('From light to sugar', sugar),
    notes.note('Taxes', taxes),
  ]);
  await w.runJobs();
  const found = await notes.seen(one.id);
  expect(found).toMatchObject([{ origin: 'AUTO', sharedKeywords: [], score: expect.any(Number) }]);
  expect([found[0]?.source.id, found[0]?.target.id].sort()).toEqual([one.id, other.id].sort());
  expect(await notes.seen(unrelated.id)).toEqual([]);
});

test('looking again for what says the like changes nothing', async () => {
  const { id: spaceId, notes } = await garden();
  const made = [await notes.note('Photosynthesis', leaf), await notes.note('From light to sugar', sugar)];
  await w.runJobs();
  const state = () =>
    w.app.database.query<object>(
      `select l.*, (select count(*)::int from "Event" e where e."spaceId" = $1 and e.type like 'link.%') as events from "Link" l where l."spaceId" = $1`,
      [spaceId],
    );
  const before = await state();
  expect(before).toHaveLength(1);
  for (const { id: noteId } of [...made, ...made]) await discoverLinks(w.app, { spaceId, noteId }, run);
  await w.runJobs();
  expect(await state()).toEqual(before);
});

test('while nobody can say what is alike, keywords link all the same, and after the last try the note says that it failed', async () => {
  const service = await lettersService();
  const other = await anotherApp(w.databaseUrl, undefined, { embeddings: lettersModel(service) });
  service.mood = 'failing';
  try {
    const { id: spaceId, notes } = await garden();
    const one = await notes.note('Photosynthesis', { keywords: ['biology', 'light'] });
    const note = await notes.note('Light', { ...sugar, keywords: ['biology', 'light'] });
    const tryIt = (isLastAttempt: boolean) =>
      discoverLinks(other.app, { spaceId, noteId: note.id }, { ...run, isLastAttempt });
    const status = async () => (await notes.read(note.id)).data.note.linkStatus;
    await expect(tryIt(false)).rejects.toThrow();
    expect(await notes.seen(one.id)).toMatchObject([{ sharedKeywords: ['biology', 'light'] }]);
    expect(await status()).toBe('PENDING');
    await expect(tryIt(true)).rejects.toThrow();
    expect(await status()).toBe('FAILED');
    await notes.update({ id: note.id, version: 1, content: 'More.' });
    expect(await status()).toBe('PENDING');
    await w.runJobs();
    expect(await status()).toBe('READY');
    expect(await notes.seen(one.id)).toHaveLength(1);
  } finally {
    await other.close();
    await service.close();
  }
});

test('of two that are written at once and looked at before either has its vectors, one finds the other still', async () => {
  const { id: spaceId, notes } = await garden();
  const made = [await notes.note('Photosynthesis', leaf), await notes.note('From light to sugar', sugar)];
  for (const { id: noteId } of made) await discoverLinks(w.app, { spaceId, noteId }, run);
  await w.app.database.query(`delete from graphile_worker._private_jobs where key like 'links.discover %'`, []);
  expect(await notes.seen(made[0]?.id ?? '')).toEqual([]);
  await w.runJobs();
  expect(await notes.seen(made[0]?.id ?? '')).toHaveLength(1);
});
