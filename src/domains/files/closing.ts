import type { Tx } from '../../core/write.js';
import type { Closing } from '../identity/delete-user.js';

/**
 * Files stay with their spaces: the heir's, where the heir has a role in the space; else nobody's, seen by whom they are visible to and by the OWNER of the
 * space. What was granted to the person ends.
 */
export async function leaveAllFiles(tx: Tx, { userId, heirId }: Closing): Promise<void> {
  const files = await tx.sql<{
    id: string;
  }>`select id from "File" where "ownerId" = ${userId} order by "spaceId", path, id for no key update`;
  await tx.sql`update "File" f set "ownerId" = (select m."userId" from "SpaceMember" m where m."spaceId" = f."spaceId" and m."userId" = ${heirId}::text),
    version = version + 1, "updatedAt" = ${tx.now} where f.id = any(${files.map(({ id }) => id)}::text[])`;
  await tx.sql`delete from "AccessGrant" where "userId" = ${userId}`;
}
