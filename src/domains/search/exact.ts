import type { Ctx } from '../../core/context.js';
import { statementNamed } from '../../core/loaders.js';
import { roles } from '../../core/roles.js';
import { viewersSql } from '../../core/sql.js';
import type { SearchReason, SearchType } from '../../generated/graphql.js';
import type { Prisma } from '../../generated/prisma/client.js';
import { byBest, depth, type Finding, type Lookup, type Question } from './search.js';
import { searchedSql, sources } from './sources.js';
import { isSpelled, spellingsOf, wordsAndOperators, wordsOf } from './words.js';

const mostWords = 24;
/** Of more matches than this, any are ranked. */
const mostRanked = 5_000;
/** The same for each word, where not all have to be there. */
const mostOfWord = 500;

/** A phrase, a word left out, or an alternative. */
const hasOperators = (text: string) => /"|(^|\s)-\S|\sor\s/i.test(text);

/** Findings without those that have what the text leaves out: what is near in meaning often has it. */
export async function withoutLeftOut(
  ctx: Ctx,
  text: string,
  findings: readonly Finding[],
): Promise<readonly Finding[]> {
  const leftOut = wordsAndOperators(text).match(/(?<!\S)-("[^"]*"|[^\s"]+)/g) ?? [];
  if (leftOut.length === 0 || findings.length === 0) return findings;
  const rows = await ctx.app.database.query<{ id: string }>(
    `select "resourceId" as id from websearch_to_tsquery('canopy', $2) q, "SearchText"
     where "resourceId" = any($1::text[]) and numnode(q) > 0 and not tsv @@ q`,
    [findings.map(({ id }) => id), leftOut.join(' ')],
  );
  const having = new Set(rows.map(({ id }) => id));
  return findings.filter(({ id }) => !having.has(id));
}

/** How the words of a text are looked up: a word that stands nowhere, as far as the viewer may see, is one that looks like it. */
export async function lookupOf(ctx: Ctx, { text, ...asked }: Question): Promise<Lookup> {
  if (hasOperators(text)) return { whole: wordsAndOperators(text), part: null, groups: [], isMended: false };
  const words = wordsOf(text).slice(0, mostWords);
  const near = await spellings(ctx, words.filter(isSpelled), asked);
  const groups = words.map((word) => [word, ...(near.get(word) ?? [])].join(' | '));
  return {
    whole: groups.map((group) => `(${group})`).join(' & '),
    part: groups.join(' | '),
    groups,
    isMended: [...near.values()].some(({ length }) => length > 0),
  };
}

/**
 * What the words that stand nowhere are probably meant to be. Words of texts that the viewer may not see are as if they were not there: neither are they
 * found, nor does it show that another was taken for one of them.
 */
async function spellings(
  ctx: Ctx,
  words: readonly string[],
  { spaces, read, types }: Pick<Question, 'spaces' | 'read' | 'types'>,
): Promise<ReadonlyMap<string, string[]>> {
  if (words.length === 0 || types.length === 0) return new Map();
  const statement = statementNamed(`spellings ${types.join()}`, () =>
    viewersSql(3, (visible) => {
      // One that is seen is enough; as a subquery, because of `exists` the planner may make a join over everything.
      const stands = (word: string) =>
        types
          .map((type) => {
            const { shape } = sources[type];
            // Space by space, so that what other spaces have of the word is not read.
            return `(select true from unnest($2::text[]) k(id) cross join lateral (
                select from "SearchText" s join "${shape.model}" t on t.id = s."resourceId"
                where s."spaceId" = k.id and s."resourceType" = '${shape.model}' and s.tsv @@ to_tsquery('canopy', ${word}) and t."spaceId" = k.id
                  and ${searchedSql(sources[type], visible(shape.model, 't'))} limit 1) seen limit 1)`;
          })
          .join(', ');
      return `select w.word as asked, array(select n.word from (
            select v.word from unnest($3::text[]) k(id) join "SearchWord" v on v."spaceId" = k.id and v.word % w.word
            group by v.word order by similarity(v.word, w.word) desc, v.word limit 20) n
          where coalesce(${stands('n.word')})) as near
        from unnest($1::text[]) w(word) where numnode(to_tsquery('canopy', w.word)) > 0 and coalesce(${stands('w.word')}) is null`;
    }),
  );
  const values = [words, spaces, read, ...statement.values(await roles(ctx))];
  const rows = await ctx.app.database.query<{ asked: string; near: string[] }>(statement.text, values);
  return new Map(rows.map(({ asked, near }) => [asked, spellingsOf(asked, near)]));
}

/** What has the words, as the viewer may see it, the best first: what has all of them, then what has some. */
export async function exactHits(ctx: Ctx, question: Question, lookup: Lookup): Promise<Finding[]> {
  if (question.types.length === 0 || question.spaces.length === 0) return [];
  const whole = await ranked(ctx, question, lookup, 'whole');
  if (lookup.part === null || lookup.groups.length < 2 || whole.length >= depth) return whole;
  const known = new Set(whole.map(({ id }) => id));
  const part = await ranked(ctx, question, lookup, 'part');
  return [...whole, ...part.filter(({ id }) => !known.has(id))].slice(0, depth);
}

async function ranked(ctx: Ctx, { spaces, types }: Question, lookup: Lookup, by: 'whole' | 'part'): Promise<Finding[]> {
  const parse = lookup.part === null ? 'websearch_to_tsquery' : 'to_tsquery';
  const statement = statementNamed(`search ${by} ${parse} ${types.join()}`, () =>
    viewersSql(4, (visible) => rankedSql(`${parse}('canopy', $1)`, by, types, visible)),
  );
  const viewer = statement.values(await roles(ctx));
  const rows = await ctx.app.database.query<{ type: SearchType; id: string; score: number; share: number }>(
    statement.text,
    [by === 'whole' ? lookup.whole : lookup.part, spaces, lookup.groups, depth, ...viewer],
  );
  const reasons: SearchReason[] = [by === 'part' ? 'SOME_WORDS' : lookup.isMended ? 'SPELLING' : 'WORDS'];
  return rows
    .map(({ type, id, score, share }) => ({
      type,
      id,
      score: by === 'whole' ? score + 1 : score,
      share,
      reasons,
      chunk: null,
    }))
    .sort(byBest);
}

/** Texts of all types, ranked: by how often the words stand there, for the length of the text, and by how many of them do. */
function rankedSql(
  asked: string,
  by: 'whole' | 'part',
  types: readonly SearchType[],
  visible: (model: Prisma.ModelName, alias: string) => string,
): string {
  const each = types.map((type) => {
    const { shape } = sources[type];
    const rules = searchedSql(sources[type], visible(shape.model, 't'));
    // Space by space, so that what other spaces have of a word is not read.
    const matching = (
      query: string,
      most: number,
    ) => `select '${type}' as type, m.id, m.tsv from unnest($2::text[]) k(id) cross join lateral (
        select s."resourceId" as id, s.tsv from "SearchText" s join "${shape.model}" t on t.id = s."resourceId"
        where s."spaceId" = k.id and s."resourceType" = '${shape.model}' and s.tsv @@ ${query} and t."spaceId" = k.id and ${rules} limit ${most}) m limit ${most}`;
    // Each word has its own share, so that a common one does not crowd out the others.
    return by === 'whole'
      ? `(${matching(asked, mostRanked)})`
      : `select m.* from groups cross join lateral (${matching('one', mostOfWord)}) m`;
  });
  return `with groups as materialized (select to_tsquery('canopy', word) as one from unnest($3::text[]) word),
    found as (select distinct on (id) * from (${each.join(' union all ')}) f)
    select type, id, ts_rank(tsv, ${asked}, 1 | 32) + share as score, share from found,
      lateral (select coalesce((select avg((tsv @@ one)::int) from groups where numnode(one) > 0), 1)::float8 as share) s
    order by score desc, id limit $4`;
}
