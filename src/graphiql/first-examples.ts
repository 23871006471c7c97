import type { Example } from './examples.js';

const spaceId = '$DEMO_SPACE';

/** Where one begins. */
export const firstExamples: readonly Example[] = [
  {
    name: 'Who am I?',
    query: `# Choose who asks at the top right:
# an account, an API key, or nobody.
query WhoAmI {
  viewer {
    user {
      id
      handle
      name
      email
    }
    scopes
  }
}`,
    variables: {},
  },
  {
    name: 'My spaces',
    query: `query MySpaces {
  viewer {
    spaces(first: 10) {
      totalCount
      nodes {
        id
        slug
        name
        visibility
        viewerRole
        owner {
          __typename
          ... on User {
            handle
          }
          ... on Organization {
            slug
          }
        }
      }
    }
  }
}`,
    variables: {},
  },
  {
    name: 'All that a space holds',
    query: `query AllOfIt($spaceId: ID!) {
  space(by: { id: $spaceId }) {
    name
    tree(first: 3) {
      totalCount
      nodes {
        path
        value
      }
    }
    files(first: 3) {
      totalCount
      nodes {
        path
        mimeType
      }
    }
    notes(first: 3) {
      totalCount
      nodes {
        title
        keywords
      }
    }
    posts(first: 3) {
      totalCount
      nodes {
        title
        isPublished
      }
    }
    tasks(first: 3) {
      totalCount
      nodes {
        title
        status
      }
    }
    chats(first: 3) {
      totalCount
      nodes {
        title
      }
    }
  }
}`,
    variables: { spaceId },
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
];
