import type { Example } from './examples.js';

const spaceId = '$DEMO_SPACE';

/** Notes, and what they are linked to. */
export const knowledgeExamples: readonly Example[] = [
  {
    name: 'Write a note',
    query: `# It answers at once; what it is related to
# is found in the next seconds.
mutation WriteNote($input: CreateNoteInput!) {
  createNote(input: $input) {
    note {
      id
      title
      keywords
      linkStatus
    }
    eventCursor
  }
}`,
    variables: {
      input: {
        spaceId,
        title: 'Mulch for the tomatoes',
        content: 'Straw keeps the **soil** of the south bed moist, and the tomatoes clean.',
      },
    },
  },
  {
    name: 'Notes and what they are related to',
    query: `# Each link that was discovered says
# how sure it is, and why it is there.
query RelatedNotes($spaceId: ID!) {
  space(by: { id: $spaceId }) {
    notes(first: 10, orderBy: LAST_CHANGED) {
      totalCount
      nodes {
        title
        keywords
        linkStatus
        author {
          name
        }
        links(first: 5, minScore: 0.2) {
          nodes {
            kind
            origin
            score
            sharedKeywords
            source {
              ...End
            }
            target {
              ...End
            }
          }
        }
      }
    }
  }
}

fragment End on Linkable {
  ... on Note {
    title
  }
  ... on TreeNode {
    path
  }
}`,
    variables: { spaceId },
  },
  {
    name: 'Notes about something',
    query: `query NotesAbout($spaceId: ID!, $filter: NoteFilter!) {
  space(by: { id: $spaceId }) {
    notes(filter: $filter, first: 10) {
      nodes {
        id
        title
        content
      }
    }
  }
}`,
    variables: { spaceId, filter: { keyword: 'tomato' } },
  },
];
