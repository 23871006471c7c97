import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { forgetDeparted } from '../../src/core/departed.js';
import { purgeSpaces } from '../../src/jobs/purge-spaces.js';
import { indexResource } from '../../src/jobs/search-index.js';
import { sweepBlobs } from '../../src/jobs/sweep-blobs.js';
import { jsonLog } from '../../src/platform/log.js';
import { type Door, documents, doorOf } from '../support/files.js';
import { type Filled, filledWith } from '../support/filled-space.js';
import { notesOf } from '../support/knowledge.js';
import { lettersModel, lettersService } from '../support/letters.js';
import type { LocalService } from '../support/local-service.js';
import { postsOf } from '../support/posts.js';
import { searchAs } from '../support/search.js';
import { invite, join, make, newSpace } from '../support/tenancy.js';
import { runAllJobs, tracesOf } from '../support/traces.js';
import { type World, world } from '../support/world.js';

const dayMs = 24 * 60 * 60 * 1_000;
const patient = 120_000;
const run = { signal: new AbortController().signal, attempt: 1, isLastAttempt: false };
let later = 0;
let w: World;
let door: Door;
let model: LocalService;
beforeAll(async () => {
  model = await lettersService();
  w = await world({ now: () => new Date(Date.now() + later), embeddings: lettersModel(model) });
  door = await doorOf(w.app);
});
afterAll(async () => {
  await door.close();
  await w.close();
  await model.close();
});
beforeEach(() => {
  later = 0;
});

/** A space of the owner's with something of every kind, and everything indexed. */
async function garden(word: string): Promise<Filled> {
  const { id } = await newSpace(w.owner);
  await join(w.owner, w.editor, { spaceId: id, spaceRole: 'EDITOR' });
  await invite(w.owner, w.guest, { spaceId: id, spaceRole: 'VIEWER' });
  const filled = await filledWith(w, door, { author: w.owner, reader: w.editor }, id, word);
  await runAllJobs(w);
  return filled;
}

const remove = (spaceId: string) =>
  make(w.owner, 'mutation ($input: DeleteSpaceInput!) { deleteSpace(input: $input) { deletedSpaceId } }', {
    id: spaceId,
    version: 1,
  });
const blobsOf = async (prefix: string) => (await w.app.blobs.list(prefix, 1_000)).blobs.length;
const found = async ({ spaceId, word }: Filled): Promise<string[]> =>
  ((await searchAs(w.owner, word, { spaceId, mode: 'EXACT', first: 100 })).data?.search?.nodes ?? [])
    .map(({ node }: { node: { id: string } }) => node.id)
    .sort();

describe('a space', () => {
  test(
    'that is restored has all that it had: rows, bytes, and what search finds',
    async () => {
      const g = await garden('rhubarb');
      const before = { traces: await tracesOf(w.app, g.spaceId), found: await found(g) };
      expect(before.found.length).toBeGreaterThan(12);
      await remove(g.spaceId);
      expect(await found(g)).toEqual([]);
      await runAllJobs(w);
      later = 29 * dayMs;
      expect(await purgeSpaces(w.app)).toBe(0);
      await make(w.owner, 'mutation ($input: RestoreSpaceInput!) { restoreSpace(input: $input) { space { id } } }', {
        id: g.spaceId,
      });
      await runAllJobs(w);
      expect({ traces: await tracesOf(w.app, g.spaceId), found: await found(g) }).toEqual(before);
      expect((await g.files.get(g.file.id)).status).toBe(200);
    },
    patient,
  );

  test(
    'that is purged leaves no row in any table, no blob, no vector and no job, though its purge is cut in the middle; and says how far it is',
    async () => {
      const [g, kept] = [await garden('quince'), await garden('medlar')];
      // One that has failed for good, which nobody would ever look at again.
      await w.app.database.query(
        `select graphile_worker.add_job('links.discover', json_build_object('spaceId', $1::text, 'noteId', 'x'), max_attempts => 1)`,
        [g.spaceId],
      );
      await w.app.database.query(
        `update graphile_worker._private_jobs set attempts = 1 where payload->>'noteId' = 'x'`,
        [],
      );
      const before = await tracesOf(w.app, g.spaceId);
      const others = await tracesOf(w.app, kept.spaceId);
      for (const table of ['ChatStream', 'FileVersion', 'SearchText', 'Vector', '_private_jobs'])
        expect(before[table]).toBeGreaterThan(0);
      expect(await blobsOf(`spaces/${g.spaceId}/`)).toBeGreaterThan(2);
      await remove(g.spaceId);
      later = 31 * dayMs;

      const lines: string[] = [];
      const app = { ...w.app, log: jsonLog('info', (line) => lines.push(line)) };
      const steps = 6;
      const cut = new AbortController();
      const queries = { done: 0 };
      const database = {
        ...w.app.database,
        transaction: (...args: Parameters<typeof w.app.database.transaction>) => {
          if ((queries.done += 1) === steps) cut.abort(new Error('The process stops.'));
          return w.app.database.transaction(...args);
        },
      };
      await expect(purgeSpaces({ ...app, database } as typeof app, cut.signal)).rejects.toThrow('The process stops.');
      const half = await tracesOf(w.app, g.spaceId);
      expect(half['Space']).toBe(1);
      expect(half['Chat']).toBeUndefined();
      expect(half['TreeNode']).toBe(before['TreeNode']);

      expect(await purgeSpaces(app)).toBe(1);
      await runAllJobs(w);
      expect(await tracesOf(w.app, g.spaceId, g.word)).toEqual({});
      expect(await blobsOf(`spaces/${g.spaceId}/`)).toBe(0);
      expect(await w.app.vectors.count(g.spaceId)).toBe(0);
      const said = lines.map((line) => JSON.parse(line)).filter(({ spaceId }) => spaceId === g.spaceId);
      expect(said.map(({ message, msg }) => message ?? msg)).toEqual([
        'A space is being purged.',
        'A space is being purged.',
        'A space is purged.',
      ]);
      expect(said.at(-1).rows).toBeGreaterThan(10);
      expect(await tracesOf(w.app, kept.spaceId)).toEqual(others);
    },
    patient,
  );
});

test(
  'a space whose rows take too long to go many at once goes a few at a time',
  async () => {
    const { id } = await newSpace(w.owner);
    await w.app.database.query(
      `insert into "Note" (id, "spaceId", title, content) select $1 || '_' || i, $1, 'A note', '' from generate_series(1, 700) i`,
      [id],
    );
    await w.app.database.query(
      `create function dawdle() returns trigger language plpgsql as $$ begin perform pg_sleep(0.01); return old; end $$`,
      [],
    );
    await w.app.database.query(
      'create trigger dawdle before delete on "Note" for each row execute function dawdle()',
      [],
    );
    await remove(id);
    later = 31 * dayMs;
    expect(await purgeSpaces(w.app)).toBe(1);
    await runAllJobs(w);
    expect(await tracesOf(w.app, id)).toEqual({});
    await w.app.database.query('drop function dawdle() cascade', []);
  },
  patient,
);

test(
  'a note that goes while it is being indexed leaves nothing either',
  async () => {
    const { id: spaceId } = await newSpace(w.owner);
    const notes = notesOf(w.owner, spaceId);
    const { id } = await notes.note('Lovage', { content: 'Lovage by the wall.' });
    const payload = { type: 'Note', id, spaceId };
    const vectors = {
      ...w.app.vectors,
      upsert: async (...args: Parameters<typeof w.app.vectors.upsert>) => {
        expect(await notes.remove({ id })).toMatchObject({ code: null });
        await indexResource(w.app, payload, run);
        return w.app.vectors.upsert(...args);
      },
    };
    await indexResource({ ...w.app, vectors }, payload, run);
    await runAllJobs(w);
    expect(await tracesOf(w.app, id)).toEqual({});
  },
  patient,
);

describe('what hangs on a thing goes with it, in every table:', () => {
  let g: Filled;
  beforeAll(async () => {
    later = 0;
    g = await garden('sorrel');
  }, patient);

  const nodesBelow = (path: string) =>
    w.app.database.query<{ id: string }>(
      `select id from "TreeNode" where "spaceId" = $1 and "deletedAt" is null and starts_with(path, $2)`,
      [g.spaceId, path],
    );

  /** What is left of things, once all that follows from their end has been done and no follower is told of them any more. */
  async function leftOf(...ids: readonly string[]) {
    await runAllJobs(w);
    later = 9 * dayMs;
    await sweepBlobs(w.app, {}, run);
    await forgetDeparted(w.app.database, w.app.now());
    await runAllJobs(w);
    return tracesOf(w.app, ...ids);
  }

  test(
    'a node of the tree and those below it, whose history alone stays',
    async () => {
      const ids = (await nodesBelow('/beds')).map(({ id }) => id);
      expect(ids).toHaveLength(2);
      expect(await tracesOf(w.app, ...ids)).toMatchObject({ SearchText: 2, Vector: 2 });
      expect(await g.tree.remove('/beds', { recursive: true })).toMatchObject({ code: null });
      expect(Object.keys(await leftOf(...ids))).toEqual(['TreeNode', 'TreeNodeVersion']);
    },
    patient,
  );

  test(
    'a note',
    async () => {
      expect(await tracesOf(w.app, g.other.id)).toMatchObject({ Link: expect.any(Number), Vector: 1 });
      expect(await g.notes.remove({ id: g.other.id })).toMatchObject({ code: null });
      expect(await leftOf(g.other.id)).toEqual({});
    },
    patient,
  );

  test(
    'a post',
    async () => {
      expect(await tracesOf(w.app, g.post.id)).toMatchObject({ Comment: 2, PostView: 1, Vector: 1 });
      const comments = await commentsOn(g.post.id);
      expect(await postsOf(w.owner).remove({ id: g.post.id, version: g.post.version })).toMatchObject({ code: null });
      expect(await leftOf(g.post.id, ...comments)).toEqual({});
    },
    patient,
  );

  test(
    'a file',
    async () => {
      expect(await tracesOf(w.app, g.file.id)).toMatchObject({
        AccessGrant: 2,
        Comment: 2,
        FileVersion: 2,
        Link: 1,
        Vector: 1,
      });
      const comments = await commentsOn(g.file.id);
      expect(await blobsOf(`spaces/${g.spaceId}/files/${g.file.id}/`)).toBe(2);
      expect(await g.files.run(documents.remove, { id: g.file.id, version: 2 })).toMatchObject({ code: null });
      expect(await leftOf(g.file.id, ...comments)).toEqual({});
      expect(await blobsOf(`spaces/${g.spaceId}/files/${g.file.id}/`)).toBe(0);
    },
    patient,
  );

  test(
    'a folder, with the folders, files and uploads in it; and all of their room is free',
    async () => {
      const [folder] = await w.app.database.query<{ id: string; version: number }>(
        `select id, version from "Folder" where "spaceId" = $1 and path = '/plans'`,
        [g.spaceId],
      );
      expect(await tracesOf(w.app, g.inner.id)).toMatchObject({ File: 1, FileVersion: 1, Vector: 1 });
      const input = { id: folder?.id, version: folder?.version, recursive: true };
      expect(await g.files.run(documents.deleteFolder, input)).toMatchObject({ code: null });
      expect(await g.files.used()).toBe(0);
      expect(await leftOf(folder?.id ?? '', g.inner.id, g.open.id)).toEqual({});
      expect(await blobsOf(`spaces/${g.spaceId}/`)).toBe(0);
    },
    patient,
  );
});

const commentsOn = async (subjectId: string) =>
  (await w.app.database.query<{ id: string }>('select id from "Comment" where "subjectId" = $1', [subjectId])).map(
    ({ id }) => id,
  );
