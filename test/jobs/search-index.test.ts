import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { addJobs, job } from '../../src/core/jobs.js';
import { addFromLog } from '../../src/jobs/log-reader.js';
import { runDueJobs } from '../../src/jobs/worker.js';
import { anotherApp } from '../support/another-app.js';
import { eventually } from '../support/eventually.js';
import { lettersModel, lettersService, textsSent } from '../support/letters.js';
import type { LocalService } from '../support/local-service.js';
import { pathsFound, searchAs } from '../support/search.js';
import { newSpace } from '../support/tenancy.js';
import { type Tree, treeOf } from '../support/tree.js';
import { type World, world } from '../support/world.js';

let w: World;
let model: LocalService;
let spaceId: string;
let tree: Tree;
beforeAll(async () => {
  model = await lettersService();
  w = await world({ embeddings: lettersModel(model) });
});
beforeEach(async () => {
  ({ id: spaceId } = await newSpace(w.owner));
  tree = treeOf(w.owner, spaceId);
  model.calls.length = 0;
});
afterAll(async () => {
  await w.close();
  await model.close();
});

const found = (text: string, mode: 'EXACT' | 'SEMANTIC' | 'HYBRID' = 'HYBRID') =>
  pathsFound(w.owner, text, { spaceId, mode });

/** What has it says enough to be found by meaning. */
const sentence = (what: string) => `Nobody knows that there is ${what} here.`;

/** How many rows of each kind search keeps of the space. */
async function kept(): Promise<Record<string, number>> {
  const [row] = await w.app.database.query<Record<string, number>>(
    `select (select count(*)::int from "SearchText" where "spaceId" = $1) as texts,
      (select count(*)::int from "Embedding" e join "SearchText" s using ("resourceId") where s."spaceId" = $1) as embeddings,
      (select count(*)::int from "Vector" where namespace = $1) as vectors`,
    [spaceId],
  );
  return row ?? {};
}

const reindex = (space: string | null) =>
  addJobs(w.app.database.query, [job('search.reindex', { spaceId: space, type: null, after: '' })]);

test('what is written, changed, moved, deleted and restored is found as it is now', async () => {
  await tree.put('/a', sentence('walnut'));
  expect(await found('walnut', 'EXACT')).toEqual([]);
  await w.runJobs();
  expect(await found('walnut', 'EXACT')).toEqual(['/a']);
  await tree.put('/a', sentence('hazelnut'));
  await tree.move('/a', '/quince');
  await w.runJobs();
  expect(await found('walnut', 'EXACT')).toEqual([]);
  expect(await found('hazelnut', 'EXACT')).toEqual(['/quince']);
  expect(await found('quince', 'EXACT')).toEqual(['/quince']);
  await tree.remove('/quince');
  expect(await found('hazelnut')).toEqual([]);
  await w.runJobs();
  expect(await found('hazelnut')).toEqual([]);
  expect(await kept()).toEqual({ texts: 0, embeddings: 0, vectors: 0 });
  await tree.restore('/quince');
  await w.runJobs();
  expect(await found('hazelnut')).toEqual(['/quince']);
  expect(await kept()).toEqual({ texts: 1, embeddings: 1, vectors: 1 });
});

test('a text is embedded once, however often it is written, and of a long one only what has changed', async () => {
  const words = (count: number, word: string) => Array.from({ length: count }, (_, at) => `${word}${at}`).join(' ');
  await tree.put('/long', words(500, 'word'));
  await w.runJobs();
  expect(textsSent(model)).toEqual([4]);
  expect(await kept()).toEqual({ texts: 1, embeddings: 4, vectors: 4 });
  model.calls.length = 0;
  await tree.put('/long', words(500, 'word'));
  await tree.put('/long', [words(500, 'word')]);
  await w.runJobs();
  expect(model.calls).toEqual([]);
  await tree.put('/long', `${words(490, 'word')} ${words(10, 'end')}`);
  await w.runJobs();
  expect(textsSent(model)).toEqual([1]);
  await tree.put('/long', sentence('short'));
  await w.runJobs();
  expect(textsSent(model)).toEqual([1, 1]);
  expect(await kept()).toEqual({ texts: 1, embeddings: 1, vectors: 1 });
});

test('many changes before the job runs are one job, and a question is embedded once', async () => {
  for (let n = 0; n < 5; n += 1) await tree.put('/often', sentence(`draft ${n}`));
  await w.runJobs();
  expect(textsSent(model)).toEqual([1]);
  for (let n = 0; n < 3; n += 1) await found('a question never asked before');
  expect(textsSent(model)).toEqual([1, 1]);
});

test('texts of any form are indexed', async () => {
  await tree.put('/empty', null);
  await tree.put('/odd', {
    a: ['tab\there', '\u0001\u0002\u0003', '𝒳 mathematical', { deep: 'walnut' }],
    b: 12.5,
    c: true,
  });
  await tree.put('/wide', Array.from({ length: 20_000 }, (_, at) => `w${at}`).join(' '));
  await w.runJobs();
  expect(await kept()).toMatchObject({ texts: 3 });
  expect(await found('mathematical walnut', 'EXACT')).toEqual(['/odd']);
  expect(await found('w19999', 'EXACT')).toEqual(['/wide']);
  const { data } = await searchAs(w.owner, 'mathematical', { spaceId });
  expect(data.search.nodes[0].highlights.at(-1).text).toContain('𝒳 mathematical');
});

test('everything is made anew from the rows, with equal results', async () => {
  for (const [path, text] of Object.entries({ '/a': 'walnut bread', '/b': 'walnut cake', '/c': 'plum cake' }))
    await tree.put(path, sentence(text));
  await w.runJobs();
  const asked = async () =>
    JSON.stringify(
      await Promise.all(
        (['EXACT', 'SEMANTIC', 'HYBRID'] as const).map((mode) =>
          searchAs(w.owner, 'walnut cake', { spaceId, mode }).then(({ data }) => data),
        ),
      ),
    );
  const before = await asked();
  await w.app.database.query('delete from "SearchText" where "spaceId" = $1 and title <> $2', [spaceId, '/a']);
  await w.app.database.query('delete from "Vector" where namespace = $1', [spaceId]);
  const orphan = {
    resourceType: 'TreeNode',
    resourceId: 'node_gone',
    chunk: 0,
    vector: new Float32Array(27),
    model: 'x',
  };
  await w.app.vectors.upsert(spaceId, [orphan]);
  expect(await asked()).not.toBe(before);
  await reindex(null);
  await w.runJobs();
  expect(await asked()).toBe(before);
  expect(await kept()).toEqual({ texts: 3, embeddings: 3, vectors: 3 });
});

test('another model embeds everything anew, while the old one goes on', async () => {
  await tree.put('/a', sentence('walnut'));
  await w.runJobs();
  const next = await anotherApp(w.databaseUrl, undefined, { embeddings: lettersModel(model, 'letters-2') });
  await addJobs(next.app.database.query, [job('search.catchUp', {})]);
  model.calls.length = 0;
  await runDueJobs(next.app);
  expect(textsSent(model).length).toBeGreaterThan(0);
  const [row] = await next.app.database.query(
    'select e.model from "Embedding" e join "SearchText" s using ("resourceId") where s."spaceId" = $1',
    [spaceId],
  );
  expect(row).toEqual({ model: 'openai:letters-2@27' });
  const vector = (await next.app.embeddings.embed(['walnut']))[0] ?? new Float32Array();
  expect(await next.app.vectors.query(spaceId, vector, { topK: 5, model: next.app.embeddings.model })).toHaveLength(1);
  model.calls.length = 0;
  await addJobs(next.app.database.query, [job('search.catchUp', {})]);
  await runDueJobs(next.app);
  expect(model.calls).toEqual([]);
  await next.close();
});

test('what says little is found by its words alone, and takes no vector; one that it had goes', async () => {
  const values = {
    '/name': 'Walnut',
    '/sensor': { id: 'walnut 17', state: 'on', reading: 4.5 },
    '/link': ['https://walnut.example/a b'],
  };
  for (const [path, value] of Object.entries(values)) await tree.put(path, value);
  await tree.put('/said', { name: 'x', text: sentence('walnut') });
  await w.runJobs();
  expect(textsSent(model)).toEqual([1]);
  expect(await kept()).toEqual({ texts: 4, embeddings: 1, vectors: 1 });
  expect((await found('walnut', 'EXACT')).sort()).toEqual([...Object.keys(values), '/said'].sort());
  expect(await found('walnut here', 'SEMANTIC')).toEqual(['/said']);
  await tree.put('/said', 'walnut');
  await tree.put('/name', sentence('walnut'));
  await w.runJobs();
  expect(await kept()).toEqual({ texts: 4, embeddings: 1, vectors: 1 });
  expect(await found('walnut here', 'SEMANTIC')).toEqual(['/name']);
  const behind =
    'select "resourceId" from "SearchText" where "spaceId" = $1 and (model <> $2 or model is null or version = 0)';
  expect(await w.app.database.query(behind, [spaceId, w.app.embeddings.model])).toEqual([]);
});

test('of thousands of small changes few jobs follow, and what is gone again is forgotten', async () => {
  const path = (at: number) => `/values/${at}`;
  for (let from = 0; from < 250; from += 25)
    await tree.batch(
      Array.from({ length: 25 }, (_, at) => ({ write: { path: path(from + at), value: `plum ${at}` } })),
    );
  await eventually(async () => expect(await addFromLog(w.app)).toBe(true));
  const jobs = `select json_array_length(j.payload->'ids') as count from graphile_worker._private_jobs j where j.payload->>'spaceId' = $1 and j.payload->>'type' = 'TreeNode'`;
  const added = await w.app.database.query<{ count: number }>(jobs, [spaceId]);
  expect(added.length).toBeLessThanOrEqual(4);
  expect(added.reduce((sum, { count }) => sum + count, 0)).toBe(250);
  for (let at = 0; at < 25; at += 1) await tree.remove(path(at));
  await w.runJobs();
  expect(await kept()).toEqual({ texts: 225, embeddings: 0, vectors: 0 });
  expect(textsSent(model)).toEqual([]);
});
