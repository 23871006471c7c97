import { load } from '../../core/loaders.js';
import { listField } from '../../core/pages.js';
import { payload } from '../../core/payload.js';
import type { Resolvers } from '../../generated/graphql.js';
import { organizationShape } from '../organizations/organization.js';
import { spaceShape } from '../spaces/space.js';
import { invitationsOfOrganization, invitationsOfSpace } from './loaders.js';
import { acceptInvitation, createInvitation, revokeInvitation } from './service.js';

export const resolvers: Resolvers = {
  Organization: {
    invitations: listField(['id'], invitationsOfOrganization),
  },
  Space: {
    invitations: listField(['id'], invitationsOfSpace),
  },
  Invitation: {
    organization: ({ organizationId }, _, ctx, info) =>
      organizationId ? load(ctx, organizationShape, organizationId, info) : null,
    space: ({ spaceId }, _, ctx, info) => (spaceId ? load(ctx, spaceShape, spaceId, info) : null),
  },
  Mutation: {
    createInvitation: (_, { input }, ctx) =>
      payload(createInvitation(ctx, input), (invitation, { token }) => ({ invitation, token })),
    acceptInvitation: (_, { input }, ctx) => payload(acceptInvitation(ctx, input), (accepted) => accepted),
    revokeInvitation: (_, { input }, ctx) =>
      payload(revokeInvitation(ctx, input), (invitation) => ({ invitation, revokedInvitationId: invitation.id })),
  },
};
