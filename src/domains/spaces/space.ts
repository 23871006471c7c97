import { z } from 'zod';
import { spaceRoles } from '../../core/roles.js';
import { name, slug, version } from '../../core/rules.js';
import { shape } from '../../core/shape.js';
import type { SpaceMember as SpaceMemberModel, Space as SpaceModel } from '../../generated/prisma/client.js';
import { userShape } from '../identity/user.js';

const columns = [
  'id',
  'ownerUserId',
  'organizationId',
  'slug',
  'name',
  'visibility',
  'version',
  'createdAt',
  'updatedAt',
] as const;
export type SpaceRow = Pick<SpaceModel, (typeof columns)[number]>;

/** What leaves the database of a space. */
export const spaceShape = shape<SpaceRow>({
  model: 'Space',
  key: 'id',
  columns,
  always: ['id'],
  fields: { owner: ['ownerUserId', 'organizationId'] },
  gone: 'deletedAt',
  inJson: { createdAt: 'instant', updatedAt: 'instant' },
});

const memberColumns = ['spaceId', 'userId', 'role', 'version', 'createdAt'] as const;
export type SpaceMemberRow = Pick<SpaceMemberModel, (typeof memberColumns)[number]>;

export const spaceMemberShape = shape<SpaceMemberRow>({
  model: 'SpaceMember',
  columns: memberColumns,
  always: ['spaceId', 'userId'],
  fields: { user: ['userId'], joinedAt: ['createdAt'] },
  inJson: { createdAt: 'instant' },
  along: { user: { column: 'userId', shape: userShape } },
});

export const NewSpace = z.object({
  slug,
  name,
  visibility: z.enum(['PRIVATE', 'PUBLIC']),
  organizationId: z.string().nullish(),
});

export const SpaceChange = z.object({
  id: z.string(),
  version,
  slug: slug.optional(),
  name: name.optional(),
  visibility: z.enum(['PRIVATE', 'PUBLIC']).optional(),
});

export const NewSpaceMember = z.object({ spaceId: z.string(), role: z.enum(spaceRoles) });
export const SpaceMemberChange = NewSpaceMember.extend({ userId: z.string(), version });
