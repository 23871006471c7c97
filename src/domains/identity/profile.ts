import type { Ctx } from '../../core/context.js';
import { badInput } from '../../core/errors.js';
import { parse } from '../../core/input.js';
import { canonicalJson, mergePatch } from '../../core/json.js';
import { load, loadBy } from '../../core/loaders.js';
import type { Selection } from '../../core/reading.js';
import { columnsSql } from '../../core/sql.js';
import { unchanged } from '../../core/versions.js';
import { type Tx, type Written, write } from '../../core/write.js';
import type { UpdateProfileInput, UserBy } from '../../generated/graphql.js';
import { administers, readsAsSelf } from './loaders.js';
import { maxPreferencesBytes, ProfileChange, type UserRow, userShape } from './user.js';

/** The user of an id or a handle, or null. */
export async function user(ctx: Ctx, { id, handle }: UserBy, at?: Selection): Promise<UserRow | null> {
  if (id != null) return load(ctx, userShape, id, at);
  return loadBy(ctx, userShape, 'handle', handle ?? '', at);
}

/** A user's e-mail address, for themselves and for admins of an organization of theirs. */
export async function emailOf(ctx: Ctx, { id, email }: UserRow): Promise<string | null> {
  if (readsAsSelf(ctx, id)) return email ?? signedUpWith(ctx, id);
  return (await administers(ctx, id)) ? email : null;
}

/** The address that somebody signed up with at the embedded issuer, verified or not; for themselves only. */
async function signedUpWith({ app }: Ctx, userId: string): Promise<string | null> {
  const [account] = await app.database.query<{ email: string }>(
    `select a.email from "Identity" i join "IssuerUser" a on a.id = i.subject where i."userId" = $1 and i.issuer = $2`,
    [userId, app.issuer.name],
  );
  return account?.email ?? null;
}

const columns = columnsSql(userShape);

/** Changes what is given of the viewer's own user and profile. */
export async function updateProfile(ctx: Ctx, input: UpdateProfileInput): Promise<Written<UserRow>> {
  const { version, name, handle, avatarUrl, fullName, bio, preferences } = parse(ProfileChange, input);
  const userId = ctx.viewer?.userId ?? '';
  // Patches of preferences merge, so they make nobody's version stale.
  const step = [name, handle, avatarUrl, fullName, bio].some((value) => value !== undefined) ? 1 : 0;
  const change = async (tx: Tx) => {
    const [row] =
      await tx.sql<UserRow>`update "User" set name = coalesce(${name ?? null}, name), handle = coalesce(${handle ?? null}::citext, handle),
        "avatarUrl" = case when ${avatarUrl !== undefined}::boolean then ${avatarUrl ?? null} else "avatarUrl" end, version = version + ${step}::int, "updatedAt" = ${tx.now}
      where id = ${userId} and status = 'ACTIVE' and (${version ?? null}::int is null or version = ${version ?? null}) returning ${columns}`;
    if (!row) throw await unchanged(tx, userShape, userId);
    if (fullName !== undefined || bio !== undefined || preferences)
      await changeProfile(tx, userId, { fullName, bio, preferences });
    tx.emit('user.updated', 'User', userId, { version: row.version });
    return row;
  };
  return write(ctx, 'account.write', { self: true }, change, { subject: { resourceType: 'User', resourceId: userId } });
}

type Change = Pick<ReturnType<typeof ProfileChange.parse>, 'fullName' | 'bio' | 'preferences'>;

// The user's row is locked by now, so of two patches the later one merges into what the earlier one left.
async function changeProfile(tx: Tx, userId: string, { fullName, bio, preferences }: Change): Promise<void> {
  const [found] = await tx.sql<{ preferences: unknown }>`select preferences from "Profile" where "userId" = ${userId}`;
  // What is too deep to be kept is too deep to be merged.
  if (preferences) canonicalJson(preferences, 'preferences');
  const merged = preferences && canonicalJson(mergePatch(found?.preferences, preferences), 'preferences');
  if (merged && Buffer.byteLength(merged) > maxPreferencesBytes)
    throw badInput('preferences', `must be at most ${maxPreferencesBytes} bytes`);
  await tx.sql`insert into "Profile" as p ("userId", "fullName", bio, preferences) values (${userId}, ${fullName ?? null}, ${bio ?? null}, ${merged ?? '{}'}::jsonb)
    on conflict ("userId") do update set
      "fullName" = case when ${fullName !== undefined}::boolean then excluded."fullName" else p."fullName" end,
      bio = case when ${bio !== undefined}::boolean then excluded.bio else p.bio end,
      preferences = case when ${merged !== undefined}::boolean then excluded.preferences else p.preferences end`;
}
