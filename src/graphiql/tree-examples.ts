import type { Example } from './examples.js';

const spaceId = '$DEMO_SPACE';

/** Reading and writing the tree; each can be run again and again. They write below `/examples` only. */
export const treeExamples: readonly Example[] = [
  {
    name: 'Read a tree',
    query: `# Up to two levels below the prefix.
query ReadTree($spaceId: ID!) {
  tree(
    spaceId: $spaceId
    pathPrefix: "/"
    depth: 2
    first: 50
  ) {
    totalCount
    nodes {
      path
      value
      version
      updatedAt
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}`,
    variables: { spaceId },
  },
  {
    name: 'Read one node, or a default',
    query: `# Where nothing was written, the default
# is answered; isDefault tells.
query ReadNode(
  $spaceId: ID!
  $path: TreePath!
  $default: JSON
) {
  treeNode(
    spaceId: $spaceId
    path: $path
    default: $default
  ) {
    path
    exists
    isDefault
    value
    version
  }
}`,
    variables: { spaceId, path: '/examples/theme', default: { mode: 'light' } },
  },
  {
    name: 'Write a node',
    query: `# With expectedVersion it changes only
# what you have seen.
mutation WriteNode($input: WriteTreeNodeInput!) {
  writeTreeNode(input: $input) {
    treeNode {
      id
      path
      value
      version
      checksum
      updatedBy {
        name
      }
    }
    eventCursor
  }
}`,
    variables: { input: { spaceId, path: '/examples/theme', value: { mode: 'dark', accent: 'green' } } },
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
    name: 'Many changes in one transaction',
    query: `# Reads see the writes before them.
# All of it happens, or none.
mutation BatchTree($input: BatchTreeInput!) {
  batchTree(input: $input) {
    results {
      status
      path
      value
      version
      nodes {
        path
        value
      }
      deletedCount
    }
    eventCursor
  }
}`,
    variables: {
      input: {
        spaceId,
        operations: [
          { write: { path: '/examples/batch/one', value: 1 } },
          { write: { path: '/examples/batch/two', value: 2 } },
          { readTree: { pathPrefix: '/examples/batch' } },
          { delete: { path: '/examples/batch', recursive: true } },
        ],
      },
    },
  },
  {
    name: 'Move, delete, restore',
    query: `# One after the other; history stays,
# and a deleted node comes back.
mutation MoveDeleteRestore(
  $spaceId: ID!
  $from: TreePath!
  $to: TreePath!
) {
  write: writeTreeNode(
    input: {
      spaceId: $spaceId
      path: $from
      value: "A draft"
    }
  ) {
    treeNode {
      path
      version
    }
  }
  move: moveTreeNode(
    input: {
      spaceId: $spaceId
      path: $from
      toPath: $to
    }
  ) {
    movedCount
    treeNode {
      path
      version
    }
  }
  delete: deleteTreeNode(
    input: { spaceId: $spaceId, path: $to }
  ) {
    deletedCount
  }
  restore: restoreTreeNode(
    input: { spaceId: $spaceId, path: $to }
  ) {
    treeNode {
      path
      value
      version
    }
  }
  tidy: deleteTreeNode(
    input: { spaceId: $spaceId, path: $to }
  ) {
    deletedCount
  }
}`,
    variables: { spaceId, from: '/examples/draft', to: '/examples/final' },
  },
  {
    name: 'Versions, and the past',
    query: `# "then" is what stood there when this
# page was first opened.
query VersionsAndPast(
  $spaceId: ID!
  $path: TreePath!
  $asOf: DateTime!
) {
  now: treeNode(spaceId: $spaceId, path: $path) {
    value
    version
    node {
      versions(first: 10) {
        nodes {
          version
          operation
          value
          createdAt
          author {
            name
          }
        }
      }
    }
  }
  then: treeNode(
    spaceId: $spaceId
    path: $path
    asOf: $asOf
  ) {
    exists
    value
    version
  }
}`,
    variables: { spaceId, path: '/examples/theme', asOf: '$NOW' },
  },
];
