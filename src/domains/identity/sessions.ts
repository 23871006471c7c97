import { allow } from '../../core/access.js';
import type { Ctx } from '../../core/context.js';
import { notFound } from '../../core/errors.js';
import { commit, type Written, write } from '../../core/write.js';
import type { RevokeSessionInput } from '../../generated/graphql.js';
import type { IssuerSessionEntry } from '../../platform/issuer/issuer.js';

/** A sign-in with an account of the embedded issuer. */
export type AuthSessionRow = IssuerSessionEntry;

/** The viewer's open sign-ins, the latest used first. */
export async function sessions(ctx: Ctx): Promise<AuthSessionRow[]> {
  const lists = await Promise.all((await subjects(ctx)).map((subject) => ctx.app.issuer.sessions(subject)));
  return lists.flat().sort((a, b) => b.lastUsedAt.getTime() - a.lastUsedAt.getTime());
}

/** What the embedded issuer calls the viewer; nothing for users of other issuers. */
async function subjects({ app, db, viewer }: Ctx): Promise<string[]> {
  if (!viewer?.userId) return [];
  const found = await db.identity.findMany({
    where: { userId: viewer.userId, issuer: app.issuer.name },
    select: { subject: true },
  });
  return found.map(({ subject }) => subject);
}

/**
 * Ends one of the viewer's sign-ins. The issuer ends it first, which is what counts: should the process stop before the event is
 * written, other processes learn of it when their memory of the session ages.
 */
export async function revokeSession(ctx: Ctx, { id }: RevokeSessionInput): Promise<Written<string>> {
  await allow(ctx, 'account.write', { self: true });
  const ended = await Promise.all((await subjects(ctx)).map((subject) => ctx.app.issuer.revokeSession(subject, id)));
  ctx.app.memory.forget([id]);
  return write(ctx, 'account.write', { self: true }, async (tx) => {
    if (!ended.includes(true)) throw notFound();
    tx.emit('session.revoked', 'AuthSession', id);
    return id;
  });
}

/** Lets every process know of sessions that the issuer ended, or gave new secrets, by itself. */
export async function sessionsChanged(
  ctx: Ctx,
  ids: readonly string[],
  type: 'session.revoked' | 'session.rotated',
): Promise<void> {
  ctx.app.memory.forget(ids);
  await commit(ctx, 'account.signIn', { self: true }, ctx.viewer?.userId ?? null, async (tx) => {
    for (const id of ids) tx.emit(type, 'AuthSession', id);
  });
}
