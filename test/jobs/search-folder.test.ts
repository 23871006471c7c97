import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { indexFolder } from '../../src/jobs/search-folder.js';
import { documents } from '../support/files.js';
import { lettersModel, lettersService } from '../support/letters.js';
import type { LocalService } from '../support/local-service.js';
import { searchAs } from '../support/search.js';
import { newSpace } from '../support/tenancy.js';
import { type World, world } from '../support/world.js';

const count = 602;

let w: World;
let model: LocalService;
let spaceId: string;
let folderId: string;
beforeAll(async () => {
  model = await lettersService();
  w = await world({ embeddings: lettersModel(model) });
});
afterAll(async () => {
  await w.close();
  await model.close();
});

/** A folder with a folder in it, and more files in both than one page has. */
beforeEach(async () => {
  ({ id: spaceId } = await newSpace(w.owner));
  folderId = await folderAt('/plans');
  const innerId = await folderAt('/plans/old');
  await folderAt('/plans-too');
  await w.app.database.query(
    `insert into "File" (id, "spaceId", "folderId", path, "parentPath", name, "mimeType", "sizeBytes", checksum)
      select 'file_' || substr($1, 7, 20) || lpad(i::text, 6, '0'), $1, case when i % 2 = 0 then $2 else $3 end, at || '/f' || i, at, 'f' || i, 'application/zip', 1, 'x'
      from generate_series(1, ${count}) i, lateral (select case when i % 2 = 0 then '/plans' else '/plans/old' end as at) a`,
    [spaceId, folderId, innerId],
  );
});

async function folderAt(path: string): Promise<string> {
  const { data } = await w.owner.run(documents.createFolder, { input: { spaceId, path } });
  return data.createFolder.folder.id;
}

const move = (toPath: string, version: number) =>
  w.owner.run(documents.moveFolder, { input: { id: folderId, toPath, version } });

/** How many files search knows, and how many of them by the path that they have. */
async function known(): Promise<object | undefined> {
  const [row] = await w.app.database.query(
    `select count(*)::int as known, count(*) filter (where s.title = f.path)::int as right from "SearchText" s join "File" f on f.id = s."resourceId" where s."spaceId" = $1`,
    [spaceId],
  );
  return row;
}

test('what is in a folder is found by its new path, however much that is', async () => {
  expect(await move('/archive', 1)).toMatchObject({ code: null });
  await w.runJobs();
  expect(await known()).toEqual({ known: count, right: count });
  const found = async (text: string) =>
    (await searchAs(w.owner, text, { spaceId, mode: 'EXACT' })).data.search.totalCount;
  expect(await found('"archive old" f601')).toBe(1);
  expect(await found('plans')).toBe(0);
}, 120_000);

test('a folder that moves on between two pages leaves nothing behind, and each page may come twice', async () => {
  await move('/archive', 1);
  const first = { spaceId, folderId, version: 2, after: '' };
  await indexFolder(w.app, first);
  await indexFolder(w.app, first);
  await move('/attic', 2);
  await w.runJobs();
  expect(await known()).toEqual({ known: count, right: count });
}, 120_000);

test('of a folder that is gone nothing is to be done', async () => {
  await indexFolder(w.app, { spaceId, folderId: 'folder_00000000000000000000000000', version: 1, after: '' });
  await w.runJobs();
  expect(await known()).toEqual({ known: 0, right: 0 });
});
