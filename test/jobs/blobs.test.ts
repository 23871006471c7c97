import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { App } from '../../src/core/context.js';
import { sweepBlobs } from '../../src/jobs/sweep-blobs.js';
import { tierBlobs } from '../../src/jobs/tier-blobs.js';
import { bytesOf, collected, sha256, streamOf } from '../support/bytes.js';
import { eventually } from '../support/eventually.js';
import { type Door, documents, doorOf, filesOf, type Uploaded } from '../support/files.js';
import { newSpace } from '../support/tenancy.js';
import { vercelBlobServer, vercelToken } from '../support/vercel-blob.js';
import { type World, world } from '../support/world.js';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
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

async function shelf() {
  const space = await newSpace(w.owner);
  const files = filesOf(w.owner, space.id, door);
  let names = 0;
  return {
    space,
    files,
    upload: (more: object = {}): Promise<Uploaded> => files.upload(bytes, { name: `f-${(names += 1)}.txt`, ...more }),
    keys: async () => (await w.app.blobs.list(`spaces/${space.id}/`, 100)).blobs.map(({ key }) => key),
  };
}

const versionOf = async (fileId: string) => {
  const [version] = await w.app.database.query<{ id: string; storageTier: string }>(
    'select v.id, v."storageTier" from "File" f join "FileVersion" v on v.id = f."currentVersionId" where f.id = $1',
    [fileId],
  );
  if (!version) throw new Error('The file has no version.');
  return version;
};
const statusOf = async (fileId: string) =>
  (await w.app.database.query<{ status: string }>('select status from "File" where id = $1', [fileId]))[0]?.status;

test('where bytes are kept follows from ids, never from a name', async () => {
  const s = await shelf();
  const { id } = await s.files.upload(bytes, { name: 'a name.txt' });
  const version = await versionOf(id);
  expect(await s.keys()).toEqual([`spaces/${s.space.id}/files/${id}/${version.id}`]);
});

describe('deleted bytes', () => {
  test('go with all versions of a file, behind the answer, while the file is gone at once', async () => {
    const s = await shelf();
    const file = await s.upload();
    await s.files.upload(bytes, { fileId: file.id, name: null });
    expect(await s.keys()).toHaveLength(2);
    expect(await s.files.run(documents.remove, { id: file.id, version: 2 })).toMatchObject({ code: null });
    expect((await s.files.file(file.id)).data.file).toBeNull();
    expect(await s.files.used()).toBe(0);
    expect(await s.keys()).toHaveLength(2);
    await w.runJobs();
    expect(await s.keys()).toEqual([]);
  });

  test('go with a space that is purged, uploads under way included', async () => {
    const s = await shelf();
    await s.upload();
    const session = await s.files.started(bytes, { name: 'open.txt' });
    await s.files.put(session, bytes);
    await s.files.run(documents.createFolder, { spaceId: s.space.id, path: '/plans' });
    await s.upload({ folderPath: '/plans' });
    await w.owner.run('mutation ($i: DeleteSpaceInput!) { deleteSpace(input: $i) { deletedSpaceId } }', {
      i: { id: s.space.id, version: 1 },
    });
    await w.runJobs();
    expect(await s.keys()).toHaveLength(2);
    later = 31 * dayMs;
    await w.app.database.query(`select canopy_add_jobs('[{"name":"clean-up","payload":{}}]'::json)`, []);
    await w.runJobs();
    expect(await s.keys()).toEqual([]);
    for (const table of ['File', 'FileVersion', 'UploadSession', 'Folder', 'AccessGrant'])
      expect(await w.app.database.query(`select id from "${table}" where "spaceId" = $1`, [s.space.id])).toEqual([]);
  });
});

describe('the sweep', () => {
  const sweep = () => sweepBlobs(w.app, {}, run);

  test('removes bytes that no row names, once they are older than an upload can be', async () => {
    const s = await shelf();
    const file = await s.upload();
    const orphans = [
      `spaces/${s.space.id}/files/file_x/fver_x`,
      `spaces/${s.space.id}/files/${file.id}/fver_y`,
      'spaces/gone/files/f/v',
    ];
    for (const key of orphans) await w.app.blobs.put(key, streamOf(bytes));
    later = 24 * hourMs;
    await sweep();
    expect(await s.keys()).toHaveLength(3);
    later = 26 * hourMs;
    await sweep();
    expect(await s.keys()).toEqual([expect.stringContaining(file.id)]);
    expect(await w.app.blobs.head('spaces/gone/files/f/v')).toBeNull();
    expect((await s.files.get(file.id)).status).toBe(200);
  });

  test('says of a file whose bytes are lost that it has failed, and of no other', async () => {
    const s = await shelf();
    const [lost, kept] = [await s.upload(), await s.upload()];
    const [key = ''] = (await s.keys()).filter((one) => one.includes(lost.id));
    await w.app.blobs.remove([key]);
    later = 26 * hourMs;
    await sweep();
    expect([await statusOf(lost.id), await statusOf(kept.id)]).toEqual(['FAILED', 'READY']);
    expect((await s.files.file(lost.id)).data.file).toMatchObject({ status: 'FAILED', url: null });
    await s.files.upload(bytes, { fileId: lost.id, name: null });
    expect(await statusOf(lost.id)).toBe('READY');
  });

  test('ends uploads after 24 hours: their parts go, and their room is free', async () => {
    const s = await shelf();
    const session = await s.files.started(bytes, { name: 'late.txt' });
    await s.files.put(session, bytes);
    expect(await s.files.used()).toBe(bytes.length);
    later = 24 * hourMs + 1_000;
    expect(await s.files.complete(session.id)).toMatchObject({ code: 'CONFLICT' });
    await sweep();
    expect(await s.files.used()).toBe(0);
    await w.runJobs();
    expect((await s.files.session(session.id)).data.node).toMatchObject({ status: 'ABORTED', url: null });
    await sweep();
    expect((await s.files.session(session.id)).data.node).toBeNull();
  });

  test('forgets a deleted file when the event log has', async () => {
    const s = await shelf();
    const { id } = await s.upload();
    await s.files.run(documents.remove, { id, version: 1 });
    await w.runJobs();
    later = 7 * dayMs;
    await sweep();
    expect(await statusOf(id)).toBe('READY');
    later = 9 * dayMs;
    await sweep();
    expect(await statusOf(id)).toBeUndefined();
  });
});

describe('tiers', () => {
  const tier = () => tierBlobs(w.app, {}, run);

  test('what nobody reads is warm after 30 days and an archive after 90; whoever reads it then waits, and gets the same bytes', async () => {
    const s = await shelf();
    const { id, checksum } = await s.upload();
    later = 29 * dayMs;
    await tier();
    expect((await versionOf(id)).storageTier).toBe('HOT');
    later = 31 * dayMs;
    await tier();
    expect((await versionOf(id)).storageTier).toBe('WARM');
    later = 91 * dayMs;
    await tier();
    const version = await versionOf(id);
    expect(version.storageTier).toBe('COLD');
    const archive = `spaces/${s.space.id}/files/${id}/${version.id}.gz`;
    expect(await s.keys()).toEqual([archive]);
    const packed = await w.app.blobs.get(archive);
    expect(packed?.sizeBytes).toBeLessThan(bytes.length / 10);
    expect(sha256(gunzipSync(await collected(packed?.body ?? streamOf(bytes))))).toBe(checksum);

    const waiting = await s.files.get(id);
    expect(waiting.status).toBe(503);
    expect(Number(waiting.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await s.files.file(id)).data.file.status).toBe('RESTORING');
    expect((await s.files.get(id)).status).toBe(503);
    await w.runJobs();
    const answer = await s.files.get(id);
    expect(sha256(Buffer.from(await answer.arrayBuffer()))).toBe(checksum);
    expect((await s.files.file(id)).data.file).toMatchObject({ status: 'READY', checksum });
    expect(await s.keys()).toEqual([archive.replace('.gz', '')]);
    await tier();
    expect((await versionOf(id)).storageTier).toBe('HOT');
  });

  test('what is read stays hot, and what is warm becomes hot when it is read', async () => {
    const s = await shelf();
    const [read, warm] = [await s.upload(), await s.upload()];
    later = 29 * dayMs;
    await s.files.get(read.id);
    later = 40 * dayMs;
    await tier();
    expect([(await versionOf(read.id)).storageTier, (await versionOf(warm.id)).storageTier]).toEqual(['HOT', 'WARM']);
    await s.files.get(warm.id);
    await tier();
    expect((await versionOf(warm.id)).storageTier).toBe('HOT');
  });

  test('an archive that was begun and not named is swept, and the file stays what it was', async () => {
    const s = await shelf();
    const { id } = await s.upload();
    const [key = ''] = await s.keys();
    await w.app.blobs.put(`${key}.gz`, streamOf(bytesOf(10)));
    later = 26 * hourMs;
    await sweepBlobs(w.app, {}, run);
    expect(await s.keys()).toEqual([key]);
    expect((await s.files.get(id)).status).toBe(200);
  });
});

describe('a store that fails', () => {
  let store: Awaited<ReturnType<typeof vercelBlobServer>>;
  let cloud: World;
  let cloudDoor: Door;
  beforeAll(async () => {
    store = await vercelBlobServer();
    cloud = await world({ blobs: { vercelToken } });
    cloudDoor = await doorOf(cloud.app);
  });
  afterAll(async () => {
    await cloudDoor.close();
    await cloud.close();
    await store.close();
  });

  /** Lets the jobs run again at once that would wait for their next try. */
  const hurry = (app: App) =>
    app.database.query(`update graphile_worker._private_jobs set run_at = now() where attempts > 0`, []);

  test('nothing is seen of an upload that it fails in, and the same call succeeds later', async () => {
    const files = filesOf(cloud.editor, cloud.space.id, cloudDoor);
    store.fail(1);
    expect(await files.start(bytes)).toMatchObject({
      code: 'SERVICE_UNAVAILABLE',
      errors: [{ extensions: { retryable: true } }],
    });
    expect(await files.used()).toBe(0);
    const session = await files.started(bytes);
    store.fail(1);
    expect(await files.put(session, bytes)).toBe(503);
    expect(await files.put(session, bytes)).toBe(200);
    store.fail(1);
    expect(await files.complete(session.id)).toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
    const { data } = await files.complete(session.id);
    const answer = await files.get(data.completeUpload.file.id);
    expect(Buffer.from(await answer.arrayBuffer())).toEqual(bytes);
    const file = data.completeUpload.file.id;
    store.fail(1);
    const refused = await files.get(file);
    expect(refused.status).toBe(503);
    expect(refused.headers.get('cache-control')).toBe('no-store');
    for (const header of ['etag', 'content-disposition', 'accept-ranges'])
      expect(refused.headers.get(header)).toBeNull();
    expect((await files.get(file, { headers: { range: 'bytes=0-3' } })).status).toBe(206);
  });

  test('bytes of a deleted file go in the end, after it has failed three times', async () => {
    const files = filesOf(cloud.editor, cloud.space.id, cloudDoor);
    const { id } = await files.upload(bytes, { name: 'doomed.txt' });
    // What is due by the clock asks the store too.
    await cloud.runJobs();
    const held = async () => (await cloud.app.blobs.list(`spaces/${cloud.space.id}/files/${id}/`, 10)).blobs.length;
    await files.run(documents.remove, { id, version: 1 });
    for (let failure = 1; failure <= 3; failure += 1) {
      store.fail(1);
      await eventually(async () => {
        await hurry(cloud.app);
        await cloud.runJobs();
        expect(store.failures()).toBe(0);
      });
      expect(await held()).toBe(1);
    }
    await eventually(async () => {
      await hurry(cloud.app);
      await cloud.runJobs();
      expect(await held()).toBe(0);
    });
  });

  test('its addresses never reach anybody', async () => {
    const files = filesOf(cloud.editor, cloud.space.id, cloudDoor);
    const { id } = await files.upload(bytes, { name: 'open.txt', visibility: 'PUBLIC' });
    const { data } = await files.file(id);
    expect(data.file.url).toMatch(/^http:\/\/localhost:4000\/api\/blob\/fver_/);
  });
});
