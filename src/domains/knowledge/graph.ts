import type { Ctx } from '../../core/context.js';
import { parse } from '../../core/input.js';
import { statementNamed } from '../../core/loaders.js';
import { columnsOf, type Selection } from '../../core/reading.js';
import { roles } from '../../core/roles.js';
import { notGoneSql, type Statement, viewerSql } from '../../core/sql.js';
import type { QueryGraphArgs } from '../../generated/graphql.js';
import { type Ends, seenEnd } from './ends.js';
import { GraphQuestion, type LinkRow, linkShape, maxFollowed } from './link.js';

/** What was found around a thing: ids, the nearest first. */
export interface GraphRow {
  readonly ids: readonly string[];
}

/** The things that links lead to from `root`, level by level, each once: one statement a level, and no more things than `first`. */
export async function graph(ctx: Ctx, ends: Ends, question: QueryGraphArgs): Promise<GraphRow> {
  const { root, depth, first } = parse(GraphQuestion, question);
  await seenEnd(ctx, ends, root);
  const found = new Set([root]);
  let frontier: readonly string[] = [root];
  for (let level = 0; level < depth && frontier.length > 0 && found.size < first; level += 1) {
    frontier = await neighbours(ctx, frontier, [...found], first - found.size);
    for (const id of frontier) found.add(id);
  }
  return { ids: [...found] };
}

// Of each thing the strongest links are followed, in both directions; the viewer sees each of them, and so what it leads to.
const neighboursSql = (): Statement =>
  viewerSql('Link', 4, (visible) => {
    const side = (here: string, there: string) => `(select t."${there}" as id, t.rank from "Link" t
      where t."${here}" = f.id and ${notGoneSql(linkShape)} and ${visible} order by t.rank desc, t.id desc limit $4)`;
    return `select n.id from unnest($1::text[]) f(id)
      cross join lateral (${side('sourceId', 'targetId')} union all ${side('targetId', 'sourceId')}) n
      where not exists (select from unnest($2::text[]) known(id) where known.id = n.id)
      group by n.id order by max(n.rank) desc, n.id desc limit $3`;
  });

async function neighbours(ctx: Ctx, frontier: readonly string[], known: readonly string[], limit: number) {
  const statement = statementNamed('neighbours', neighboursSql);
  const values = [frontier, known, limit, maxFollowed, ...statement.values(await roles(ctx))];
  const rows = await ctx.app.database.query<{ id: string }>(statement.text, values);
  return rows.map(({ id }) => id);
}

/** The links between these things, the strongest first, each once. */
export async function linksAmong(ctx: Ctx, ids: readonly string[], at?: Selection): Promise<LinkRow[]> {
  const columns = columnsOf(linkShape, at, ['rank']);
  const statement = statementNamed(`links among ${columns.join()}`, () =>
    viewerSql(
      'Link',
      2,
      (visible) => `select ${columns.map((column) => `t."${column}"`).join(', ')} 
        from unnest($1::text[]) one(id) join "Link" t on t."sourceId" = one.id join unnest($1::text[]) other(id) on other.id = t."targetId"
        where ${notGoneSql(linkShape)} and ${visible}
        order by t.rank desc, t.id desc limit $2`,
    ),
  );
  const values = [ids, maxFollowed, ...statement.values(await roles(ctx))];
  return ctx.app.database.query<LinkRow>(statement.text, values);
}
