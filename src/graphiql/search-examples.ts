import type { Example } from './examples.js';

const spaceId = '$DEMO_SPACE';

const hits = `nodes {
      score
      reasons
      highlights {
        field
        text
        matches {
          start
          end
        }
      }
      node {
        __typename
        id
        ... on TreeNode {
          path
        }
      }
    }`;

/** Finding things by their words and by their meaning. */
export const searchExamples: readonly Example[] = [
  {
    name: 'Search everywhere, by words and meaning',
    query: `# In every space where you have a role. A word may be misspelled.
query Search($text: String!) {
  search(text: $text, first: 5) {
    totalCount
    degraded
    ${hits}
  }
}`,
    variables: { text: 'when to water the tomatos' },
  },
  {
    name: 'Search a space by its exact words',
    query: `# "…" holds a phrase together, -word leaves out, or is either.
query SearchSpace($spaceId: ID!, $text: String!) {
  search(spaceId: $spaceId, text: $text, mode: EXACT, types: [TREE_NODE]) {
    totalCount
    ${hits}
  }
}`,
    variables: { spaceId, text: 'bed -rhubarb' },
  },
];
