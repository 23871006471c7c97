import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { shape } from '../../core/shape.js';
import type { AccessGrant as AccessGrantModel } from '../../generated/prisma/client.js';
import { userShape } from '../identity/user.js';

const columns = ['id', 'fileId', 'spaceId', 'principal', 'userId', 'permission', 'expiresAt', 'createdAt'] as const;
export type AccessGrantRow = Pick<AccessGrantModel, (typeof columns)[number]>;

/** What leaves the database of a grant: never the token of a link, which is not even kept. */
export const accessGrantShape = shape<AccessGrantRow>({
  model: 'AccessGrant',
  key: 'id',
  columns,
  always: ['id'],
  fields: { file: ['fileId'], user: ['userId'] },
  inJson: { expiresAt: 'instant', createdAt: 'instant' },
  along: { user: { column: 'userId', shape: userShape } },
});

export const NewGrant = z.object({
  fileId: z.string(),
  permission: z.enum(['READ', 'WRITE']),
  expiresAt: z.date().nullish(),
});

/** How many grants a file has at once. */
export const maxGrants = 100;
export const linkDays = 7;
export const maxLinkDays = 365;

/** The secret of a link; only its hash is kept. */
export const newLinkToken = () => randomBytes(24).toString('base64url');
export const hashOfToken = (token: string) => createHash('sha256').update(token).digest('hex');
