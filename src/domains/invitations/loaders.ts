import type { Related } from '../../core/related.js';
import { type InvitationRow, invitationShape } from './invitation.js';

const newestFirst = { columns: ['id'], direction: 'desc' } as const;
const open = `t."acceptedAt" is null and t."revokedAt" is null and t."expiresAt" > now()`;

/** Open offers of a role in an organization or in its spaces, newest first. */
export const invitationsOfOrganization: Related<InvitationRow> = {
  shape: invitationShape,
  keys: ['organizationId'],
  order: newestFirst,
  where: open,
};

/** Open offers of a role in a space, newest first. */
export const invitationsOfSpace: Related<InvitationRow> = {
  shape: invitationShape,
  keys: ['spaceId'],
  order: newestFirst,
  where: open,
};
