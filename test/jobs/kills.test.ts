import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { addJobs, job } from '../../src/core/jobs.js';
import { sweepBlobs } from '../../src/jobs/sweep-blobs.js';
import { bytesOf, sha256 } from '../support/bytes.js';
import { post } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { type Door, documents, doorOf, filesOf } from '../support/files.js';
import { filledWith } from '../support/filled-space.js';
import { notesOf } from '../support/knowledge.js';
import { lettersModel, lettersService } from '../support/letters.js';
import type { LocalService } from '../support/local-service.js';
import { newComment } from '../support/posts.js';
import { type GatewayProcess, startProcess } from '../support/process.js';
import { searchAs } from '../support/search.js';
import { make, newSpace } from '../support/tenancy.js';
import { runAllJobs, tracesOf } from '../support/traces.js';
import { type World, world } from '../support/world.js';

const hourMs = 60 * 60 * 1_000;
const mebi = 1024 * 1024;
const binary = { mimeType: 'application/octet-stream' };
const [small, large] = [bytesOf(300_000), bytesOf(65 * mebi, 2)];
let later = 0;
let home: string;
let model: LocalService;
let w: World;
let door: Door;
let locks: pg.Client;
let running: GatewayProcess | null = null;
let key: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'canopy-kills-'));
  model = await lettersService();
  w = await world({
    now: () => new Date(Date.now() + later),
    blobs: { directory: join(home, 'blobs') },
    embeddings: lettersModel(model),
  });
  door = await doorOf(w.app);
  locks = new pg.Client({ connectionString: w.databaseUrl });
  await locks.connect();
  ({ secret: key } = await make<{ secret: string }>(
    w.owner,
    'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret } }',
    { name: 'robot', scopes: ['files:write', 'files:read'] },
  ));
}, 60_000);
afterAll(async () => {
  await running?.stop('SIGKILL');
  await locks.end();
  await door.close();
  await w.close();
  await model.close();
  await rm(home, { recursive: true });
});

/** A server that works on jobs, on the database and the blobs of this test. */
async function start(): Promise<GatewayProcess> {
  running = await startProcess({
    CANOPY_HOME: home,
    DATABASE_URL: w.databaseUrl,
    DATABASE_POOL: '30',
    AUTH_SECRET: 'a secret for tests only, 32 characters',
    EMBEDDINGS_URL: model.url,
    EMBEDDINGS_KEY: 'key',
    EMBEDDINGS_MODEL: 'letters',
    EMBEDDINGS_DIMENSIONS: '27',
    JOB_WORKERS: '10',
    LOG_LEVEL: 'warn',
  });
  return running;
}

const complete = (gateway: GatewayProcess, id: string) =>
  post(gateway.url, { query: documents.complete, variables: { input: { id } } }, { authorization: `Bearer ${key}` });

/** Waits until so many statements wait to change a table. */
const held = (table: string, count: number) =>
  eventually(async () => {
    const { rows } = await locks.query(
      `select count(*)::int as n from pg_locks where relation = '"${table}"'::regclass and not granted`,
    );
    expect({ table, waiting: rows[0].n >= count || rows[0].n }).toEqual({ table, waiting: true });
  });

/** An upload all of whose parts have arrived. */
async function arrived(files: ReturnType<typeof filesOf>, bytes: Buffer, name: string): Promise<string> {
  const session = await files.started(bytes, { name, ...binary });
  for (let number = 1; number <= session.partCount; number += 1)
    expect(await files.put(session, bytes, number)).toBe(200);
  return session.id;
}

const countOf = async (sql: string, values: readonly unknown[]) =>
  (await w.app.database.query<{ n: number }>(`select count(*)::int as n from ${sql}`, values))[0]?.n;
const hashOf = async (answer: Response) => sha256(Buffer.from(await answer.arrayBuffer()));

test('killed in the middle of completing uploads, of jobs of each kind and of a purge, all is done once after a restart, and nothing is stuck', async () => {
  const { id: spaceId } = await newSpace(w.owner);
  const files = filesOf(w.owner, spaceId, door);
  const notes = notesOf(w.owner, spaceId);
  const first = await notes.note('Walnut trees', { content: 'Walnut trees in the orchard.' });
  const doomed = await files.upload(small, { name: 'doomed.bin', ...binary });
  await newComment(w.owner, doomed.id, 'A remark');
  await notes.linked(first.id, doomed.id);
  const inline = await arrived(files, small, 'inline.bin');
  const behind = await arrived(files, large, 'behind.bin');
  const old = await newSpace(w.owner);
  const cast = { author: w.owner, reader: w.owner };
  await filledWith(w, door, cast, old.id, 'tansy');
  await runAllJobs(w);
  await w.app.database.query(`update "Space" set "deletedAt" = now() - interval '40 days' where id = $1`, [old.id]);

  const one = await start();
  await locks.query('begin');
  for (const table of ['FileVersion', 'Link', 'SearchText'])
    await locks.query(`lock table "${table}" in share row exclusive mode`);
  // Statements that wait give up after five seconds: what takes longest comes first.
  expect(await complete(one, behind)).toMatchObject({ status: 200, code: null });
  await held('FileVersion', 1);
  const cutOff = complete(one, inline).catch(() => 'cut off');
  await files.run(documents.remove, { id: doomed.id, version: doomed.version });
  const second = await notes.note('Walnut orchard', { content: 'An orchard of walnut trees.' });
  await addJobs(w.app.database.query, [job('clean-up', {}, { key: 'clean-up' })]);
  // Completions and the bytes of what was deleted; links that are found and links that go; the index and the purge.
  await held('FileVersion', 3);
  await held('Link', 2);
  await held('SearchText', 2);
  await eventually(async () => expect(await countOf('"Chat" where "spaceId" = $1', [old.id])).toBe(0));
  expect(await countOf('"Note" where "spaceId" = $1', [old.id])).toBe(2);
  await one.stop('SIGKILL');
  expect(await cutOff).toBe('cut off');
  await locks.query('rollback');

  const killed = performance.now();
  const two = await start();
  expect((await files.session(inline)).data.node.status).toBe('OPEN');
  expect((await complete(two, inline)).body.data.completeUpload.uploadSession).toEqual({ status: 'COMPLETED' });
  let left: unknown[] = ['something'];
  while (left.length > 0 && performance.now() - killed < 60_000) {
    await new Promise((resolve) => setTimeout(resolve, 250));
    // What only waits for its time is not stuck.
    left = await w.app.database.query(
      'select task_id, locked_by from graphile_worker._private_jobs where attempts > 0 or run_at <= now()',
      [],
    );
  }
  expect(left).toEqual([]);
  process.stderr.write(`  all was done ${((performance.now() - killed) / 1_000).toFixed(1)} s after the kill\n`);
  expect(await two.stop()).toBe(0);

  for (const [id, bytes] of [
    [inline, small],
    [behind, large],
  ] as const) {
    const { node } = (await files.session(id)).data;
    expect(node).toMatchObject({ status: 'COMPLETED' });
    const fileId = node.file.id;
    expect((await files.file(fileId)).data.file).toMatchObject({ status: 'READY', version: 1 });
    expect(await hashOf(await files.get(fileId))).toBe(sha256(bytes));
    expect(await countOf('"FileVersion" where "fileId" = $1', [fileId])).toBe(1);
    expect(await countOf(`"Event" where "resourceId" = $1 and type = 'file.ready'`, [fileId])).toBe(1);
  }
  expect(await files.used()).toBe(small.length + large.length);
  expect(await countOf('"FileVersion" where "fileId" = $1', [doomed.id])).toBe(0);
  expect(await countOf('"Comment" where "subjectId" = $1', [doomed.id])).toBe(0);
  expect(await countOf('"Link" where $1 in ("sourceId", "targetId")', [doomed.id])).toBe(0);
  expect(await notes.seen(second.id)).toHaveLength(1);
  expect((await notes.read(second.id)).data.note.linkStatus).toBe('READY');
  const { data } = await searchAs(w.owner, 'walnut', { spaceId, mode: 'EXACT' });
  expect(data.search.nodes.map(({ node }: { node: { id: string } }) => node.id).sort()).toEqual(
    [first.id, second.id].sort(),
  );
  expect(await tracesOf(w.app, old.id)).toEqual({});
  expect((await w.app.blobs.list(`spaces/${old.id}/`, 10)).blobs).toEqual([]);
  expect(await w.app.queue.laidAside(10)).toEqual([]);

  later = 26 * hourMs;
  await sweepBlobs(w.app, {}, { signal: new AbortController().signal, attempt: 1, isLastAttempt: false });
  const { blobs } = await w.app.blobs.list('spaces/', 100);
  expect(blobs.map(({ sizeBytes }) => sizeBytes).sort()).toEqual([small.length, large.length].sort());
  expect((await files.file(doomed.id)).data.file).toBeNull();
}, 180_000);
