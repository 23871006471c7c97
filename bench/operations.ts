/** What every system is asked to do, in the same words: one GraphQL document and its variables. */
export interface Operation {
  readonly id: OperationId;
  readonly document: string;
  /** The variables of the n-th call; calls near each other touch different rows. */
  variables(call: number, nodes: number): object;
  /** How many calls are measured of each system. */
  readonly calls: number;
  /** How many calls come before those. */
  readonly warmUp: number;
  /** The 95th percentile that the service level allows, in milliseconds. */
  readonly promisedMs: number;
}

export const operationIds = ['read', 'nested', 'wide', 'write', 'subtree', 'batch'] as const;
export type OperationId = (typeof operationIds)[number];

/** The space of data/dataset.sql that has nearly everything. */
export const spaceId = idOf('space', 0);
/** The viewer, also where nobody signs in. */
export const viewerId = idOf('user', 0);

function idOf(prefix: string, number: number): string {
  return `${prefix}_${number.toString(16).padStart(26, '0')}`;
}

const catalog = 1_200;
const prime = 1_000_003;

/** The path of an item, as data/dataset.sql makes it. Calls go through all of them in an order that jumps about. */
function itemPath(call: number, nodes: number): string {
  const item = (call * prime + 17) % (nodes - catalog);
  return `/teams/team-${item % 20}/projects/project-${Math.floor(item / 20) % 50}/items/item-${item}`;
}

/** A new value of the size that the rows have. */
const itemValue = (call: number) => ({
  active: call % 3 > 0,
  amount: (call * 37) % 100_000,
  labels: ['written', 'bench'],
  name: `Item of call ${call}`,
  notes: 'Written so that a change has the size that changes of a real application have; nothing else is meant by it.',
  owner: `user-${call % 1_000}`,
});

const batchSize = 25;

const read: Operation = {
  id: 'read',
  document: `query Read($spaceId: ID!, $path: TreePath!) {
    treeNode(spaceId: $spaceId, path: $path) { path value version }
  }`,
  variables: (call, nodes) => ({ spaceId, path: itemPath(call, nodes) }),
  calls: 4_000,
  warmUp: 4_000,
  promisedMs: 200,
};

/** Spaces of the viewer: every fifth, as data/dataset.sql makes them. */
const spaces = 20;

const nested: Operation = {
  id: 'nested',
  document: `query Nested($id: ID!) {
    space(by: { id: $id }) {
      name
      tasks(first: 20) { nodes { id title status progress createdAt assignee { id name } } }
    }
  }`,
  variables: (call) => ({ id: idOf('space', (call % spaces) * 5) }),
  calls: 4_000,
  warmUp: 4_000,
  promisedMs: 200,
};

const wide: Operation = {
  id: 'wide',
  document: `query Wide {
    viewer {
      spaces(first: 10) {
        nodes {
          name
          tasks(first: 10) { nodes { title assignee { name } } }
          notes(first: 10) { nodes { title author { name } } }
        }
      }
    }
  }`,
  variables: () => ({}),
  calls: 2_000,
  warmUp: 1_000,
  promisedMs: 200,
};

const write: Operation = {
  id: 'write',
  document: `mutation Write($input: WriteTreeNodeInput!) {
    writeTreeNode(input: $input) { treeNode { path value version } }
  }`,
  variables: (call, nodes) => ({ input: { spaceId, path: itemPath(call, nodes), value: itemValue(call) } }),
  calls: 4_000,
  warmUp: 3_000,
  promisedMs: 200,
};

const subtree: Operation = {
  id: 'subtree',
  document: `query Subtree($spaceId: ID!, $pathPrefix: TreePath!, $first: Int!) {
    tree(spaceId: $spaceId, pathPrefix: $pathPrefix, first: $first) { nodes { path value version } pageInfo { hasNextPage endCursor } }
  }`,
  variables: () => ({ spaceId, pathPrefix: '/catalog', first: 1_000 }),
  calls: 600,
  warmUp: 300,
  promisedMs: 500,
};

const batch: Operation = {
  id: 'batch',
  document: `mutation Batch($input: BatchTreeInput!) {
    batchTree(input: $input) { results { status path exists value version } }
  }`,
  // Writes and reads take turns; the last read is of what the first operation wrote.
  variables: (call, nodes) => {
    const first = call * batchSize;
    const operations = Array.from({ length: batchSize }, (_, at) =>
      at % 2 === 1
        ? { write: { path: itemPath(first + at, nodes), value: itemValue(first + at) } }
        : { read: { path: itemPath(at === batchSize - 1 ? first + 1 : first + at, nodes) } },
    );
    return { input: { spaceId, operations } };
  },
  calls: 800,
  warmUp: 400,
  promisedMs: 200,
};

export const operations: Readonly<Record<OperationId, Operation>> = { read, nested, wide, write, subtree, batch };

/** The body of the HTTP request of one call. */
export function bodyOf(operation: Operation, call: number, nodes: number): string {
  const { id, document } = operation;
  const operationName = `${id.charAt(0).toUpperCase()}${id.slice(1)}`;
  return JSON.stringify({ query: document, operationName, variables: operation.variables(call, nodes) });
}
