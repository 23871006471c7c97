import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { App } from '../../src/core/context.js';
import { addJobs, job } from '../../src/core/jobs.js';
import { indexResource } from '../../src/jobs/search-index.js';
import { lettersModel, lettersService } from '../support/letters.js';
import type { LocalService } from '../support/local-service.js';
import { newSpace } from '../support/tenancy.js';
import { treeOf } from '../support/tree.js';
import { type World, world } from '../support/world.js';

let w: World;
let model: LocalService;
let spaceId: string;
beforeAll(async () => {
  model = await lettersService();
  w = await world({ embeddings: lettersModel(model) });
});
beforeEach(async () => {
  ({ id: spaceId } = await newSpace(w.owner));
});
afterAll(async () => {
  await w.close();
  await model.close();
});

/** Nodes that search knows, with vectors of none, of an older, of our own and of a newer model. */
const known = (count: number) =>
  w.app.database.query(
    `with nodes as (
        insert into "TreeNode" (id, "spaceId", path, "parentPath", name, depth, value, "contentType", checksum, "sizeBytes")
        select 'node_' || substr($1, 7, 20) || lpad(i::text, 6, '0'), $1, '/' || i, '/', i::text, 1, '1', 'application/json', '', 1 from generate_series(1, $2::int) i
        returning id, path, name)
      insert into "SearchText" ("resourceId", "resourceType", "spaceId", title, body, "contentHash", tsv, model)
      select id, 'TreeNode', $1, path, '', '', '', (array[null, 'a model', $3, 'z model'])[1 + name::int % 4] from nodes`,
    [spaceId, count, w.app.embeddings.model],
  );

test('all that is behind is caught up with in one go, however much it is', async () => {
  await known(2_404);
  await addJobs(w.app.database.query, [job('search.catchUp', {})]);
  await w.runJobs();
  const rows = await w.app.database.query(
    `select model, "contentHash" = '' as "isUntouched", count(*)::int from "SearchText" where "spaceId" = $1 group by 1, 2 order by 2`,
    [spaceId],
  );
  expect(rows).toEqual([
    { model: w.app.embeddings.model, isUntouched: false, count: 1_803 },
    { model: w.app.embeddings.model, isUntouched: true, count: 601 },
  ]);
}, 60_000);

test('a space is indexed anew, however much of it is known', async () => {
  await known(5_200);
  await addJobs(w.app.database.query, [job('search.reindex', { spaceId, type: null, after: '' })]);
  await w.runJobs();
  const rows = await w.app.database.query(
    `select model, count(*)::int from "SearchText" where "spaceId" = $1 and body = '1' group by 1`,
    [spaceId],
  );
  expect(rows).toEqual([{ model: w.app.embeddings.model, count: 5_200 }]);
}, 60_000);

test('what changes all the time keeps no job running, and is known as it is in the end', async () => {
  const tree = treeOf(w.owner, spaceId);
  const sentence = (at: number) => `This is what it says the ${at}th time.`;
  await tree.put('/busy', sentence(0));
  let writes = 0;
  const { embeddings } = w.app;
  const busy: App = {
    ...w.app,
    embeddings: {
      ...embeddings,
      async embed(texts, signal) {
        writes += 1;
        await tree.put('/busy', sentence(writes));
        return embeddings.embed(texts, signal);
      },
    },
  };
  const [node] = await w.app.database.query<{ id: string }>('select id from "TreeNode" where "spaceId" = $1', [
    spaceId,
  ]);
  const { signal } = new AbortController();
  await indexResource(busy, { type: 'TreeNode', id: node?.id ?? '', spaceId }, { signal });
  expect(writes).toBe(3);
  const waiting = `select "runAt" from (select run_at as "runAt" from graphile_worker._private_jobs where key = $1) j`;
  expect(await w.app.database.query(waiting, [`search ${node?.id}`])).toHaveLength(1);
  await w.app.database.query('update graphile_worker._private_jobs set run_at = now()', []);
  await w.runJobs();
  const rows = await w.app.database.query('select body, model from "SearchText" where "spaceId" = $1', [spaceId]);
  expect(rows).toEqual([{ body: sentence(3), model: embeddings.model }]);
});
