import type { Ctx } from '../../core/context.js';
import { AppError, badInput, notFound } from '../../core/errors.js';
import { newId } from '../../core/ids.js';
import { parse } from '../../core/input.js';
import { load, loadBy, loadExisting } from '../../core/loaders.js';
import { columnsSql } from '../../core/sql.js';
import { type Tx, type Written, write } from '../../core/write.js';
import { writeExisting } from '../../core/write-existing.js';
import type { GrantAccessInput, RevokeAccessInput } from '../../generated/graphql.js';
import { userShape } from '../identity/user.js';
import { linkUrl } from './address.js';
import { type FileRow, fileShape } from './file.js';
import {
  type AccessGrantRow,
  accessGrantShape,
  hashOfToken,
  linkDays,
  maxGrants,
  maxLinkDays,
  NewGrant,
  newLinkToken,
} from './grant.js';
import { assertShares } from './permission.js';
import { lockFile } from './place.js';

const columns = columnsSql(accessGrantShape);
const dayMs = 24 * 60 * 60 * 1_000;

/** A grant, and the address of a link unless an earlier call has shown it. */
export type WrittenGrant = Written<AccessGrantRow> & { readonly url: string | null };

/** Gives someone, or whoever has the link, access to a file. */
export async function grantAccess(ctx: Ctx, input: GrantAccessInput): Promise<WrittenGrant> {
  const grant = parse(NewGrant, input);
  const file = await loadExisting(ctx, fileShape, grant.fileId);
  const scope = { space: file.spaceId };
  const until = expiryOf(ctx, grant.expiresAt ?? null, input.user == null);
  const give = (insert: (tx: Tx) => Promise<AccessGrantRow[]>) =>
    write(ctx, 'file.share', scope, async (tx) => {
      await assertShares(ctx, file);
      await lockFile(tx, file.id);
      const [row] = await insert(tx);
      if (!row) throw notFound();
      await assertFew(tx, file.id);
      tx.emit('file.granted', 'File', file.id, row.userId === null ? {} : { userId: row.userId });
      return row;
    });
  if (input.user == null) {
    if (grant.permission !== 'READ') throw badInput('permission', 'must be READ for a link');
    const token = newLinkToken();
    const written = await give(
      (
        tx,
      ) => tx.sql<AccessGrantRow>`insert into "AccessGrant" (id, "fileId", "spaceId", principal, "tokenHash", permission, "expiresAt", "createdById", "createdAt")
        values (${newId('grant')}, ${file.id}, ${file.spaceId}, 'LINK', ${hashOfToken(token)}, 'READ', ${until}, ${tx.actorId}, ${tx.now}) returning ${columns}`,
    );
    return { ...written, url: written.repeated ? null : linkUrl(ctx.app, file.id, token) };
  }
  const { id, handle } = input.user;
  const user = id == null ? await loadBy(ctx, userShape, 'handle', handle ?? '') : await load(ctx, userShape, id);
  const written = await give((tx) => {
    if (!user) throw notFound();
    return tx.sql<AccessGrantRow>`insert into "AccessGrant" (id, "fileId", "spaceId", principal, "userId", permission, "expiresAt", "createdById", "createdAt")
      values (${newId('grant')}, ${file.id}, ${file.spaceId}, 'USER', ${user.id}, ${grant.permission}::"GrantPermission", ${until}, ${tx.actorId}, ${tx.now})
      on conflict ("fileId", "userId") do update set permission = excluded.permission, "expiresAt" = excluded."expiresAt", "createdById" = excluded."createdById"
      returning ${columns}`;
  });
  return { ...written, url: null };
}

/** Throws when a file has too many grants now; those that have expired are none, and go. Under the lock of the file. */
async function assertFew(tx: Tx, fileId: string): Promise<void> {
  await tx.sql`delete from "AccessGrant" where "fileId" = ${fileId} and "expiresAt" <= ${tx.now}`;
  const [held] = await tx.sql<{
    count: number;
  }>`select count(*)::int as count from "AccessGrant" where "fileId" = ${fileId}`;
  if (held && held.count > maxGrants)
    throw new AppError('QUOTA_EXCEEDED', `A file has at most ${maxGrants} grants; revoke one first.`);
}

function expiryOf({ app }: Ctx, asked: Date | null, isLink: boolean): Date | null {
  const now = app.now().getTime();
  if (asked === null) return isLink ? new Date(now + linkDays * dayMs) : null;
  if (asked.getTime() <= now) throw badInput('expiresAt', 'must be in the future');
  if (isLink && asked.getTime() > now + maxLinkDays * dayMs)
    throw badInput('expiresAt', `must be within ${maxLinkDays} days for a link`);
  return asked;
}

/** Takes a grant back; answers its id. */
export async function revokeAccess(ctx: Ctx, { id }: RevokeAccessInput): Promise<Written<string>> {
  return writeExisting(ctx, 'file.share', accessGrantShape, id, async (tx, { fileId }) => {
    // Whoever sees the grant sees the file.
    const [file] =
      await tx.sql<FileRow>`select ${columnsSql(fileShape)} from "File" where id = ${fileId} and "deletedAt" is null`;
    if (!file) throw notFound();
    await assertShares(ctx, file);
    const [gone] = await tx.sql<AccessGrantRow>`delete from "AccessGrant" where id = ${id} returning ${columns}`;
    if (!gone) throw notFound();
    tx.emit('file.revoked', 'File', file.id, gone.userId === null ? {} : { userId: gone.userId });
    return id;
  });
}
