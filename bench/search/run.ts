/**
 * `npm run bench:search` asks the questions of the golden set in each mode and prints nDCG@10, on average and for each kind of question. Fails when searching both
 * ways is worse than either. `-- --misses` lists what HYBRID does not answer well.
 */
import { parseArgs } from 'node:util';
import { search } from '../../src/domains/search/service.js';
import { type GoldenQuery, goldenQueries, goldenTexts, ndcgAt10, nonsense } from './golden.js';
import { type Stage, stageOf } from './stage.js';

const modes = ['EXACT', 'SEMANTIC', 'HYBRID'] as const;
type Mode = (typeof modes)[number];

interface Score {
  readonly query: GoldenQuery;
  readonly found: readonly string[];
  readonly ndcg: number;
}

/** How many of the questions that nothing answers find something by meaning. */
async function foundOfNonsense({ ctx, spaceId }: Stage): Promise<number> {
  let count = 0;
  for (const text of nonsense) {
    const { rows } = await search(ctx(), { text, spaceId, mode: 'SEMANTIC', types: null, first: 1, after: null });
    count += rows.length;
  }
  return count;
}

async function scoresOf({ ctx, spaceId }: Stage): Promise<Record<Mode, Score[]>> {
  const paths = new Map<string, string>();
  const idsOf = async (ids: readonly string[]) => {
    const unknown = ids.filter((id) => !paths.has(id));
    for (const { id, path } of await ctx().db.treeNode.findMany({ where: { id: { in: unknown } } }))
      paths.set(id, path.slice(1));
    return ids.map((id) => paths.get(id) ?? '');
  };
  const scores: Record<Mode, Score[]> = { EXACT: [], SEMANTIC: [], HYBRID: [] };
  for (const query of goldenQueries)
    for (const mode of modes) {
      const { rows } = await search(ctx(), { text: query.text, spaceId, mode, types: null, first: 10, after: null });
      const found = await idsOf(rows.map(({ id }) => id));
      scores[mode].push({ query, found, ndcg: ndcgAt10(found, query.grades) });
    }
  return scores;
}

function mean(scores: readonly Score[], kind: string): number {
  const some = scores.filter(({ query }) => kind === 'all' || query.kind === kind);
  return some.reduce((sum, { ndcg }) => sum + ndcg, 0) / some.length;
}

const misses = (scores: readonly Score[]) =>
  scores
    .filter(({ ndcg }) => ndcg < 0.7)
    .map(
      ({ query, found, ndcg }) => `${ndcg.toFixed(2)} ${query.kind}: ${query.text} → ${found.slice(0, 5).join(' ')}`,
    );

const { values } = parseArgs({ options: { misses: { type: 'boolean' } } });
const stage = await stageOf(goldenTexts);
try {
  const scores = await scoresOf(stage);
  const kinds = [...new Set(goldenQueries.map(({ kind }) => kind))];
  process.stdout.write(`${goldenTexts.length} texts, ${goldenQueries.length} questions, nDCG@10\n\n`);
  process.stdout.write(`${['', ...modes].map((name) => name.padStart(9)).join('')}\n`);
  for (const kind of [...kinds, 'all']) {
    const means = modes.map((mode) => mean(scores[mode], kind).toFixed(3).padStart(9));
    process.stdout.write(`${kind.padStart(9)}${means.join('')}\n`);
  }
  process.stdout.write(
    `\n${await foundOfNonsense(stage)} of ${nonsense.length} nonsensical questions find something by meaning\n`,
  );
  if (values.misses) for (const line of misses(scores.HYBRID)) process.stdout.write(`${line}\n`);
  const [exact, semantic, hybrid] = modes.map((mode) => mean(scores[mode], 'all')) as [number, number, number];
  if (hybrid < Math.max(exact, semantic)) process.exitCode = 1;
} finally {
  await stage.close();
}
