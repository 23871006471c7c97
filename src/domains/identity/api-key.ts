import { hash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { scopes } from '../../core/actions.js';
import { filledText } from '../../core/rules.js';
import { shape } from '../../core/shape.js';
import type { ApiKey as ApiKeyModel } from '../../generated/prisma/client.js';

const columns = [
  'id',
  'name',
  'prefix',
  'userId',
  'organizationId',
  'scopes',
  'spaceIds',
  'version',
  'expiresAt',
  'lastUsedAt',
  'createdAt',
] as const;
export type ApiKeyRow = Pick<ApiKeyModel, (typeof columns)[number]>;

/** What leaves the database of an API key; the hash never does. */
export const apiKeyShape = shape<ApiKeyRow>({
  model: 'ApiKey',
  key: 'id',
  columns,
  always: ['id'],
  fields: {},
  gone: 'revokedAt',
  inJson: { expiresAt: 'instant', lastUsedAt: 'instant', createdAt: 'instant' },
});

export const maxKeySpaces = 100;
/** How many keys that count one user or organization may have. */
export const maxKeys = 100;

const unique = (values: readonly string[]) => [...new Set(values)];

/** The rules of `createApiKey`. */
export const NewApiKey = z.object({
  name: filledText(100),
  scopes: z
    .array(z.enum(scopes, `must be of ${scopes.join(', ')}`))
    .min(1, 'must not be empty')
    .transform(unique),
  spaceIds: z
    .array(z.string())
    .transform(unique)
    .refine((ids) => ids.length <= maxKeySpaces, `must be at most ${maxKeySpaces}`),
  organizationId: z.string().nullish(),
  expiresAt: z.date().nullish(),
});

/** What every secret of an API key begins with. */
export const keyMark = 'canopy_';

/** A secret as its holder gets it, and what is kept of it. */
export interface KeySecret {
  readonly secret: string;
  readonly hash: string;
  readonly prefix: string;
}

const shown = 16;

/** What is kept of a secret. It has 256 random bits, so one round of SHA-256 is enough. */
export const keyHash = (secret: string): string => hash('sha256', secret, 'base64url');

/** A new secret of 256 random bits, for a key of a user or of an organization. */
export function newKeySecret(kind: 'user' | 'organization'): KeySecret {
  const secret = `${keyMark}${kind === 'user' ? 'uk' : 'ok'}_${randomBytes(32).toString('base64url')}`;
  return { secret, hash: keyHash(secret), prefix: secret.slice(0, shown) };
}
