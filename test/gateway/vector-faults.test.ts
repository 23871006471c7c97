import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { startWorker } from '../../src/jobs/worker.js';
import { eventually } from '../support/eventually.js';
import { type Door, doorOf } from '../support/files.js';
import { notesOf } from '../support/knowledge.js';
import { lettersModel, lettersService, lettersSize } from '../support/letters.js';
import type { LocalService } from '../support/local-service.js';
import { newComment } from '../support/posts.js';
import { pathsFound, searchAs } from '../support/search.js';
import { type Tree, treeOf } from '../support/tree.js';
import { upstashVector, vectorToken } from '../support/upstash-vector.js';
import { type World, world } from '../support/world.js';

const patient = 60_000;
/** In ms: all that others do goes on at its usual speed, but for what a busy machine adds here and there. */
const usual = 1_000;

let model: LocalService;
let vectors: LocalService;
let w: World;
let door: Door;
let tree: Tree;
beforeAll(async () => {
  model = await lettersService();
});
afterAll(() => model.close());
beforeEach(async () => {
  vectors = await upstashVector(lettersSize);
  w = await world({ embeddings: lettersModel(model), vectors: { url: vectors.url, token: vectorToken } });
  door = await doorOf(w.app);
  tree = treeOf(w.editor, w.space.id);
  await tree.put('/a', 'We bake a walnut cake on Sundays.');
  await w.runJobs();
});
afterEach(async () => {
  await door.close();
  await w.close();
  await vectors.close();
});

const healthOf = async (path: string) => (await door.fetch(`${door.origin}${path}`)).status;

test(
  'while the vectors hang, jobs that do not need them are done at once, however much waits to be indexed',
  async () => {
    for (let at = 0; at < 20; at += 1) await tree.put(`/waiting-${at}`, 'There is a quince in the garden.');
    vectors.mood = 'hanging';
    const worker = await startWorker(w.app, 2);
    await eventually(async () => expect(vectors.calls.at(-1)?.path).toMatch(/^\/upsert/));
    const notes = notesOf(w.editor, w.space.id);
    const { id } = await notes.note('A note');
    await newComment(w.editor, id, 'A remark');
    const began = performance.now();
    await notes.remove({ id });
    await eventually(async () =>
      expect(await w.app.database.query('select id from "Comment" where "subjectId" = $1', [id])).toEqual([]),
    );
    // Ten seconds and more is what the vectors are waited for.
    expect(performance.now() - began).toBeLessThan(8_000);
    vectors.mood = 'well';
    await worker.stop();
  },
  patient,
);

const tart = 'We bake a plum tart on Mondays.';

describe.each(['failing', 'hanging'] as const)('while the vectors are %s', (mood) => {
  test(
    'others write and read at their usual speed, health says so of the vectors alone, and all is found again by itself when they are back',
    async () => {
      expect(await healthOf('/api/health/vector')).toBe(200);
      vectors.mood = mood;
      const searches = Array.from({ length: 12 }, () => searchAs(w.viewer, 'walnut', { mode: 'SEMANTIC' }));
      const took: number[] = [];
      for (let at = 0; at < 3; at += 1) {
        const began = performance.now();
        expect(await tree.put(`/while-${at}`, tart)).toMatchObject({ code: null });
        expect((await tree.read(`/while-${at}`)).data.treeNode.value).toBe(tart);
        took.push(performance.now() - began);
      }
      expect(Math.min(...took)).toBeLessThan(usual);
      for (const { data, code } of await Promise.all(searches)) {
        expect(code).toBeNull();
        expect(data.search).toMatchObject({ degraded: ['VECTORS'], nodes: [{ reasons: ['WORDS'] }] });
      }

      // After some failures they are not asked any more.
      const calls = vectors.calls.length;
      const began = performance.now();
      expect(await pathsFound(w.viewer, 'walnut', { mode: 'HYBRID' })).toEqual(['/a']);
      expect(performance.now() - began).toBeLessThan(3_000);
      expect(vectors.calls).toHaveLength(calls);
      await w.runJobs();
      expect(await pathsFound(w.viewer, 'plum', { mode: 'EXACT' })).toHaveLength(3);
      expect(await healthOf('/api/health/vector')).toBe(503);
      expect([await healthOf('/api/health'), await healthOf('/api/ready')]).toEqual([200, 200]);

      vectors.mood = 'well';
      await eventually(async () => expect(await healthOf('/api/health/vector')).toBe(200));
      // The clock brings the jobs that have failed, sooner or later.
      await w.app.database.query('update graphile_worker._private_jobs set run_at = now() where attempts > 0', []);
      await w.runJobs();
      expect((await searchAs(w.viewer, 'plum tart', { mode: 'SEMANTIC' })).data.search.degraded).toEqual([]);
      expect((await pathsFound(w.viewer, 'plum tart', { mode: 'SEMANTIC' })).sort()).toEqual([
        '/a',
        '/while-0',
        '/while-1',
        '/while-2',
      ]);
      const left = await w.app.database.query('select id from graphile_worker._private_jobs', []);
      expect(left).toEqual([]);
    },
    patient,
  );
});
