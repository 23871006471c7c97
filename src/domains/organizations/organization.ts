import { z } from 'zod';
import { organizationRoles } from '../../core/roles.js';
import { name, slug, version } from '../../core/rules.js';
import { shape } from '../../core/shape.js';
import type {
  OrganizationMember as OrganizationMemberModel,
  Organization as OrganizationModel,
} from '../../generated/prisma/client.js';
import { userShape } from '../identity/user.js';

const columns = ['id', 'slug', 'name', 'version', 'createdAt'] as const;
export type OrganizationRow = Pick<OrganizationModel, (typeof columns)[number]>;

/** What leaves the database of an organization. */
export const organizationShape = shape<OrganizationRow>({
  model: 'Organization',
  key: 'id',
  columns,
  always: ['id'],
  fields: {},
  gone: 'deletedAt',
  inJson: { createdAt: 'instant' },
});

const memberColumns = ['organizationId', 'userId', 'role', 'version', 'createdAt'] as const;
export type OrganizationMemberRow = Pick<OrganizationMemberModel, (typeof memberColumns)[number]>;

export const organizationMemberShape = shape<OrganizationMemberRow>({
  model: 'OrganizationMember',
  columns: memberColumns,
  always: ['organizationId', 'userId'],
  fields: { user: ['userId'], joinedAt: ['createdAt'] },
  inJson: { createdAt: 'instant' },
  along: { user: { column: 'userId', shape: userShape } },
});

export const NewOrganization = z.object({ slug, name });
export const OrganizationChange = z.object({ id: z.string(), version, slug: slug.optional(), name: name.optional() });
export const OrganizationMemberChange = z.object({
  organizationId: z.string(),
  userId: z.string(),
  version,
  role: z.enum(organizationRoles),
});
