import { loadExisting } from '../../core/loaders.js';
import { listField } from '../../core/pages.js';
import { payload } from '../../core/payload.js';
import { roles } from '../../core/roles.js';
import type { CreateSpaceInput, Resolvers } from '../../generated/graphql.js';
import { userShape } from '../identity/user.js';
import { organizationShape } from '../organizations/organization.js';
import { membersOfSpace, spaceBy, spacesOfOrganization, spacesOfViewer } from './loaders.js';
import { addSpaceMember, removeSpaceMember, updateSpaceMember } from './members.js';
import { createSpace, deleteSpace, type FirstContent, restoreSpace, updateSpace } from './service.js';

/** What newer domains make of an input, to be written with the new space. */
export type ContentOf = (input: CreateSpaceInput) => FirstContent;

export const resolvers = (contentOf: ContentOf): Resolvers => ({
  Query: {
    space: (_, { by }, ctx, info) => spaceBy(ctx, by, info),
  },
  Viewer: {
    spaces: (_, args, ctx, info) => spacesOfViewer(ctx, args, info),
  },
  Organization: {
    spaces: listField(['id'], spacesOfOrganization),
  },
  Space: {
    owner: ({ ownerUserId, organizationId }, _, ctx, info) =>
      organizationId === null
        ? loadExisting(ctx, userShape, ownerUserId ?? '', info)
        : loadExisting(ctx, organizationShape, organizationId, info),
    viewerRole: async ({ id }, _, ctx) => (await roles(ctx)).spaces.get(id) ?? null,
    members: listField(['id'], membersOfSpace),
  },
  SpaceMember: {
    user: (member, _, ctx, info) => loadExisting(ctx, userShape, member.userId, info),
    joinedAt: (member) => member.createdAt,
  },
  SpaceMemberEdge: {
    role: ({ row }) => row.role,
    joinedAt: ({ row }) => row.createdAt,
  },
  Mutation: {
    createSpace: (_, { input }, ctx) => payload(createSpace(ctx, input, contentOf(input)), (space) => ({ space })),
    updateSpace: (_, { input }, ctx) => payload(updateSpace(ctx, input), (space) => ({ space })),
    deleteSpace: (_, { input }, ctx) => payload(deleteSpace(ctx, input), (deletion) => deletion),
    restoreSpace: (_, { input }, ctx) => payload(restoreSpace(ctx, input), (space) => ({ space })),
    addSpaceMember: (_, { input }, ctx) => payload(addSpaceMember(ctx, input), (spaceMember) => ({ spaceMember })),
    updateSpaceMember: (_, { input }, ctx) =>
      payload(updateSpaceMember(ctx, input), (spaceMember) => ({ spaceMember })),
    removeSpaceMember: (_, { input }, ctx) =>
      payload(removeSpaceMember(ctx, input), (removedUserId) => ({ removedUserId })),
  },
});
