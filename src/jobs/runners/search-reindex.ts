import { sources } from '../../domains/search/sources.js';
import { indexResource } from '../search-index.js';
import { indexWords } from '../search-many.js';
import { forgetSome, pageOf } from '../search-upkeep.js';
import type { Runner } from './runner.js';

/** Makes anew what search knows of the space, from what stands in the database. Meanwhile its things are found again bit by bit. */
export const reindexSpace: Runner<'search.reindex'> = async (app, { spaceId }, { signal, report }) => {
  while (!(await forgetSome(app, spaceId))) signal.throwIfAborted();
  const all = Object.entries(sources);
  const indexed: Record<string, number> = {};
  for (const [at, [type, source]] of all.entries()) {
    let count = 0;
    for (let after: string | null = ''; after !== null; ) {
      const found: Awaited<ReturnType<typeof pageOf>> = await pageOf(app, source, spaceId, after);
      const many = { type: source.shape.model, ids: found.map(({ id }) => id), spaceId };
      const left = source.hasMeaning ? await indexWords(app, many, signal) : many.ids;
      report(Math.floor((100 * at) / all.length));
      for (const id of left) {
        signal.throwIfAborted();
        await indexResource(app, { type: many.type, id, spaceId }, { signal });
        report(Math.floor((100 * at) / all.length));
      }
      count += found.length;
      after = found.at(-1)?.id ?? null;
    }
    indexed[type] = count;
  }
  return { result: { indexed } };
};
