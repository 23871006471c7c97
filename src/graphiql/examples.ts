import { chatsExamples } from './chats-examples.js';
import { filesExamples } from './files-examples.js';
import { knowledgeExamples } from './knowledge-examples.js';
import { liveExamples } from './live-examples.js';
import { postExamples } from './post-examples.js';
import { searchExamples } from './search-examples.js';
import { spaceExamples } from './space-examples.js';
import { taskExamples } from './task-examples.js';
import { treeExamples } from './tree-examples.js';

/**
 * An operation to try. In its variables `$DEMO_SPACE` and `$NOW` become the demo world's space and the time of opening, `$UNIQUE` a few characters
 * that no other opening has.
 */
export interface Example {
  /** What it does, for people; its tab has the name of the operation. */
  readonly name: string;
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
}

const spaceId = '$DEMO_SPACE';

/** Ordered as one would get to know the product. */
export const examples: readonly Example[] = [
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
  ...treeExamples,
  ...filesExamples,
  ...knowledgeExamples,
  ...postExamples,
  ...taskExamples,
  ...liveExamples,
  ...spaceExamples,
  ...chatsExamples,
  ...searchExamples,
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
    name: 'My API keys',
    query: `query MyApiKeys {
  viewer {
    apiKeys {
      id
      name
      prefix
      scopes
      spaceIds
      expiresAt
      lastUsedAt
    }
  }
}`,
    variables: {},
  },
  {
    name: 'Make an API key',
    query: `# The secret is shown this once. The key
# may enter this space only.
mutation MakeApiKey($input: CreateApiKeyInput!) {
  createApiKey(input: $input) {
    secret
    apiKey {
      id
      name
      scopes
    }
  }
}`,
    variables: { input: { name: 'Read the tree', scopes: ['tree:read', 'events:read'], spaceIds: [spaceId] } },
  },
  {
    name: 'May I, and why?',
    query: `query ExplainAccess($spaceId: ID!) {
  write: explainAccess(id: $spaceId, action: "tree.write") {
    allowed
    rule
    missing
  }
  delete: explainAccess(id: $spaceId, action: "space.delete") {
    allowed
    rule
    missing
  }
}`,
    variables: { spaceId },
  },
  {
    name: 'Audit log',
    query: `# For admins of the space.
query AuditLog($spaceId: ID!, $filter: AuditFilter) {
  auditEvents(spaceId: $spaceId, filter: $filter, first: 20) {
    nodes {
      at
      operation
      action
      path
      success
      errorCode
      user {
        name
      }
      requestId
    }
  }
}`,
    variables: { spaceId, filter: { operation: 'WRITE' } },
  },
];
