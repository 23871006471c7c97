import type { Ctx } from '../../core/context.js';
import { parse } from '../../core/input.js';
import { type Order, type PageArgs, pageOf, windowOf } from '../../core/page.js';
import type { QuerySearchArgs, SearchMode, SearchType } from '../../generated/graphql.js';
import { EmbeddingsUnavailable } from '../../platform/embeddings/embeddings.js';
import { VectorsUnavailable } from '../../platform/vectors/vectors.js';
import { exactHits, lookupOf, withoutLeftOut } from './exact.js';
import { fuse } from './fusion.js';
import { shownOf } from './highlights.js';
import { placesOf } from './places.js';
import { type Finding, type Question, type SearchConnectionRow, type SearchHitRow, SearchText } from './search.js';
import { semanticHits } from './semantic.js';
import { searchTypes, sources } from './sources.js';

const order: Order = { columns: ['score', 'id'], direction: 'desc' };

/** One page of what a text finds, the best first. */
export async function search(ctx: Ctx, args: QuerySearchArgs): Promise<SearchConnectionRow> {
  const { text } = parse(SearchText, { text: args.text });
  const types = typesOf(ctx, args.types);
  const question = { text, types, mode: args.mode, ...(await placesOf(ctx, args.spaceId)) };
  const title = `search ${JSON.stringify([text, args.spaceId, types, args.mode])}`;
  const window = windowOf({ first: args.first, after: args.after }, order, title);
  const { hits, degraded } = await find(ctx, question);
  const from = window.after ? placeAfter(hits, window.after) : 0;
  const page = pageOf(hits.slice(from, from + window.size + 1), window, order, title, async () => hits.length);
  return Object.assign(page, { degraded });
}

/** The place behind a cursor: behind its hit, wherever that stands now, or else where its score would. */
function placeAfter(hits: readonly SearchHitRow[], [score, id]: readonly unknown[]): number {
  const known = hits.findIndex((hit) => hit.id === id);
  if (known >= 0) return known + 1;
  const next = hits.findIndex((hit) => hit.score < Number(score));
  return next < 0 ? hits.length : next;
}

/** The types that were asked for and that the credential may read. */
function typesOf({ viewer }: Ctx, asked: QuerySearchArgs['types']): SearchType[] {
  const scopes = viewer?.scopes;
  return searchTypes.filter((type) => asked?.includes(type) !== false && (!scopes || scopes.has(sources[type].scope)));
}

async function find(
  ctx: Ctx,
  question: Question,
): Promise<Pick<SearchConnectionRow, 'degraded'> & { hits: SearchHitRow[] }> {
  const { mode } = question;
  const lookup = await lookupOf(ctx, question);
  const semantic = mode === 'EXACT' ? [] : await withoutVectors(ctx, semanticHits(ctx, question));
  const exact = mode === 'SEMANTIC' && semantic ? [] : await exactHits(ctx, question, lookup);
  const found: Finding[] =
    mode === 'HYBRID' && semantic
      ? fuse(exact, await withoutLeftOut(ctx, question.text, semantic))
      : [...exact, ...(semantic ?? [])];
  return { hits: found.map((hit) => ({ ...hit, lookup })), degraded: semantic ? [] : ['VECTORS'] };
}

/** Null where the vectors, or what makes them, cannot be had. */
async function withoutVectors<T>({ app, degraded }: Ctx, finding: Promise<T>): Promise<T | null> {
  try {
    return await finding;
  } catch (error) {
    if (!isOutage(error)) throw error;
    degraded.add('vectors');
    app.log.warn('A search found nothing by meaning.', { error });
    return null;
  }
}

const isOutage = (error: unknown) =>
  error instanceof VectorsUnavailable ||
  error instanceof EmbeddingsUnavailable ||
  (error instanceof DOMException && error.name === 'TimeoutError');

/** A hit as an assistant reads it. */
export interface Excerpt {
  readonly id: string;
  readonly type: SearchType;
  readonly title: string;
  readonly excerpt: string;
}

/** The best of what a text finds in one space, as the viewer may see it. */
export async function searchSpace(
  ctx: Ctx,
  {
    spaceId,
    text,
    first,
    mode,
  }: { spaceId: string; text: string; mode: SearchMode } & Required<Pick<PageArgs, 'first'>>,
): Promise<Excerpt[]> {
  const { rows } = await search(ctx, { spaceId, text, first, types: null, mode, after: null });
  const shown = await Promise.all(rows.map((hit) => shownOf(ctx, hit)));
  return rows.flatMap(({ id, type }, at) => {
    const { title, highlights } = shown[at] ?? {};
    const excerpt = highlights?.find(({ field }) => field === 'BODY')?.text ?? '';
    return title === undefined ? [] : [{ id, type, title, excerpt }];
  });
}
