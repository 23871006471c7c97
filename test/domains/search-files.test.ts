import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { docxParts, pdfOf, zipOf } from '../support/documents.js';
import { type Door, doorOf, filesOf } from '../support/files.js';
import { lettersModel, lettersService, textsSent } from '../support/letters.js';
import type { LocalService } from '../support/local-service.js';
import { searchAs } from '../support/search.js';
import { type Person, type World, world } from '../support/world.js';

const docx = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document';
const modes = ['EXACT', 'SEMANTIC', 'HYBRID'] as const;

let w: World;
let door: Door;
let model: LocalService;
let files: ReturnType<typeof filesOf>;
beforeAll(async () => {
  model = await lettersService();
  w = await world({ embeddings: lettersModel(model) });
  door = await doorOf(w.app);
  files = filesOf(w.editor, w.space.id, door);
});
beforeEach(() => {
  model.calls.length = 0;
});
afterAll(async () => {
  await door.close();
  await w.close();
  await model.close();
});

async function found(person: Person, text: string, id: string, more: object = {}): Promise<boolean> {
  const { data } = await searchAs(person, text, { first: 100, spaceId: w.space.id, types: ['FILE'], ...more });
  return data.search.nodes.some(({ node }: { node: { id: string } }) => node.id === id);
}

const statusOf = async (id: string) =>
  (await w.editor.run('query ($id: ID!) { file(id: $id) { embeddingStatus } }', { id })).data.file.embeddingStatus;

test('what files say is found, whatever they are, and their status tells when', async () => {
  const made = [
    await files.upload(Buffer.from('# Quince\n\nA quince is hard.'), { name: 'a.md', mimeType: 'text/markdown' }),
    await files.upload(pdfOf(['Quince jelly sets well']), { name: 'b.pdf', mimeType: 'application/pdf' }),
    await files.upload(zipOf(docxParts(['A quince tree'])), { name: 'c.docx', mimeType: docx }),
  ];
  for (const { id } of made) expect(await statusOf(id)).toBe('PENDING');
  await w.runJobs();
  for (const { id } of made) {
    expect(await statusOf(id)).toBe('READY');
    for (const mode of modes) expect(await found(w.viewer, 'quince', id, { mode })).toBe(true);
  }
});

test('a file without text, and one that cannot be read, are found by their paths', async () => {
  const bytes = Buffer.from(Array.from({ length: 64 }, (_, at) => at * 3));
  const raw = await files.upload(bytes, { name: 'medlar.bin', mimeType: 'application/octet-stream' });
  const broken = await files.upload(pdfOf(['x']).subarray(0, 60), { name: 'damson.pdf', mimeType: 'application/pdf' });
  await w.runJobs();
  expect(await statusOf(raw.id)).toBe('NONE');
  expect(await statusOf(broken.id)).toBe('FAILED');
  expect(await found(w.viewer, 'medlar', raw.id)).toBe(true);
  expect(await found(w.viewer, 'damson', broken.id)).toBe(true);
});

test('a private file is found by its owner and the owner of the space alone', async () => {
  const { id } = await files.upload(Buffer.from('Secret rowan syrup.'), { name: 'rowan.txt', visibility: 'PRIVATE' });
  await w.runJobs();
  for (const mode of modes) {
    for (const person of [w.editor, w.owner]) expect(await found(person, 'rowan syrup', id, { mode })).toBe(true);
    for (const person of [w.admin, w.viewer, w.guest])
      expect(await found(person, 'rowan syrup', id, { mode })).toBe(false);
  }
});

test('a renamed file is found by its new name, a deleted one no more, and its vectors are gone', async () => {
  const { id } = await files.upload(Buffer.from('Elderberries.'), { name: 'elder.txt' });
  await w.runJobs();
  const renamed = await w.editor.run(
    'mutation ($input: UpdateFileInput!) { updateFile(input: $input) { file { version } } }',
    { input: { id, version: 1, name: 'sambucus.txt' } },
  );
  expect(renamed.code).toBeNull();
  expect(await statusOf(id)).toBe('PENDING');
  await w.runJobs();
  expect(await statusOf(id)).toBe('READY');
  expect(await found(w.viewer, 'sambucus', id, { mode: 'EXACT' })).toBe(true);
  expect(await found(w.viewer, 'elder', id, { mode: 'EXACT' })).toBe(false);
  const remove = 'mutation ($input: DeleteFileInput!) { deleteFile(input: $input) { deletedFileId } }';
  expect(
    (await w.editor.run(remove, { input: { id, version: renamed.data.updateFile.file.version } })).code,
  ).toBeNull();
  await w.runJobs();
  for (const mode of modes) expect(await found(w.viewer, 'elderberries', id, { mode })).toBe(false);
  const rows = await w.app.database.query('select chunk from "Vector" where "resourceId" = $1', [id]);
  expect(rows).toEqual([]);
});

test('a file as long as a book is embedded in batches of a hundred', async () => {
  const words = Array.from({ length: 20_000 }, (_, at) => `word${at}`).join(' ');
  await files.upload(Buffer.from(words), { name: 'book.txt' });
  await w.runJobs();
  expect(textsSent(model)).toEqual([100, 54]);
});
