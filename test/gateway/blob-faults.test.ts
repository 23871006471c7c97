import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { bytesOf } from '../support/bytes.js';
import { eventually } from '../support/eventually.js';
import { type Door, documents, doorOf, filesOf, type Uploaded } from '../support/files.js';
import { newSpace } from '../support/tenancy.js';
import { treeOf } from '../support/tree.js';
import { vercelBlobServer, vercelToken } from '../support/vercel-blob.js';
import { type World, world } from '../support/world.js';

const patient = 90_000;
/** In ms. The deadline of a mutation is 15 s; all that others do goes on at its usual speed. */
const deadline = 15_000;
const usual = 1_000;
/** What a busy machine may make of that, far from what waiting for the store takes. */
const atMost = 3_000;

const bytes = bytesOf(300_000);
const declaredAs = { mimeType: 'application/octet-stream' };
let store: Awaited<ReturnType<typeof vercelBlobServer>>;
let w: World;
let door: Door;
let files: ReturnType<typeof filesOf>;
let file: Uploaded;
beforeAll(async () => {
  // As it is shipped, the client of the store tries again for minutes.
  store = await vercelBlobServer(10);
  w = await world({ blobs: { vercelToken } });
  door = await doorOf(w.app);
});
afterAll(async () => {
  store.become('well');
  await door.close();
  await w.close();
  await store.close();
});
beforeEach(async () => {
  store.become('well');
  await rested();
  const space = await newSpace(w.owner);
  files = filesOf(w.owner, space.id, door);
  file = await files.upload(bytes, { name: 'kept.bin', ...declaredAs });
});

const healthOf = async (path: string) => (await door.fetch(`${door.origin}${path}`)).status;
/** Waits until the store is asked again: it rests for ten seconds after it has failed. */
const rested = () => eventually(async () => expect(await healthOf('/api/health/blob')).toBe(200));

async function timed<T>(work: () => Promise<T>): Promise<T & { ms: number }> {
  const began = performance.now();
  const answer = await work();
  return Object.assign(answer as object, { ms: performance.now() - began }) as T & { ms: number };
}

/** How many sessions, and what room, there are. */
async function held(): Promise<unknown> {
  const [row] = await w.app.database.query(
    `select (select count(*)::int from "UploadSession") as sessions, (select count(*)::int from "FileVersion") as versions,
      (select sum("storageUsed")::int from "Space") as used`,
    [],
  );
  return row;
}

describe.each(['failing', 'hanging'] as const)('while the blobs are %s', (mood) => {
  test(
    'each step of an upload is refused in time and changes nothing, bytes are 503, and the rest goes on; what was begun is finished when they are back',
    async () => {
      const arrived = await files.started(bytes, { name: 'arrived.bin', ...declaredAs });
      expect(await files.put(arrived, bytes)).toBe(200);
      const waiting = await files.started(bytes, { name: 'waiting.bin', ...declaredAs });
      const doomed = await files.upload(bytes, { name: 'doomed.bin', ...declaredAs });
      const before = await held();
      store.become(mood);
      const start = () => files.start(bytes, { name: 'never.bin', ...declaredAs });
      const [started, completed, part, download] = await Promise.all([
        timed(start),
        timed(() => files.complete(arrived.id)),
        timed(async () => ({ status: await files.put(waiting, bytes) })),
        timed(() => files.get(file.id)),
      ]);
      for (const { code, errors } of [started, completed])
        expect({ code, retryable: errors[0]?.extensions.retryable }).toEqual({
          code: 'SERVICE_UNAVAILABLE',
          retryable: true,
        });
      expect([part.status, download.status]).toEqual([503, 503]);
      expect(Number(download.headers.get('retry-after'))).toBeGreaterThan(0);
      for (const { ms } of [started, completed, part, download]) expect(ms).toBeLessThan(deadline);
      expect(await held()).toEqual(before);
      expect((await files.session(arrived.id)).data.node).toMatchObject({ status: 'OPEN', receivedParts: [1] });
      expect((await files.session(waiting.id)).data.node).toMatchObject({ status: 'OPEN', receivedParts: [] });

      const seen = await timed(() => files.file(file.id));
      expect(seen.data.file).toMatchObject({ name: 'kept.bin', status: 'READY', checksum: file.checksum });
      expect(seen.ms).toBeLessThan(atMost);
      const gone = await timed(() => files.run(documents.remove, { id: doomed.id, version: doomed.version }));
      expect(gone).toMatchObject({ code: null });
      expect(gone.ms).toBeLessThan(atMost);

      store.become('well');
      await rested();
      expect(await files.put(waiting, bytes)).toBe(200);
      for (const { id } of [arrived, waiting])
        expect((await files.complete(id)).data.completeUpload.file).toMatchObject({ status: 'READY' });
      expect(await start()).toMatchObject({ code: null });
      await w.runJobs();
      expect(await keysOf(doomed.id)).toEqual([]);
      expect((await files.get(file.id)).status).toBe(200);
    },
    patient,
  );

  test(
    'uploads that wait for them hold up nobody, health says so of them alone; soon they are not asked any more, and found again by themselves',
    async () => {
      const space = await newSpace(w.owner);
      store.become(mood);
      // More than there are connections to the database, and all in one space.
      const waiting = Array.from({ length: 30 }, (_, at) =>
        files.start(bytes, { name: `waiting-${at}.bin`, ...declaredAs }),
      );
      const took: number[] = [];
      for (let at = 0; at < 5; at += 1) {
        const written = await timed(() => treeOf(w.owner, space.id).put(`/n-${at}`, at));
        expect(written).toMatchObject({ code: null });
        const change = { id: file.id, version: at + 1, name: `n-${at}` };
        const renamed = await timed(() => files.run(documents.update, change));
        expect(renamed).toMatchObject({ code: null });
        took.push(written.ms + renamed.ms);
      }
      expect(Math.min(...took)).toBeLessThan(usual);
      for (const { code } of await Promise.all(waiting)) expect(code).toBe('SERVICE_UNAVAILABLE');

      const calls = store.calls();
      const asked = await timed(() => Promise.all(Array.from({ length: 10 }, () => files.get(file.id))));
      for (const { status } of asked) expect(status).toBe(503);
      expect(asked.ms).toBeLessThan(atMost);
      // What the client of the store had begun to try again it gives up.
      expect(store.calls() - calls).toBeLessThanOrEqual(mood === 'failing' ? 30 : 0);
      expect(await healthOf('/api/health/blob')).toBe(503);
      expect([await healthOf('/api/health'), await healthOf('/api/ready')]).toEqual([200, 200]);
      store.become('well');
      await rested();
      expect((await files.get(file.id)).status).toBe(200);
    },
    patient,
  );
});

const keysOf = async (fileId: string) =>
  (await w.app.blobs.list('spaces/', 1_000)).blobs.map(({ key }) => key).filter((key) => key.includes(fileId));
