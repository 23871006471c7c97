import type { Ctx, Viewer } from '../../core/context.js';
import { AppError, badInput, notFound, staleVersion } from '../../core/errors.js';
import { newId } from '../../core/ids.js';
import { parse } from '../../core/input.js';
import { roles } from '../../core/roles.js';
import { columnsSql } from '../../core/sql.js';
import { type Tx, type Written, write } from '../../core/write.js';
import type { CreateApiKeyInput, RevokeApiKeyInput, RotateApiKeyInput } from '../../generated/graphql.js';
import { type ApiKeyRow, apiKeyShape, maxKeys, NewApiKey, newKeySecret } from './api-key.js';

const columns = columnsSql(apiKeyShape);

/** A key, and its secret unless an earlier call has shown it. */
export type WrittenKey = Written<ApiKeyRow> & { readonly secret: string | null };

// The secret never enters what `write` keeps for a repeated call.
const withSecret = (written: Written<ApiKeyRow>, secret: string): WrittenKey => ({
  ...written,
  secret: written.repeated ? null : secret,
});

/** Makes a key of the viewer's or of an organization's, which may do no more than the viewer's own credential. */
export async function createApiKey(ctx: Ctx, input: CreateApiKeyInput): Promise<WrittenKey> {
  const { organizationId = null, expiresAt = null, ...key } = parse(NewApiKey, input);
  if (expiresAt && expiresAt <= ctx.app.now()) throw badInput('expiresAt', 'must be in the future');
  const id = newId('key');
  const userId = organizationId === null ? (ctx.viewer?.userId ?? null) : null;
  const { secret, hash, prefix } = newKeySecret(organizationId === null ? 'user' : 'organization');
  const change = async (tx: Tx) => {
    assertNoMoreThanSelf(ctx.viewer, { ...key, expiresAt });
    await assertSpaces(ctx, tx, key.spaceIds, organizationId);
    const held =
      await tx.sql`select id from "ApiKey" where "revokedAt" is null and "userId" is not distinct from ${userId} and "organizationId" is not distinct from ${organizationId}`;
    if (held.length >= maxKeys) throw new AppError('QUOTA_EXCEEDED', `There can be ${maxKeys} keys; revoke one first.`);
    const [row] =
      await tx.sql<ApiKeyRow>`insert into "ApiKey" (id, name, prefix, hash, "userId", "organizationId", scopes, "spaceIds", "expiresAt", "createdAt", "updatedAt")
      values (${id}, ${key.name}, ${prefix}, ${hash}, ${userId}, ${organizationId}, ${key.scopes}::text[], ${key.spaceIds}::text[], ${expiresAt}, ${tx.now}, ${tx.now})
      returning ${columns}`;
    if (!row) throw new Error('An inserted key was not answered.');
    tx.emit('apiKey.created', 'ApiKey', id);
    return row;
  };
  return withSecret(await writeKey(ctx, { organizationId }, change), secret);
}

/** What decides where leave to change a key is asked for. */
interface Owner {
  readonly organizationId: string | null;
}

function writeKey<T>(ctx: Ctx, { organizationId }: Owner, change: (tx: Tx) => Promise<T>): Promise<Written<T>> {
  const subject = { resourceType: 'ApiKey' };
  return organizationId !== null
    ? write(ctx, 'organization.keys', { organization: organizationId }, change, { subject })
    : write(ctx, 'account.write', { self: true }, change, { subject });
}

/** Refuses to hand out what the viewer's own credential lacks. */
function assertNoMoreThanSelf(viewer: Viewer | null, key: Pick<ApiKeyRow, 'scopes' | 'expiresAt'>): void {
  const { scopes = null, apiKeyId = null, expiresAt: until = null } = viewer ?? {};
  const missing = scopes ? key.scopes.filter((scope) => !scopes.has(scope)) : [];
  if (missing.length > 0)
    throw new AppError('FORBIDDEN', `A key cannot give scopes that it lacks: ${missing.join(', ')}.`);
  if (apiKeyId && until && (!key.expiresAt || key.expiresAt > until))
    throw new AppError('FORBIDDEN', 'A key cannot give more time than it has.');
}

async function assertSpaces(
  ctx: Ctx,
  tx: Tx,
  spaceIds: readonly string[],
  organizationId: string | null,
): Promise<void> {
  const held = await roles(ctx);
  if (spaceIds.some((id) => !held.spaces.has(id))) throw notFound();
  if (!organizationId || spaceIds.length === 0) return;
  const found =
    await tx.sql`select id from "Space" where id = any(${spaceIds}::text[]) and "organizationId" = ${organizationId} and "deletedAt" is null`;
  if (found.length < spaceIds.length) throw notFound();
}

/** The owner of a key that the viewer may see, revoked ones included: a repeated call must reach its stored answer. */
async function ownerOf(ctx: Ctx, id: string): Promise<Owner> {
  const found = await ctx.db.apiKey.findFirst({ where: { id }, select: { organizationId: true } });
  if (!found) throw notFound();
  return found;
}

/** Gives a key a new secret; CONFLICT for another version. */
export async function rotateApiKey(ctx: Ctx, { id, version }: RotateApiKeyInput): Promise<WrittenKey> {
  const owner = await ownerOf(ctx, id);
  const { secret, hash, prefix } = newKeySecret(owner.organizationId ? 'organization' : 'user');
  const change = async (tx: Tx) => {
    const [found] =
      await tx.sql<ApiKeyRow>`select ${columns} from "ApiKey" where id = ${id} and "revokedAt" is null for update`;
    if (!found) throw notFound();
    if (found.version !== version) throw staleVersion('The key', found.version);
    assertNoMoreThanSelf(ctx.viewer, found);
    const [row] =
      await tx.sql<ApiKeyRow>`update "ApiKey" set hash = ${hash}, prefix = ${prefix}, version = version + 1, "updatedAt" = ${tx.now}
      where id = ${id} returning ${columns}`;
    if (!row) throw notFound();
    tx.emit('apiKey.rotated', 'ApiKey', id, { version: row.version });
    return row;
  };
  return withSecret(await writeKey(ctx, owner, change), secret);
}

/** Ends a key for good; answers it as it was last. */
export async function revokeApiKey(ctx: Ctx, { id }: RevokeApiKeyInput): Promise<Written<ApiKeyRow>> {
  return writeKey(ctx, await ownerOf(ctx, id), async (tx) => {
    const [row] =
      await tx.sql<ApiKeyRow>`update "ApiKey" set "revokedAt" = ${tx.now}, version = version + 1, "updatedAt" = ${tx.now}
      where id = ${id} and "revokedAt" is null returning ${columns}`;
    if (!row) throw notFound();
    tx.emit('apiKey.revoked', 'ApiKey', id);
    return row;
  });
}
