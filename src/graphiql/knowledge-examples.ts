import type { Example } from './examples.js';

const spaceId = '$DEMO_SPACE';

/** Notes, and what they are linked to. */
export const knowledgeExamples: readonly Example[] = [
  {
    name: 'Notes and their links',
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
  {
    name: 'A note and all around it',
    query: `query Note($id: ID!) {
  note(id: $id) {
    title
    content
    keywords
    version
    links(first: 10) {
      totalCount
      nodes {
        kind
        origin
        score
        target {
          __typename
          ... on Note {
            title
          }
        }
      }
    }
    comments(first: 10) {
      nodes {
        content
        author {
          name
        }
      }
    }
  }
}`,
    variables: { id: '$DEMO_NOTE' },
  },
  {
    name: 'What hangs together',
    query: `# The graph of links around a note, two
# steps in either direction.
query Graph($root: ID!) {
  graph(root: $root, depth: 2, first: 20) {
    nodes {
      __typename
      ... on Note {
        title
      }
    }
    links {
      kind
      origin
      score
      sharedKeywords
    }
  }
}`,
    variables: { root: '$DEMO_NOTE' },
  },
  {
    name: 'Link two things',
    query: `mutation LinkThings($input: CreateLinkInput!) {
  createLink(input: $input) {
    link {
      id
      kind
      origin
      createdBy {
        name
      }
    }
    eventCursor
  }
}`,
    variables: { input: { sourceId: '$DEMO_NOTE', targetId: '$DEMO_POST', kind: 'see-$UNIQUE' } },
  },
  {
    name: 'Live: links of a note',
    query: `# Run it, then link two things, or write a
# note about tomatoes, in another window.
subscription LinksChanged($id: ID!) {
  linksChanged(id: $id) {
    cursor
    type
    link {
      kind
      origin
      score
    }
  }
}`,
    variables: { id: '$DEMO_NOTE' },
  },
];
