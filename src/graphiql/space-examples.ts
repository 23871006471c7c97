import type { Example } from './examples.js';

const spaceId = '$DEMO_SPACE';

/** Spaces, organizations and people. */
export const spaceExamples: readonly Example[] = [
  {
    name: 'A public space, for anybody',
    query: `# Works as "Nobody" too.
query PublicSpace($by: SpaceBy!) {
  space(by: $by) {
    name
    visibility
    viewerRole
    owner {
      ... on Organization {
        name
      }
    }
    tree(first: 10) {
      nodes {
        path
        value
      }
    }
  }
}`,
    variables: { by: { slug: { owner: 'greenhouse', slug: 'handbook' } } },
  },
  {
    name: 'Make a space with first content',
    query: `# All of it, or nothing.
mutation MakeSpace($input: CreateSpaceInput!) {
  createSpace(input: $input) {
    space {
      id
      slug
      viewerRole
      tree {
        nodes {
          path
          value
        }
      }
    }
    eventCursor
  }
}`,
    variables: {
      input: { slug: 'space-$UNIQUE', name: 'A new space', tree: [{ path: '/welcome', value: 'Hello.' }] },
    },
  },
  {
    name: 'Organizations and their members',
    query: `query MyOrganizations {
  viewer {
    organizations(first: 10) {
      nodes {
        id
        slug
        name
        viewerRole
        members(first: 20) {
          totalCount
          edges {
            role
            joinedAt
            node {
              user {
                handle
                name
              }
            }
          }
        }
      }
    }
  }
}`,
    variables: {},
  },
  {
    name: 'Invite someone',
    query: `# Once: a second open offer to the same
# address is a CONFLICT.
mutation InviteSomeone($input: CreateInvitationInput!) {
  createInvitation(input: $input) {
    token
    invitation {
      id
      email
      spaceRole
      expiresAt
    }
  }
}`,
    variables: { input: { spaceId, email: 'newcomer@example.com', spaceRole: 'EDITOR' } },
  },
  {
    name: 'My profile and sign-ins',
    query: `query MyProfile {
  viewer {
    user {
      email
      version
      profile {
        fullName
        bio
        preferences
      }
    }
    sessions {
      id
      current
      userAgent
      lastUsedAt
    }
  }
}`,
    variables: {},
  },
  {
    name: 'Change my profile',
    query: `mutation ChangeProfile($input: UpdateProfileInput!) {
  updateProfile(input: $input) {
    user {
      profile {
        bio
        preferences
      }
    }
  }
}`,
    variables: { input: { bio: 'Grows beans.', preferences: { theme: 'dark' } } },
  },
];
