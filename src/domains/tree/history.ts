import type { Ctx } from '../../core/context.js';
import { statementNamed } from '../../core/loaders.js';
import { roles } from '../../core/roles.js';
import { viewerSql } from '../../core/sql.js';

/** What stood at a path at a time, or null. The node that was there may have moved or been deleted since. */
export async function valueAsOf(
  ctx: Ctx,
  spaceId: string,
  path: string,
  asOf: Date,
): Promise<{ value: unknown; version: number } | null> {
  // The last version of each node that ever was at this path; the one that was there then and not deleted is the answer.
  const statement = statementNamed('value as of', () =>
    viewerSql(
      'TreeNodeVersion',
      3,
      (visible) => `select t.value, t.version
      from (select distinct "nodeId" from "TreeNodeVersion" where "spaceId" = $1 and path = $2 and "createdAt" <= $3) ever
      cross join lateral (select * from "TreeNodeVersion" v where v."nodeId" = ever."nodeId" and v."createdAt" <= $3 order by v.version desc limit 1) t
      where t.path = $2 and t.operation <> 'DELETE' and ${visible} order by t."createdAt" desc limit 1`,
    ),
  );
  const values = statement.values(await roles(ctx), spaceId);
  const [row] = await ctx.app.database.query<{ value: unknown; version: number }>(statement.text, [
    spaceId,
    path,
    asOf,
    ...values,
  ]);
  return row ?? null;
}
