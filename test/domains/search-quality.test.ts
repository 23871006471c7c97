import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { goldenQueries, goldenTexts, ndcgAt10, nonsense } from '../../bench/search/golden.js';
import { commit } from '../../src/core/write.js';
import { search } from '../../src/domains/search/service.js';
import { put } from '../../src/domains/tree/store.js';
import { seal } from '../../src/domains/tree/value.js';
import type { SearchMode } from '../../src/generated/graphql.js';
import { contextIn } from '../support/another-app.js';
import { type World, world } from '../support/world.js';

let w: World;
const ids = new Map<string, string>();
beforeAll(async () => {
  w = await world();
  await commit(contextIn(w.app, w.owner.viewer), 'tree.write', { space: w.space.id }, w.owner.id, async (tx) => {
    for (const { id, text } of goldenTexts)
      ids.set((await put(tx, { spaceId: w.space.id, path: `/${id}` }, seal(text), null)).id, id);
  });
  await w.runJobs();
}, 120_000);
afterAll(() => w.close());

async function quality(mode: SearchMode): Promise<number> {
  const ctx = contextIn(w.app, w.viewer.viewer);
  let sum = 0;
  for (const { text, grades } of goldenQueries) {
    const { rows } = await search(ctx, { text, mode, spaceId: w.space.id, types: null, first: 10, after: null });
    sum += ndcgAt10(
      rows.map(({ id }) => ids.get(id) ?? ''),
      grades,
    );
  }
  return sum / goldenQueries.length;
}

test('by words and meaning together, the golden set is answered at least as well as by either', async () => {
  const [exact, semantic, hybrid] = [await quality('EXACT'), await quality('SEMANTIC'), await quality('HYBRID')];
  expect(hybrid).toBeGreaterThanOrEqual(Math.max(exact, semantic));
  expect(hybrid).toBeGreaterThan(0.8);
}, 60_000);

test('what means nothing finds nothing, by meaning or together with words', async () => {
  const ctx = contextIn(w.app, w.viewer.viewer);
  const found = async (text: string, mode: SearchMode) =>
    (await search(ctx, { text, mode, spaceId: w.space.id, types: null, first: 1, after: null })).rows.length;
  for (const mode of ['SEMANTIC', 'HYBRID'] as const)
    for (const text of nonsense)
      expect({ mode, text, found: await found(text, mode) }).toEqual({ mode, text, found: 0 });
});
