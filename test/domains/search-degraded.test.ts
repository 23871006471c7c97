import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { addJobs, job } from '../../src/core/jobs.js';
import { startGateway, type TestGateway } from '../support/gateway.js';
import { lettersModel, lettersOf, lettersService, lettersSize } from '../support/letters.js';
import type { LocalService } from '../support/local-service.js';
import { pathsFound, searchAs } from '../support/search.js';
import { treeOf } from '../support/tree.js';
import { upstashVector, vectorToken } from '../support/upstash-vector.js';
import { type World, world } from '../support/world.js';

let vectors: LocalService;
let model: LocalService;
let w: World;
beforeAll(async () => {
  model = await lettersService();
});
beforeEach(async () => {
  vectors = await upstashVector(lettersSize);
  w = await world({ embeddings: lettersModel(model), vectors: { url: vectors.url, token: vectorToken } });
  await treeOf(w.editor, w.space.id).put('/a', 'We bake a walnut cake on Sundays.');
  await w.runJobs();
});
afterAll(() => model.close());

async function end() {
  model.mood = 'well';
  await w.close();
  await vectors.close();
}

test('by Upstash, searches find and deletions vanish', async () => {
  for (const mode of ['EXACT', 'SEMANTIC', 'HYBRID'] as const)
    expect(await pathsFound(w.viewer, 'walnut cake', { mode })).toEqual(['/a']);
  await treeOf(w.editor, w.space.id).remove('/a');
  await w.runJobs();
  expect(await pathsFound(w.viewer, 'walnut cake')).toEqual([]);
  expect(await w.app.vectors.count(w.space.id)).toBe(0);
  await end();
});

test.each(['failing', 'hanging'] as const)(
  'while the vectors are %s, searches are exact and say so, and writes go on',
  async (mood) => {
    vectors.mood = mood;
    for (const mode of ['SEMANTIC', 'HYBRID'] as const) {
      const began = performance.now();
      const { data, code } = await searchAs(w.viewer, 'walnut', { mode });
      expect(performance.now() - began).toBeLessThan(15_000);
      expect(code).toBeNull();
      expect(data.search).toMatchObject({
        degraded: ['VECTORS'],
        nodes: [{ reasons: ['WORDS'], node: { path: '/a' } }],
      });
    }
    expect((await searchAs(w.viewer, 'walnut', { mode: 'EXACT' })).data.search.degraded).toEqual([]);
    await end();
  },
);

test('while the model is away, searches are exact and say so', async () => {
  model.mood = 'failing';
  const { data } = await searchAs(w.viewer, 'walnut', { mode: 'HYBRID' });
  expect(data.search).toMatchObject({ degraded: ['VECTORS'], nodes: [{ reasons: ['WORDS'] }] });
  await end();
});

test('what is written meanwhile is found by its words at once, and by its meaning when the vectors are back', async () => {
  vectors.mood = 'failing';
  await treeOf(w.editor, w.space.id).put('/b', 'We bake a plum tart on Mondays.');
  await w.runJobs();
  expect(await pathsFound(w.viewer, 'plum', { mode: 'EXACT' })).toEqual(['/b']);
  vectors.mood = 'well';
  await addJobs(w.app.database.query, [job('search.catchUp', {})]);
  await w.runJobs();
  expect(await pathsFound(w.viewer, 'plum tart', { mode: 'SEMANTIC' })).toContain('/b');
  await end();
});

test('an index with a model of its own is handed texts, and embeds them itself', async () => {
  const own = await upstashVector(lettersSize, lettersOf);
  const other = await world({
    vectors: { url: own.url, token: vectorToken },
    embeddings: { inStore: true, model: 'letters', dimensions: lettersSize },
  });
  await treeOf(other.editor, other.space.id).put('/a', 'listen silent listen silent listen silent');
  await treeOf(other.editor, other.space.id).put('/b', 'buzz jazz buzz jazz buzz jazz');
  await other.runJobs();
  expect(await pathsFound(other.viewer, 'tinsel enlist', { mode: 'SEMANTIC', first: 1 })).toEqual(['/a']);
  const commands = new Set(own.calls.map(({ path }) => path.split('/')[1]));
  expect([...commands].sort()).toEqual(['query-data', 'upsert-data']);
  await other.close();
  await own.close();
  await end();
});

test('over HTTP the answer says so beside its data', async () => {
  vectors.mood = 'failing';
  const gateway: TestGateway = await startGateway({ vectors: { url: vectors.url, token: vectorToken } });
  const query = '{ search(text: "water") { totalCount degraded } }';
  const response = await fetch(gateway.demo.graphql, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${gateway.demo.apiKeys[0]?.key}` },
    body: JSON.stringify({ query }),
  });
  expect(await response.json()).toMatchObject({
    data: { search: { degraded: ['VECTORS'] } },
    extensions: { degraded: ['vectors'] },
  });
  await gateway.close();
  await end();
});
