import { decideFor } from '../../core/access.js';
import type { Ctx } from '../../core/context.js';
import { AppError } from '../../core/errors.js';
import { roles, spaceRoleHolds } from '../../core/roles.js';
import { commit, type Tx, type Written, write } from '../../core/write.js';
import type { FileRow } from './file.js';
import { lockFile } from './place.js';

type Place = Pick<FileRow, 'id' | 'spaceId'>;

/** Whether `writeContent` lets the viewer. */
export const mayWriteContent = async (ctx: Ctx, file: Place): Promise<boolean> =>
  (await decideFor(ctx, 'file.write', { space: file.spaceId })).allowed || (await granteeOf(ctx, file)) !== null;

/** Changes the content of a file that the viewer sees: as an EDITOR of its space, or by a grant to WRITE. */
export async function writeContent<T>(ctx: Ctx, file: Place, change: (tx: Tx) => Promise<T>): Promise<Written<T>> {
  const scope = { space: file.spaceId };
  const { allowed } = await decideFor(ctx, 'file.write', scope);
  const grantee = allowed ? null : await granteeOf(ctx, file);
  const locked = async (tx: Tx) => {
    await lockFile(tx, file.id);
    return change(tx);
  };
  if (grantee === null) return write(ctx, 'file.write', scope, locked);
  return commit(ctx, 'file.write', scope, grantee, async (tx) => {
    await lockFile(tx, file.id);
    const [grant] = await tx.sql`select id from "AccessGrant" where "fileId" = ${file.id} and "userId" = ${grantee}
      and permission = 'WRITE' and ("expiresAt" is null or "expiresAt" > now()) for share`;
    if (!grant) throw new AppError('FORBIDDEN', 'The grant has been taken back.');
    return change(tx);
  });
}

/** The viewer's user id, when a grant lets them change the file. */
async function granteeOf({ viewer, db }: Ctx, { id, spaceId }: Place): Promise<string | null> {
  if (!viewer?.userId || viewer.scopes?.has('files:write') === false) return null;
  if (viewer.spaceIds?.has(spaceId) === false) return null;
  const grant = await db.accessGrant.findFirst({
    where: { fileId: id, userId: viewer.userId, permission: 'WRITE' },
    select: { id: true },
  });
  return grant && viewer.userId;
}

/** Throws unless the viewer may say who else sees the file: its owner, or an ADMIN of its space. */
export async function assertShares(
  ctx: Ctx,
  { spaceId, ownerId }: Pick<FileRow, 'spaceId' | 'ownerId'>,
): Promise<void> {
  const role = (await roles(ctx)).spaces.get(spaceId) ?? null;
  if (spaceRoleHolds(role, 'ADMIN') || (ownerId !== null && ownerId === ctx.viewer?.userId)) return;
  throw new AppError('FORBIDDEN', 'Only the owner of the file and an ADMIN of the space say who sees it.');
}
