import { enter } from '../../core/access.js';
import type { Ctx } from '../../core/context.js';
import { statementNamed } from '../../core/loaders.js';
import { roles } from '../../core/roles.js';
import { viewersSql } from '../../core/sql.js';
import { fileShape } from '../files/file.js';
import { searchedSql, sources } from './sources.js';

/** Where to search. */
export interface Places {
  readonly spaces: readonly string[];
  /** Those of them that the viewer reads: what is misspelt is taken for a word of theirs. */
  readonly read: readonly string[];
}

/** A space that the viewer may read, or all in which they have a role, then those of which they see something without one; each the newest first. */
export async function placesOf(ctx: Ctx, spaceId: string | null | undefined): Promise<Places> {
  if (spaceId != null) {
    await enter(ctx, 'search.read', { space: spaceId });
    return { spaces: [spaceId], read: [spaceId] };
  }
  const read = [...(await roles(ctx)).spacesWith('VIEWER')].sort().reverse();
  return { spaces: [...read, ...(await otherPlaces(ctx, read))], read };
}

/** The spaces besides `read` of which the viewer sees something: those of their organizations, and those whose files were granted to them. */
async function otherPlaces(ctx: Ctx, read: readonly string[]): Promise<string[]> {
  const held = await roles(ctx);
  const statement = statementNamed('other places of a search', () =>
    viewersSql(3, (visible) => {
      const seen = searchedSql(sources.FILE, visible(fileShape.model, 't'));
      // Not `exists`, which the planner may answer from a hash of what all organizations share.
      return `select s.id from "Space" s where s."organizationId" = any($2::text[]) and s.id <> all($1::text[]) and s."deletedAt" is null
          and (s.visibility = 'PUBLIC' or (select true from "File" t where t."spaceId" = s.id and t.visibility in ('ORGANIZATION', 'PUBLIC') and ${seen} limit 1))
        union select t."spaceId" from "AccessGrant" g join "File" t on t.id = g."fileId"
          where g."userId" = $3::text and g."spaceId" <> all($1::text[]) and (g."expiresAt" is null or g."expiresAt" > now()) and ${seen}
        order by id desc`;
    }),
  );
  const values = [read, held.organizationsWith('MEMBER'), held.userId, ...statement.values(held)];
  const rows = await ctx.app.database.query<{ id: string }>(statement.text, values);
  return rows.map(({ id }) => id);
}
