import type { Ctx } from '../../core/context.js';
import { parse } from '../../core/input.js';
import { instantsInJson, jsonRowsSql, rowsOfJson } from '../../core/json-rows.js';
import { statementNamed } from '../../core/loaders.js';
import { readingOf, type Selection } from '../../core/reading.js';
import { roles } from '../../core/roles.js';
import { notGoneSql, type Statement, viewerSql } from '../../core/sql.js';
import type { QueryGraphArgs } from '../../generated/graphql.js';
import type { JsonText } from '../../platform/database/database.js';
import { type Ends, seenEnd } from './ends.js';
import { GraphQuestion, type LinkRow, linkShape, maxFollowed } from './link.js';

/** What was found around a thing, itself included: the ids of things that the viewer sees, the nearest first. Links do not lead out of a space. */
export interface GraphRow {
  readonly spaceId: string;
  readonly ids: readonly string[];
}

/** The things that links lead to from `root`, level by level, each once: one statement a level, and no more things than `first`. */
export async function graph(ctx: Ctx, ends: Ends, question: QueryGraphArgs): Promise<GraphRow> {
  const { root, depth, first } = parse(GraphQuestion, question);
  const { spaceId } = await seenEnd(ctx, ends, root);
  const found = [root];
  let frontier: readonly string[] = found;
  for (let level = 0; level < depth && frontier.length > 0 && found.length < first; level += 1) {
    frontier = await neighbours(ctx, frontier, [...found], first - found.length);
    found.push(...frontier);
  }
  return { spaceId, ids: found };
}

// Looked up in a hash however the statement is planned: as a condition of its own it would be joined, for want of a better guess one by one.
const isAmong = (column: string, ids: string) => `(t."${column}" in (select unnest(${ids}::text[]))) is true`;

// Of each thing the strongest links are followed, in both directions; the viewer sees each of them, and so what it leads to. A level has an end also
// where everything is linked: the things come in their order, and past so many links no more are read.
const neighboursSql = (): Statement =>
  viewerSql('Link', 4, (visible) => {
    const side = (here: string, there: string) => `(select t."${there}" as id, t.rank from "Link" t
      where t."${here}" = f.id and ${notGoneSql(linkShape)} and not ${isAmong(there, '$2')} and ${visible}
      order by t.rank desc, t.id desc limit $4)`;
    return `select n.id from (
        select n.id, n.rank from unnest($1::text[]) with ordinality f(id, i)
        cross join lateral (${side('sourceId', 'targetId')} union all ${side('targetId', 'sourceId')}) n order by f.i limit $4) n
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
  const reading = readingOf(linkShape, at?.planned);
  const statement = statementNamed(`links among ${reading.name}`, () =>
    viewerSql('Link', 2, (visible) => {
      const columns = reading.columns.map((column) => `r."${column}"`).join(', ');
      return jsonRowsSql(`select ${columns} from unnest($1::text[]) one(id) cross join lateral (select * from "Link" t
          where t."sourceId" = one.id and ${notGoneSql(linkShape)} and ${isAmong('targetId', '$1')} and ${visible}
          order by t.rank desc, t.id desc limit $2) r
        order by r.rank desc, r.id desc limit $2`);
    }),
  );
  const values = [ids, maxFollowed, ...statement.values(await roles(ctx))];
  const [found] = await ctx.app.database.query<{ rows: JsonText | null }>(statement.text, values);
  return rowsOfJson<LinkRow>(found?.rows ?? null, instantsInJson(linkShape, reading) ?? []);
}
