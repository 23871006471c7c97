import type { Example } from './examples.js';

const spaceId = '$DEMO_SPACE';

/** Keys, and who may do what and did. */
export const accessExamples: readonly Example[] = [
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
  {
    name: 'Work that failed for good',
    query: `# For admins. replayJobs lets it start over;
# here, all went well.
query FailedJobs($spaceId: ID!) {
  space(by: { id: $spaceId }) {
    failedJobs {
      id
      name
      attempts
      error
    }
  }
}`,
    variables: { spaceId },
  },
];
