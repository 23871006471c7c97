import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { App } from '../../src/core/context.js';
import { restoreBlob } from '../../src/jobs/restore-blob.js';
import { sweepBlobs } from '../../src/jobs/sweep-blobs.js';
import { tierBlobs } from '../../src/jobs/tier-blobs.js';
import type { Blobs } from '../../src/platform/blobs/blobs.js';
import { sha256, streamOf } from '../support/bytes.js';
import { type Door, doorOf, filesOf } from '../support/files.js';
import { newSpace } from '../support/tenancy.js';
import { type World, world } from '../support/world.js';

const hourMs = 3_600_000;
const run = { signal: new AbortController().signal, attempt: 1, isLastAttempt: false };
const bytes = Buffer.from('Sow beans in April. '.repeat(500));

let later = 0;
let w: World;
let door: Door;
beforeAll(async () => {
  w = await world({ now: () => new Date(Date.now() + later) });
  door = await doorOf(w.app);
});
afterAll(async () => {
  await door.close();
  await w.close();
});
beforeEach(() => {
  later = 0;
});

/** The App, some of whose store is done otherwise. */
const withBlobs = (more: Partial<Blobs>): App => ({ ...w.app, blobs: { ...w.app.blobs, ...more } });

function gate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { open, opened };
}

/** A file nobody has read for so long, and where its bytes and its archive are. */
async function idle(days: number) {
  const space = await newSpace(w.owner);
  const files = filesOf(w.owner, space.id, door);
  const { id } = await files.upload(bytes, { name: 'idle.txt' });
  const [version] = await w.app.database.query<{ id: string }>(
    `update "FileVersion" set "lastUsedAt" = now() - $2::int * interval '1 day', "storageTier" = case when $2::int > 30 then 'WARM' else 'HOT' end::"StorageTier"
     where "fileId" = $1 returning id`,
    [id, days],
  );
  const versionId = version?.id ?? '';
  const key = `spaces/${space.id}/files/${id}/${versionId}`;
  const tier = async () =>
    (
      await w.app.database.query<{ storageTier: string }>('select "storageTier" from "FileVersion" where id = $1', [
        versionId,
      ])
    )[0]?.storageTier;
  const keys = async () => (await w.app.blobs.list(`spaces/${space.id}/`, 10)).blobs.map((blob) => blob.key);
  const read = async () => sha256(Buffer.from(await (await files.get(id)).arrayBuffer()));
  return { spaceId: space.id, fileId: id, versionId, key, archive: `${key}.gz`, tier, keys, read };
}

/** A sweep that stops before it removes `key` until `withPut` has put something. */
function sweepAround(key: string) {
  const [removing, done] = [gate(), gate()];
  const slow = withBlobs({
    async remove(keys) {
      if (keys.includes(key)) {
        removing.open();
        await done.opened;
      }
      await w.app.blobs.remove(keys);
    },
  });
  const put: Blobs['put'] = async (to, body) => {
    const info = await w.app.blobs.put(to, body);
    done.open();
    return info;
  };
  later = 26 * hourMs;
  return { swept: sweepBlobs(slow, {}, run), removing: removing.opened, withPut: withBlobs({ put }) };
}

test('bytes that come back while the sweep removes what was left of them are missed at once, and brought back again', async () => {
  const file = await idle(100);
  await tierBlobs(w.app, {}, run);
  expect(await file.keys()).toEqual([file.archive]);
  // As if it had been killed before it removed them.
  await w.app.blobs.put(file.key, streamOf(bytes));
  const { swept, removing, withPut } = sweepAround(file.key);
  await removing;
  const { spaceId, versionId } = file;
  await expect(restoreBlob(withPut, { spaceId, versionId })).rejects.toThrow('are gone again');
  await swept;
  expect([await file.tier(), await file.keys()]).toEqual(['COLD', [file.archive]]);
  await restoreBlob(w.app, { spaceId, versionId });
  expect([await file.tier(), await file.keys()]).toEqual(['HOT', [file.key]]);
  expect(await file.read()).toBe(sha256(bytes));
});

test('an archive that is made while the sweep removes an earlier one is missed at once, and the bytes stay', async () => {
  const file = await idle(100);
  await w.app.blobs.put(file.archive, streamOf(Buffer.from('half of')));
  const { swept, removing, withPut } = sweepAround(file.archive);
  await removing;
  await expect(tierBlobs(withPut, {}, run)).rejects.toThrow('is gone again');
  await swept;
  expect([await file.tier(), await file.keys()]).toEqual(['WARM', [file.key]]);
  expect(await file.read()).toBe(sha256(bytes));
});

test('bytes that somebody wants back before the archiver has removed them are not removed', async () => {
  const file = await idle(100);
  const { spaceId, versionId } = file;
  // Right after the row says that it is an archive, somebody reads it.
  let isBack = false;
  const { database } = w.app;
  const transaction: typeof database.transaction = async (work, options) => {
    const done = await database.transaction(work, options);
    if (!isBack && (await file.tier()) === 'COLD') {
      isBack = true;
      await restoreBlob(w.app, { spaceId, versionId });
    }
    return done;
  };
  await tierBlobs({ ...w.app, database: { ...database, transaction } }, {}, run);
  expect(isBack).toBe(true);
  expect([await file.tier(), await file.keys()]).toEqual(['HOT', [file.key]]);
  expect(await file.read()).toBe(sha256(bytes));
});

test('a file whose bytes only changed their place while they were looked for is not said to be lost', async () => {
  const file = await idle(100);
  later = 26 * hourMs;
  let hasMoved = false;
  const list: Blobs['list'] = async (...args) => {
    const page = await w.app.blobs.list(...args);
    if (hasMoved) return page;
    hasMoved = true;
    // Between the list of the blobs and the rows.
    await tierBlobs(w.app, {}, run);
    return { ...page, blobs: page.blobs.filter(({ key }) => !key.startsWith(file.key)) };
  };
  await sweepBlobs(withBlobs({ list }), {}, run);
  const [row] = await w.app.database.query<{ status: string }>('select status from "File" where id = $1', [
    file.fileId,
  ]);
  expect([row?.status, await file.tier(), await file.keys()]).toEqual(['READY', 'COLD', [file.archive]]);
});
