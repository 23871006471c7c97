import DataLoader from 'dataloader';
import type { Ctx } from '../../core/context.js';
import { loaderNamed } from '../../core/loaders.js';
import type { Related } from '../../core/related.js';
import { roles } from '../../core/roles.js';
import { ask } from '../../core/together.js';
import { type ApiKeyRow, apiKeyShape, maxKeys } from './api-key.js';

/** A user's own API keys, newest first. */
export const apiKeysOf: Related<ApiKeyRow> = {
  shape: apiKeyShape,
  keys: ['userId'],
  order: { columns: ['id'], direction: 'desc' },
  largest: maxKeys,
};

/** An organization's API keys, newest first. */
export const apiKeysOfOrganization: Related<ApiKeyRow> = { ...apiKeysOf, keys: ['organizationId'] };

/** Whether the viewer is this user, with a credential that may read their account. */
export function readsAsSelf({ viewer }: Ctx, userId: string): boolean {
  return viewer?.userId === userId && (viewer.scopes === null || viewer.scopes.has('account:read'));
}

/** Whether the viewer is an admin of an organization that the user is a member of. All users of one moment take one statement. */
export async function administers(ctx: Ctx, userId: string): Promise<boolean> {
  const { viewer } = ctx;
  if (viewer?.scopes && !viewer.scopes.has('organizations:read')) return false;
  const organizations = (await roles(ctx)).organizationsWith('ADMIN');
  if (organizations.length === 0) return false;
  return loaderNamed<boolean>(
    ctx,
    'administered users',
    () => new DataLoader((ids) => membersOf(ctx, organizations, ids)),
  ).load(userId);
}

async function membersOf(ctx: Ctx, organizations: readonly string[], ids: readonly string[]): Promise<boolean[]> {
  const rows = await ask<{ userId: string }>(
    ctx,
    `select distinct "userId" from "OrganizationMember" where "userId" = any($1::text[]) and "organizationId" = any($2::text[])`,
    [ids, organizations],
  );
  const found = new Set(rows.map(({ userId }) => userId));
  return ids.map((id) => found.has(id));
}
