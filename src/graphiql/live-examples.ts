import type { Example } from './examples.js';

const spaceId = '$DEMO_SPACE';

/** Hearing of changes while they happen. */
export const liveExamples: readonly Example[] = [
  {
    name: 'Live: changes of a tree',
    query: `# Run it, then write a node from
# another window.
subscription TreeChanged($spaceId: ID!) {
  treeChanged(
    spaceId: $spaceId
    pathPrefix: "/"
  ) {
    cursor
    type
    path
    fromPath
    version
    node {
      value
      updatedBy {
        name
      }
    }
  }
}`,
    variables: { spaceId },
  },
  {
    name: 'Live: all events, resumed',
    query: `# With a cursor in "after" it starts with
# what you missed, up to CaughtUp.
subscription Events(
  $spaceId: ID!
  $after: EventCursor
) {
  events(
    spaceId: $spaceId
    after: $after
  ) {
    __typename
    ... on Event {
      cursor
      type
      resourceType
      resourceId
      actor {
        name
      }
      related
      occurredAt
    }
    ... on CaughtUp {
      cursor
    }
    ... on Lagged {
      missed
      resumeFrom
    }
  }
}`,
    variables: { spaceId, after: null },
  },
  {
    name: 'What has happened',
    query: `# The same log, read at once: some events
# after a cursor, or the first that are kept.
query WhatHappened($spaceId: ID!, $types: [String!]) {
  events(spaceId: $spaceId, types: $types, first: 20) {
    nodes {
      cursor
      type
      actor {
        name
      }
      resource {
        __typename
        id
      }
      occurredAt
    }
    pageInfo {
      hasNextPage
    }
  }
}`,
    variables: { spaceId, types: null },
  },
];
