import { LRUCache } from 'lru-cache';
import { type App, type Ctx, perApp } from '../../core/context.js';
import { statementNamed } from '../../core/loaders.js';
import { roles } from '../../core/roles.js';
import { viewersSql } from '../../core/sql.js';
import type { SearchType } from '../../generated/graphql.js';
import type { Asked } from '../../platform/embeddings/embeddings.js';
import type { VectorMatch } from '../../platform/vectors/vectors.js';
import { stopWords } from '../knowledge/stop-words.js';
import { byBest, depth, type Finding, type Question } from './search.js';
import { searchedSql, sources } from './sources.js';
import { wordsOf } from './words.js';

/** Spaces that are asked at once: each is a call to the vectors. */
const mostSpaces = 20;
const firstTop = 200;
const mostTop = 1_000;
const patienceMs = 3_000;

const questions = perApp(() => new LRUCache<string, Asked>({ max: 500 }));

/** What a question is compared by; the same one is embedded once, whoever asks it. */
async function askedOf({ embeddings }: App, known: LRUCache<string, Asked>, text: string): Promise<Asked> {
  const asked = known.get(text) ?? (await embeddings.ask(text, AbortSignal.timeout(patienceMs)));
  known.set(text, asked);
  return asked;
}

/** Models make something even of what says nothing. */
const saysNothing = (text: string) => wordsOf(text).every((word) => stopWords.has(word));

/** What is near in meaning, as the viewer may see it, the nearest first. Asks for more until enough of it may be seen, or there is no more. */
export async function semanticHits(ctx: Ctx, question: Question): Promise<Finding[]> {
  const spaces = question.spaces.slice(0, mostSpaces);
  if (question.types.length === 0 || spaces.length === 0 || saysNothing(question.text)) return [];
  const { vector, floor } = await askedOf(ctx.app, questions(ctx.app), question.text);
  const types = question.types.map((type) => sources[type].shape.model);
  const { model } = ctx.app.embeddings;
  for (let topK = firstTop; ; topK = Math.min(topK * 3, mostTop)) {
    const answers = await Promise.all(
      spaces.map((space) => ctx.app.vectors.query(space, vector, { topK, types, model })),
    );
    const best = nearest(answers.flat(), floor);
    const seen = await visibleOf(ctx, { ...question, spaces }, best);
    // There is no more where each space answered less than it was asked for, or what came last is too far away.
    const exhausted = answers.every((one) => one.length < topK || (one.at(-1)?.score ?? 0) < floor);
    if (seen.length >= depth || exhausted || topK === mostTop) return seen.slice(0, depth);
  }
}

/** The best piece of each resource, of those that are near enough. */
function nearest(matches: readonly VectorMatch[], floor: number): ReadonlyMap<string, VectorMatch> {
  const best = new Map<string, VectorMatch>();
  for (const match of matches)
    if (match.score >= floor && match.score > (best.get(match.resourceId)?.score ?? -1))
      best.set(match.resourceId, match);
  return best;
}

/** Those that the viewer may see, where the search is. */
async function visibleOf(
  ctx: Ctx,
  { types, spaces }: Question,
  best: ReadonlyMap<string, VectorMatch>,
): Promise<Finding[]> {
  if (best.size === 0) return [];
  const statement = statementNamed(`searched ${types.join()}`, () =>
    viewersSql(2, (visible) =>
      types
        .map((type) => {
          const { shape } = sources[type];
          const rules = searchedSql(sources[type], visible(shape.model, 't'));
          return `select '${type}' as type, t.id from "${shape.model}" t where t.id = any($1::text[]) and t."spaceId" = any($2::text[]) and ${rules}`;
        })
        .join(' union all '),
    ),
  );
  const values = [[...best.keys()], spaces, ...statement.values(await roles(ctx))];
  const rows = await ctx.app.database.query<{ type: SearchType; id: string }>(statement.text, values);
  return rows
    .map(({ type, id }): Finding => {
      const { score = 0, chunk = 0 } = best.get(id) ?? {};
      return { type, id, score, share: 1, reasons: ['MEANING'], chunk };
    })
    .sort(byBest);
}
