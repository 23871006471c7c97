import type { Person, World } from './world.js';

const documents = {
  write: `mutation ($input: WriteTreeNodeInput!) { writeTreeNode(input: $input) { treeNode { id path value version checksum sizeBytes contentType } eventCursor } }`,
  patch:
    'mutation ($input: PatchTreeNodeInput!) { patchTreeNode(input: $input) { treeNode { path value version contentType } eventCursor } }',
  remove:
    'mutation ($input: DeleteTreeNodeInput!) { deleteTreeNode(input: $input) { deletedCount deletedPath eventCursor } }',
  move: 'mutation ($input: MoveTreeNodeInput!) { moveTreeNode(input: $input) { movedCount treeNode { id path name depth version value } eventCursor } }',
  restore:
    'mutation ($input: RestoreTreeNodeInput!) { restoreTreeNode(input: $input) { treeNode { id path value version checksum } eventCursor } }',
  batch: `mutation ($input: BatchTreeInput!) { batchTree(input: $input) { eventCursor
    results { status path exists value version deletedCount nodes { path value version } } } }`,
  read: `query ($spaceId: ID!, $path: TreePath!, $default: JSON, $asOf: DateTime) {
    treeNode(spaceId: $spaceId, path: $path, default: $default, asOf: $asOf) { path exists isDefault value version node { id version } } }`,
  list: `query ($spaceId: ID!, $pathPrefix: TreePath! = "/", $depth: Int, $first: Int, $after: String, $last: Int, $before: String) {
    tree(spaceId: $spaceId, pathPrefix: $pathPrefix, depth: $depth, first: $first, after: $after, last: $last, before: $before) {
      nodes { path value } edges { cursor } totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`,
  versions: `query ($id: ID!, $first: Int, $after: String) { node(id: $id) { ... on TreeNode { path versions(first: $first, after: $after) {
    totalCount nodes { version operation path value checksum createdAt author { id } } pageInfo { hasNextPage endCursor } } } } }`,
} as const;

export interface PageOfNodes {
  readonly nodes: readonly { readonly path: string; readonly value: unknown }[];
  readonly totalCount: number;
  readonly pageInfo: {
    readonly hasNextPage: boolean;
    readonly hasPreviousPage: boolean;
    readonly startCursor: string | null;
    readonly endCursor: string | null;
  };
}

/** What someone can do with the tree of a space: each answers the whole answer, and changes nothing when it is refused. */
export function treeOf(person: Person, spaceId: string) {
  const change =
    (document: string) =>
    (path: string, more: object = {}) =>
      person.run(document, { input: { spaceId, path, ...more } });
  return {
    put: (path: string, value: unknown, more: object = {}) =>
      person.run(documents.write, { input: { spaceId, path, value, ...more } }),
    patch: change(documents.patch),
    remove: change(documents.remove),
    move: (path: string, toPath: string, more: object = {}) =>
      person.run(documents.move, { input: { spaceId, path, toPath, ...more } }),
    restore: change(documents.restore),
    batch: (operations: readonly object[]) => person.run(documents.batch, { input: { spaceId, operations } }),
    read: (path: string, more: object = {}) => person.run(documents.read, { spaceId, path, ...more }),
    list: (more: object = {}) => person.run(documents.list, { spaceId, ...more }),
    versions: (id: string, more: object = {}) => person.run(documents.versions, { id, ...more }),
    /** The value at a path; undefined when nothing exists. */
    async value(path: string, asOf?: Date): Promise<unknown> {
      const { data } = await person.run(documents.read, { spaceId, path, ...(asOf && { asOf: asOf.toISOString() }) });
      return data.treeNode.exists ? data.treeNode.value : undefined;
    },
    /** One page; throws when it is refused. */
    async page(more: object = {}): Promise<PageOfNodes> {
      const { data, errors } = await person.run(documents.list, { spaceId, ...more });
      if (!data) throw new Error(JSON.stringify(errors));
      return data.tree;
    },
    /** The paths of one page. */
    async paths(more: object = {}): Promise<string[]> {
      return (await this.page(more)).nodes.map(({ path }) => path);
    },
  };
}

export type Tree = ReturnType<typeof treeOf>;

/** A tree of an editor and a viewer in a space of the world that nobody else writes to. */
export function treeOfWorld(w: World) {
  return { writer: treeOf(w.editor, w.space.id), reader: treeOf(w.viewer, w.space.id) };
}
