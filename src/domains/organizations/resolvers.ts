import { loadExisting } from '../../core/loaders.js';
import { listField, loadPage } from '../../core/pages.js';
import { payload } from '../../core/payload.js';
import { roles } from '../../core/roles.js';
import type { Resolvers } from '../../generated/graphql.js';
import { maxKeys } from '../identity/api-key.js';
import { apiKeysOfOrganization } from '../identity/loaders.js';
import { userShape } from '../identity/user.js';
import { membersOfOrganization, organizationBy, organizationsOfViewer } from './loaders.js';
import { type LeaveOrganization, removeOrganizationMember, updateOrganizationMember } from './members.js';
import { createOrganization, deleteOrganization, updateOrganization } from './service.js';

/** `leave` is what newer domains do when someone leaves an organization. */
export const resolvers = (leave: LeaveOrganization): Resolvers => ({
  Query: {
    organization: (_, { by }, ctx, info) => organizationBy(ctx, by, info),
  },
  Viewer: {
    organizations: (_, args, ctx, info) => organizationsOfViewer(ctx, args, info),
  },
  Organization: {
    viewerRole: async ({ id }, _, ctx) => (await roles(ctx)).organizations.get(id) ?? null,
    members: listField(['id'], membersOfOrganization),
    apiKeys: async ({ id }, _, ctx, info) =>
      (await loadPage(ctx, apiKeysOfOrganization, [id], { first: maxKeys }, info)).rows,
  },
  OrganizationMember: {
    user: (member, _, ctx, info) => loadExisting(ctx, userShape, member.userId, info),
    joinedAt: (member) => member.createdAt,
  },
  OrganizationMemberEdge: {
    role: ({ row }) => row.role,
    joinedAt: ({ row }) => row.createdAt,
  },
  Mutation: {
    createOrganization: (_, { input }, ctx) =>
      payload(createOrganization(ctx, input), (organization) => ({ organization })),
    updateOrganization: (_, { input }, ctx) =>
      payload(updateOrganization(ctx, input), (organization) => ({ organization })),
    deleteOrganization: (_, { input }, ctx) =>
      payload(deleteOrganization(ctx, input), (deletedOrganizationId) => ({ deletedOrganizationId })),
    updateOrganizationMember: (_, { input }, ctx) =>
      payload(updateOrganizationMember(ctx, input), (organizationMember) => ({ organizationMember })),
    removeOrganizationMember: (_, { input }, ctx) =>
      payload(removeOrganizationMember(ctx, input, leave), (removedUserId) => ({ removedUserId })),
  },
});
