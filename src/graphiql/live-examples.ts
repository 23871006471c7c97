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
];
