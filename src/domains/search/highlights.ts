import DataLoader from 'dataloader';
import type { Ctx } from '../../core/context.js';
import { loaderNamed } from '../../core/loaders.js';
import type { SearchHighlight, SearchMatch } from '../../generated/graphql.js';
import type { Lookup, SearchHitRow } from './search.js';

/** What is shown of a hit. */
export interface Shown {
  readonly title: string;
  readonly highlights: readonly SearchHighlight[];
}

// Bodies are indexed without control characters, so these stand in none.
const [begin, end, gap] = ['\u0002', '\u0003', '\u0004'];
// Between words they make one of them, which is not how the words were indexed; what stands in for them does not.
const joints = "/.@_-:'";
const standIns = '\u000e\u000f\u0010\u0011\u0012\u0013\u0014';
const marks = `StartSel=${begin}, StopSel=${end}`;
const titleOptions = `${marks}, HighlightAll=true`;
const bodyOptions = `${marks}, MaxFragments=2, MaxWords=40, MinWords=15, ShortWord=0, FragmentDelimiter=${gap}`;
/** Words are looked for in the beginning of a long body. */
const looked = 20_000;
const excerpt = 400;
const longest = 1_000;

/** What is shown of a hit that the viewer was found to see; null for one that is gone. All of a page take one statement. */
export function shownOf(ctx: Ctx, { id, chunk, lookup }: SearchHitRow): Promise<Shown | null> {
  const name = `highlights of ${lookup.part === null} ${lookup.part ?? lookup.whole}`;
  return loaderNamed<Shown | null>(ctx, name, () => new DataLoader((keys) => shownOfAll(ctx, lookup, keys))).load(
    JSON.stringify([id, chunk]),
  );
}

interface Row {
  readonly at: number;
  readonly title: string;
  readonly marked: string;
  readonly words: string;
  readonly piece: string | null;
  readonly beginning: string;
}

async function shownOfAll(ctx: Ctx, lookup: Lookup, keys: readonly string[]): Promise<(Shown | null)[]> {
  const asked = keys.map((key) => JSON.parse(key) as [string, number | null]);
  const rows = await ctx.app.database.query<Row>(sqlOf(lookup.part === null ? 'websearch_to_tsquery' : 'to_tsquery'), [
    lookup.part ?? lookup.whole,
    asked.map(([id]) => id),
    asked.map(([, chunk]) => chunk),
    titleOptions,
    bodyOptions,
    joints,
    standIns,
  ]);
  const shown: (Shown | null)[] = keys.map(() => null);
  for (const row of rows) shown[row.at - 1] = { title: row.title, highlights: highlightsIn(row) };
  return shown;
}

const sqlOf = (
  parse: string,
) => `select k.at::int, s.title, ts_headline('canopy', translate(s.title, $6, $7), q.asked, $4) as marked,
    ts_headline('canopy', translate(left(s.body, ${looked}), $6, $7), q.asked, $5) as words, substr(s.body, e.start + 1, least(e.length, ${excerpt})) as piece, left(s.body, ${excerpt}) as beginning
  from ${parse}('canopy', $1) q(asked) cross join unnest($2::text[], $3::int[]) with ordinality k(id, chunk, at)
  join "SearchText" s on s."resourceId" = k.id left join "Embedding" e on e."resourceId" = k.id and e.chunk = k.chunk`;

/** The title where it has a match, and of the body the matches, or else the piece that is near in meaning, or its beginning. */
function highlightsIn({ marked, words, piece, beginning }: Row): SearchHighlight[] {
  const title = unmarked(marked);
  const body = unmarked(words.replaceAll(gap, ' … '));
  const shown = body.matches.length > 0 ? body : { text: piece ?? beginning, matches: [] };
  return [
    ...(title.matches.length > 0 ? [{ field: 'TITLE' as const, ...title }] : []),
    ...(shown.text === '' ? [] : [{ field: 'BODY' as const, ...shown }]),
  ];
}

function unmarked(text: string): { text: string; matches: SearchMatch[] } {
  const matches: SearchMatch[] = [];
  let plain = '';
  for (const part of restored(text).split(begin)) {
    const [match, rest] = part.includes(end) ? part.split(end) : ['', part];
    if (match) matches.push({ start: plain.length, end: plain.length + match.length });
    plain += `${match}${rest}`;
  }
  return { text: plain.slice(0, longest).toWellFormed(), matches: matches.filter((match) => match.end <= longest) };
}

const restored = (text: string) =>
  [...standIns].reduce((whole, one, at) => whole.replaceAll(one, joints[at] ?? one), text);
