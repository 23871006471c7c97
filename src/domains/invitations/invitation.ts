import { z } from 'zod';
import { organizationRoles, spaceRoles } from '../../core/roles.js';
import { email } from '../../core/rules.js';
import { shape } from '../../core/shape.js';
import type { Invitation as InvitationModel } from '../../generated/prisma/client.js';

const columns = [
  'id',
  'organizationId',
  'spaceId',
  'email',
  'organizationRole',
  'spaceRole',
  'expiresAt',
  'createdAt',
] as const;
export type InvitationRow = Pick<InvitationModel, (typeof columns)[number]>;

/** What leaves the database of an invitation: never its token, not even as a hash. */
export const invitationShape = shape<InvitationRow>({
  model: 'Invitation',
  key: 'id',
  columns,
  always: ['id', 'organizationId', 'spaceId'],
  fields: { organization: ['organizationId'], space: ['spaceId'] },
  inJson: { expiresAt: 'instant', createdAt: 'instant' },
});

/** For how long an offer stands. */
export const openDays = 7;

const IntoOrganization = z.object({
  email,
  organizationId: z.string(),
  organizationRole: z.enum(organizationRoles),
  spaceId: z.null(),
  spaceRole: z.null(),
});
const IntoSpace = z.object({
  email,
  spaceId: z.string(),
  spaceRole: z.enum(spaceRoles),
  organizationId: z.null(),
  organizationRole: z.null(),
});

/** One of the two places with its role, and nothing of the other. */
export const NewInvitation = z.union([IntoOrganization, IntoSpace]);
