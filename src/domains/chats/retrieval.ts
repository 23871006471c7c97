import { decideFor } from '../../core/access.js';
import type { Ctx } from '../../core/context.js';
import { isSoundText } from '../../core/json.js';
import { statementNamed } from '../../core/loaders.js';
import { roles } from '../../core/roles.js';
import { viewerSql } from '../../core/sql.js';
import type { Found } from '../../platform/assistant/assistant.js';

/** What to look for, and where. */
export interface Search {
  readonly spaceId: string;
  readonly text: string;
  readonly first: number;
}

const maxWords = 8;
const excerptLength = 240;
const common = new Set(
  'about and are can did does for from has have how into its may not our please should show tell than that the their them there they this was what when where which who why will with you your'.split(
    ' ',
  ),
);

/** What a space holds about a text, the best first: nodes of its tree whose path or value holds some of the words, as the viewer may see them. */
export async function searchSpace(ctx: Ctx, { spaceId, text, first }: Search): Promise<Found[]> {
  const words = wordsOf(text);
  if (words.length === 0 || !(await decideFor(ctx, 'tree.read', { space: spaceId })).allowed) return [];
  const statement = statementNamed('search of a space', () =>
    viewerSql(
      'TreeNode',
      3,
      (visible) => `select t.id, t.path as title, t.value::text as value from "TreeNode" t
        cross join lateral (select count(*) as n from unnest($2::text[]) w where t.path ilike w or t.value::text ilike w) matched
        where t."spaceId" = $1 and t."deletedAt" is null and ${visible} and matched.n > 0 order by matched.n desc, t.path limit $3`,
    ),
  );
  const values = [spaceId, words.map((word) => `%${word.replace(/[\\%_]/g, '\\$&')}%`), first];
  const rows = await ctx.app.database.query<{ id: string; title: string; value: string }>(statement.text, [
    ...values,
    ...statement.values(await roles(ctx), spaceId),
  ]);
  return rows.map(({ id, title, value }) => ({ id, type: 'TreeNode', title, excerpt: excerptOf(value, words) }));
}

/** The words that may tell one thing from another. */
function wordsOf(text: string): string[] {
  if (!isSoundText(text)) return [];
  const words = text.toLowerCase().match(/[\p{L}\p{N}][\p{L}\p{M}\p{N}_-]+/gu) ?? [];
  return [...new Set(words)].filter((word) => word.length > 2 && !common.has(word)).slice(0, maxWords);
}

/** The value around the first word that it holds. */
function excerptOf(value: string, words: readonly string[]): string {
  const low = value.toLowerCase();
  const places = words.map((word) => low.indexOf(word)).filter((at) => at >= 0);
  const from = Math.max(0, (places.length > 0 ? Math.min(...places) : 0) - excerptLength / 4);
  const excerpt = value.slice(from, from + excerptLength).toWellFormed();
  return `${from > 0 ? '…' : ''}${excerpt}${from + excerptLength < value.length ? '…' : ''}`;
}
