import type { Ctx } from '../../core/context.js';
import { badInput, notFound } from '../../core/errors.js';
import { roles } from '../../core/roles.js';
import { sqlText } from '../../core/sql.js';
import { type Tx, type Written, write } from '../../core/write.js';
import type { DeleteUserInput } from '../../generated/graphql.js';
import { spentSubject } from './sign-in.js';

/** An account that is being closed, and who receives its personal spaces; without an heir they are deleted. */
export interface Closing {
  readonly userId: string;
  readonly heirId: string | null;
}

/** Takes the user out of what domains newer than this one keep, within the transaction, while they are still who they are. */
export type Leave = (tx: Tx, closing: Closing) => Promise<void>;

/**
 * Closes the viewer's account in one transaction. What remains of a person is a row without anything personal, which what they wrote elsewhere
 * points to, and digests of their subjects, by which credentials of issuers stay refused.
 */
export async function deleteUser(ctx: Ctx, { mode, to }: DeleteUserInput, leave: Leave): Promise<Written<string>> {
  const { app, viewer } = ctx;
  const userId = viewer?.userId ?? '';
  const heirId = mode === 'TRANSFER' ? (to ?? null) : null;
  if (mode === 'TRANSFER' && !heirId) throw badInput('to', 'must be given for TRANSFER');
  if (mode === 'ANONYMIZE' && to) throw badInput('to', 'is for TRANSFER only');
  if (heirId && heirId === userId) throw badInput('to', 'must be another user');
  let subjects: string[] = [];
  const change = async (tx: Tx) => {
    await lockUsers(ctx, tx, userId, heirId);
    await leave(tx, { userId, heirId });
    subjects = await forget(tx, userId, app.issuer.name);
    tx.emit('user.deleted', 'User', userId, {}, { operation: 'DELETE' });
    return userId;
  };
  const written = await write(ctx, 'account.delete', { self: true }, change, {
    subject: { resourceType: 'User', resourceId: userId },
  });
  await forgetSubjects(ctx, userId, subjects);
  return written;
}

/** The account is closed by now. Should the issuer not forget a subject here, it will when the subject is next seen. */
async function forgetSubjects({ app }: Ctx, userId: string, subjects: readonly string[]): Promise<void> {
  try {
    for (const subject of subjects) await app.issuer.removeSubject(subject);
  } catch (error) {
    app.log.error('The issuer still has the subject of a closed account.', { userId, error });
  }
}

/** Holds both people still; NOT_FOUND for an heir whom the viewer shares neither a space nor an organization with. */
async function lockUsers(ctx: Ctx, tx: Tx, userId: string, heirId: string | null): Promise<void> {
  const held = await roles(ctx);
  const users = await tx.sql<{
    id: string;
  }>`select id from "User" u where id = any(${[userId, heirId ?? userId]}::text[]) and status = 'ACTIVE' and (
      id = ${userId}
      or exists (select from "SpaceMember" m where m."userId" = u.id and m."spaceId" = any(${[...held.spaces.keys()]}::text[]))
      or exists (select from "OrganizationMember" m where m."userId" = u.id and m."organizationId" = any(${[...held.organizations.keys()]}::text[]))
    ) order by id for update`;
  if (users.length < (heirId ? 2 : 1)) throw notFound();
}

const digest = sqlText(spentSubject.replace('$2', 'subject'));

/** Removes everything personal; answers what the embedded issuer called the user. */
async function forget(tx: Tx, userId: string, issuer: string): Promise<string[]> {
  const keys = await tx.sql<{ id: string }>`delete from "ApiKey" where "userId" = ${userId} returning id`;
  const subjects = await tx.sql<{
    subject: string;
  }>`select subject from "Identity" where "userId" = ${userId} and issuer = ${issuer}`;
  await tx.sql`update "Identity" set subject = ${digest} where "userId" = ${userId}`;
  await tx.sql`delete from "IdempotencyRecord" where "actorKey" = any(${[userId, ...keys.map(({ id }) => id)]}::text[])`;
  await tx.sql`delete from "Profile" where "userId" = ${userId}`;
  await tx.sql`update "User" set status = 'DELETED', handle = 'deleted-' || substr(id, 6), name = 'Deleted user', email = null, "avatarUrl" = null,
    "anonymizedAt" = ${tx.now}, "updatedAt" = ${tx.now}, version = version + 1 where id = ${userId}`;
  return subjects.map(({ subject }) => subject);
}
