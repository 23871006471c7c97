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
        ... on Note {
          title
        }
        ... on Post {
          title
        }
        ... on File {
          name
        }
        ... on Task {
          task: title
        }
        ... on Comment {
          content
        }
      }
    }`;

/** Finding things by their words and by their meaning. */
export const searchExamples: readonly Example[] = [
  {
    name: 'Search by words and meaning',
    query: `# In every space where you have a role. A
# word may be misspelled.
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
    name: 'Search by exact words',
    query: `# "…" holds a phrase together, -word leaves
# out, or is either.
query SearchSpace($spaceId: ID!, $text: String!) {
  search(spaceId: $spaceId, text: $text, mode: EXACT) {
    totalCount
    ${hits}
  }
}`,
    variables: { spaceId, text: 'tomatoes -potatoes' },
  },
  {
    name: 'Search by meaning, in files only',
    query: `# What is inside them is read: Markdown,
# CSV, PDF, Word, HTML.
query SearchFiles($spaceId: ID!, $text: String!) {
  search(spaceId: $spaceId, text: $text, mode: SEMANTIC, types: [FILE]) {
    degraded
    ${hits}
  }
}`,
    variables: { spaceId, text: 'how much did we harvest' },
  },
];
