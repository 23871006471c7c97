import type { Example } from './examples.js';

const spaceId = '$DEMO_SPACE';

/** Spaces, people and whatever has an id. */
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
    name: 'Anything by its id',
    query: `query ById($id: ID!) {
  node(id: $id) {
    __typename
    id
    ... on Space {
      name
    }
    ... on TreeNode {
      path
      value
    }
  }
}`,
    variables: { id: spaceId },
  },
  {
    name: 'Write once, however often it is sent',
    query: `# Send it again: the same answer, and
# nothing is written a second time.
mutation WriteOnce($input: WriteTreeNodeInput!, $key: String!) {
  writeTreeNode(input: $input) @idempotent(key: $key) {
    treeNode {
      path
      version
    }
    eventCursor
  }
}`,
    variables: { input: { spaceId, path: '/examples/once', value: 'first' }, key: 'example-$UNIQUE' },
  },
  {
    name: 'Change part of a value',
    query: `# A JSON merge patch: null removes a key.
mutation PatchNode($input: PatchTreeNodeInput!) {
  patchTreeNode(input: $input) {
    treeNode {
      path
      value
      version
    }
  }
}`,
    variables: { input: { spaceId, path: '/settings/watering', patch: { litres: 45 } } },
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
