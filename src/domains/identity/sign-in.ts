import type { App, Ctx } from '../../core/context.js';
import { AppError } from '../../core/errors.js';
import { newId } from '../../core/ids.js';
import { maxEmail, maxName } from '../../core/rules.js';
import { commit, type Tx } from '../../core/write.js';
import type { UserStatus } from '../../generated/prisma/client.js';
import { type ApiKeyRow, keyHash } from './api-key.js';
import { handles } from './handle.js';
import { lastUsed } from './last-used.js';

/** Someone as an issuer vouches for them. */
export interface Subject {
  readonly issuer: string;
  readonly subject: string;
  readonly email: string | null;
  readonly emailVerified: boolean;
  readonly name: string | null;
}

interface Known {
  readonly id: string;
  readonly status: UserStatus;
  readonly lastLoginAt: Date | null;
}

const hourMs = 3_600_000;

export const refused = () =>
  new AppError('UNAUTHENTICATED', 'The credential is not valid, has expired or was revoked.');

/** The id of the user behind a subject, who is made at first sight. UNAUTHENTICATED when they are suspended or have closed their account. */
export async function signIn(ctx: Ctx, subject: Subject): Promise<string> {
  const { app } = ctx;
  const user = (await find(app, subject)) ?? (await register(ctx, subject));
  // Closing an account ends here when it was cut short before the issuer forgot the subject.
  if (user.status === 'DELETED' && subject.issuer === app.issuer.name) await app.issuer.removeSubject(subject.subject);
  if (user.status !== 'ACTIVE') throw refused();
  const last = user.lastLoginAt?.getTime() ?? 0;
  if (app.now().getTime() - last >= hourMs) lastUsed(app).signIn(user.id);
  return user.id;
}

/** What is left of the subject of a closed account, so that it stays refused. */
export const spentSubject = `'sha256:' || encode(sha256(convert_to($2, 'UTF8')), 'hex')`;

async function find({ database }: App, { issuer, subject }: Subject): Promise<Known | null> {
  const [user] = await database.query<Known>(
    `select u.id, u.status, p."lastLoginAt" from "Identity" i join "User" u on u.id = i."userId" left join "Profile" p on p."userId" = u.id
      where i.issuer = $1 and i.subject in ($2, ${spentSubject})`,
    [issuer, subject],
  );
  return user ?? null;
}

async function register(ctx: Ctx, subject: Subject): Promise<Known> {
  const id = newId('user');
  const { value } = await commit(ctx, 'account.signIn', { self: true }, id, async (tx) => {
    // Two first sights of one subject come one after the other, and the second finds the user of the first.
    await tx.sql`select pg_advisory_xact_lock(hashtextextended(${`subject ${subject.issuer} ${subject.subject}`}, 0))::text as locked`;
    const [known] = await tx.sql<
      Pick<Known, 'id' | 'status'>
    >`select u.id, u.status from "Identity" i join "User" u on u.id = i."userId"
      where i.issuer = ${subject.issuer} and i.subject = ${subject.subject}`;
    if (known) {
      tx.audit('account.signIn', { resourceType: 'User', resourceId: known.id });
      return { ...known, lastLoginAt: tx.now };
    }
    await insertUser(tx, id, subject);
    await tx.sql`insert into "Profile" ("userId", "lastLoginAt") values (${id}, ${tx.now})`;
    await tx.sql`insert into "Identity" (issuer, subject, "userId", "createdAt") values (${subject.issuer}, ${subject.subject}, ${id}, ${tx.now})`;
    tx.emit('user.created', 'User', id);
    return { id, status: 'ACTIVE' as const, lastLoginAt: tx.now };
  });
  return value;
}

async function insertUser(tx: Tx, id: string, { email, emailVerified, name }: Subject): Promise<void> {
  const address = emailVerified && email && email.length <= maxEmail ? email : null;
  const shown = (name ?? '').toWellFormed().replace(/\p{C}/gu, '').trim().slice(0, maxName).toWellFormed();
  for (const handle of handles(address?.split('@')[0] ?? shown)) {
    // Whoever has the address already keeps it: that two issuers name it does not make two subjects one person.
    const inserted = await tx.sql`insert into "User" (id, handle, name, email, "createdAt", "updatedAt")
      select ${id}, ${handle}, ${shown || handle}, (select ${address}::citext where not exists (select from "User" where email = ${address}::citext)), ${tx.now}, ${tx.now}
      on conflict do nothing returning id`;
    if (inserted.length > 0) return;
  }
  throw new AppError('CONFLICT', 'No free handle was found; try again.', { retryable: true });
}

/** The key of this secret with its owner, or null: unknown, revoked, or of an owner who is gone. */
export async function keyOf({ database }: App, secret: string): Promise<ApiKeyOwner | null> {
  const [key] = await database.query<ApiKeyOwner>(
    `select k.id, k."userId", k."organizationId", k.scopes, k."spaceIds", k."expiresAt" from "ApiKey" k
      left join "User" u on u.id = k."userId" left join "Organization" o on o.id = k."organizationId"
      where k.hash = $1 and k."revokedAt" is null and (u.status = 'ACTIVE' or (o.id is not null and o."deletedAt" is null))`,
    [keyHash(secret)],
  );
  return key ?? null;
}

export type ApiKeyOwner = Pick<ApiKeyRow, 'id' | 'userId' | 'organizationId' | 'scopes' | 'spaceIds' | 'expiresAt'>;
