import type { Visibility } from '../../src/generated/graphql.js';
import type { FileStage, Standing, Things } from './file-stage.js';

/** Whom something is for, of those the file is visible to. */
export type For = 'sees' | 'inside' | 'finds' | 'shares' | 'knows' | 'uploads';

/** Whether something that is for some of those who see a file is for this one. `uploads`: what a file is made by, which a grantee has nothing to do with. */
export function isFor(audience: For, { sees, inside, finds, shares, granted }: Standing): boolean {
  if (audience === 'knows') return shares || granted;
  if (audience === 'uploads') return shares;
  return { sees, inside, finds, shares }[audience];
}

/** A way that leads to a thing by its id. Whom it is not for hears the same, byte by byte, as of what does not exist. */
export interface Way {
  readonly document: string;
  readonly variables: (things: Things, stage: FileStage) => Record<string, unknown>;
  readonly for: For;
  /** Anonymous callers may ask it. */
  readonly open?: true;
  /** It asks for another scope than those of files, and tells of no more than the thing's id. */
  readonly otherScope?: true;
}

const node = (name: keyof Things, type: string, selection: string, audience: For): Way => ({
  document: `query ($id: ID!) { node(id: $id) { ... on ${type} { ${selection} } } }`,
  variables: (things) => ({ id: things[name] }),
  for: audience,
  open: true,
});

const other = (way: Way): Way => ({ ...way, otherScope: true });

const change = (name: string, input: (things: Things, stage: FileStage) => object, audience: For = 'inside'): Way => ({
  document: `mutation ($input: ${name[0]?.toUpperCase()}${name.slice(1)}Input!) { ${name}(input: $input) { eventCursor } }`,
  variables: (things, stage) => ({ input: input(things, stage) }),
  for: audience,
});

const fileFields = 'id name path mimeType sizeBytes checksum visibility status version embeddingStatus createdAt';

/** Every way to something by its id. */
export const ways: Readonly<Record<string, Way>> = {
  'file(id:)': {
    document: `query ($id: ID!) { file(id: $id) { ${fileFields} } }`,
    variables: ({ file }) => ({ id: file }),
    for: 'sees',
    open: true,
  },
  'the address of its bytes': {
    document: 'query ($id: ID!) { file(id: $id) { url } }',
    variables: ({ file }) => ({ id: file }),
    for: 'sees',
    open: true,
  },
  'node(id:)': node('file', 'File', fileFields, 'sees'),
  'nodes(ids:)': {
    document: 'query ($ids: [ID!]!) { nodes(ids: $ids) { id __typename } }',
    variables: ({ file, version }) => ({ ids: [file, version] }),
    for: 'sees',
    open: true,
  },
  'its versions': node('file', 'File', 'versions { totalCount edges { cursor node { id url } } }', 'sees'),
  'a version': node('version', 'FileVersion', 'id number checksum sizeBytes url uploadedBy { id }', 'sees'),
  'its grants': node('file', 'File', 'grants { totalCount }', 'sees'),
  'a grant': node('grant', 'AccessGrant', 'id permission principal user { id } file { id }', 'knows'),
  'an upload': node('upload', 'UploadSession', 'id name status receivedParts url file { id }', 'uploads'),
  'its comments': node('file', 'File', 'comments { totalCount nodes { id content } }', 'sees'),
  'a comment': other(
    node('comment', 'Comment', 'id content isDeleted depth replies { totalCount nodes { id } }', 'sees'),
  ),
  'a reply': other(node('reply', 'Comment', 'id content parent { id content }', 'sees')),
  'what a comment is on': node('comment', 'Comment', 'subject { ... on File { id name } }', 'sees'),
  'its links': node('file', 'File', 'links { totalCount nodes { id } }', 'sees'),
  'a link': other(node('link', 'Link', 'id kind sharedKeywords source { __typename } target { __typename }', 'inside')),
  'the end of a link': node('link', 'Link', 'target { ... on File { id name } }', 'inside'),
  'graph(root:)': {
    document: 'query ($id: ID!) { graph(root: $id) { nodes { __typename } links { id } } }',
    variables: ({ file }) => ({ id: file }),
    for: 'sees',
    otherScope: true,
  },
  'commentsChanged(subjectId:)': {
    document: 'subscription ($id: ID!) { commentsChanged(subjectId: $id) { type } }',
    variables: ({ file }) => ({ id: file }),
    for: 'inside',
    otherScope: true,
  },
  'linksChanged(id:)': {
    document: 'subscription ($id: ID!) { linksChanged(id: $id) { type } }',
    variables: ({ file }) => ({ id: file }),
    for: 'inside',
    otherScope: true,
  },
  explainAccess: {
    document: 'query ($id: ID!) { explainAccess(id: $id, action: "comment.read") { allowed rule missing } }',
    variables: ({ comment }) => ({ id: comment }),
    for: 'inside',
    otherScope: true,
  },
  updateFile: change('updateFile', ({ file }) => ({ id: file, version: 99, name: 'x' })),
  'updateFile of the visibility': change('updateFile', ({ file }) => ({ id: file, version: 99, visibility: 'SPACE' })),
  moveFile: change('moveFile', ({ file }) => ({ id: file, version: 99, toFolderPath: '/' })),
  deleteFile: change('deleteFile', ({ file }) => ({ id: file, version: 99 })),
  restoreFileVersion: change('restoreFileVersion', ({ file }) => ({ id: file, version: 99, number: 1 })),
  'grantAccess to nobody': change('grantAccess', ({ file }) => ({ fileId: file, permission: 'WRITE' }), 'sees'),
  createComment: other(change('createComment', ({ file }) => ({ subjectId: file, content: 'Hello' }))),
  'createComment as a reply': other(
    change('createComment', ({ file, comment }) => ({
      subjectId: file,
      parentId: comment,
      content: 'Hello',
    })),
  ),
  updateComment: other(change('updateComment', ({ comment }) => ({ id: comment, version: 99, content: 'x' }))),
  deleteComment: other(change('deleteComment', ({ comment }) => ({ id: comment, version: 99 }))),
  createLink: other(change('createLink', ({ file }, { hub }) => ({ sourceId: hub, targetId: file, kind: 'again' }))),
  'createLink the other way': other(change('createLink', ({ file }, { hub }) => ({ sourceId: file, targetId: hub }))),
};

/** A list, and the ids of files that it answers; what tells how many there are, when it says so. */
export interface List {
  readonly document: string;
  readonly variables: (stage: FileStage) => Record<string, unknown>;
  readonly read: (
    // biome-ignore lint/suspicious/noExplicitAny: answers of any form.
    data: any,
    stage: FileStage,
  ) => { readonly ids: readonly (string | undefined)[]; readonly count?: number };
  readonly for: For;
  /** It asks for another scope than those of files, and tells of no more than their ids. */
  readonly otherScope?: true;
  /** Anonymous callers may ask it. */
  readonly open?: true;
  /** It is for members of the space, also where that is public. */
  readonly membersOnly?: true;
}

/** Whom a list shows the files to that they see: where a space is public, not only to those in it. */
export const audienceOf = (list: List, space: 'PRIVATE' | 'PUBLIC'): For =>
  space === 'PUBLIC' && list.for === 'inside' && !list.membersOnly ? 'sees' : list.for;

interface Listed {
  readonly totalCount: number;
  readonly nodes: readonly { readonly id: string }[];
}
const whole = ({ totalCount, nodes }: Listed) => ({ ids: nodes.map(({ id }) => id), count: totalCount });
const ofSpace = (selection: string) =>
  `query ($id: ID!) { space(by: { id: $id }) { files(${selection}) { totalCount nodes { id } } } }`;
const inSpace = ({ space }: FileStage) => ({ id: space.id });
const search = (mode: string, place: string, audience: For = 'inside'): List => ({
  document: `query ($text: String!${place ? ', $space: ID!' : ''}) { search(text: $text, mode: ${mode}, first: 100, types: [FILE]${place}) {
    totalCount nodes { node { ... on File { id } } highlights { text } } } }`,
  variables: ({ word, space }) => ({ text: word, ...(place && { space: space.id }) }),
  read: ({ search: { totalCount, nodes } }) => ({
    ids: nodes.map((hit: { node: { id: string } | null }) => hit.node?.id),
    count: totalCount,
  }),
  for: audience,
});

/** Every list that files are on. */
export const lists: Readonly<Record<string, List>> = {
  'Space.files': {
    document: ofSpace('first: 100'),
    variables: inSpace,
    read: ({ space }) => whole(space.files),
    for: 'inside',
    open: true,
  },
  'Space.files of a folder, by name': {
    document: ofSpace('first: 100, filter: { folderPath: "/plans" }, orderBy: NAME_ASC'),
    variables: inSpace,
    read: ({ space }) => whole(space.files),
    for: 'inside',
    open: true,
  },
  'Space.files of a person': {
    document:
      'query ($id: ID!, $owner: ID!) { space(by: { id: $id }) { files(filter: { ownerId: $owner, mimeType: "text/plain" }) { totalCount nodes { id } } } }',
    variables: ({ space, people }) => ({ id: space.id, owner: people.fileOwner.id }),
    read: ({ space }) => whole(space.files),
    for: 'inside',
    open: true,
  },
  'Folder.files': {
    document: 'query ($id: ID!) { node(id: $id) { ... on Folder { files(first: 100) { totalCount nodes { id } } } } }',
    variables: ({ folder }) => ({ id: folder }),
    read: ({ node }) => whole(node.files),
    for: 'inside',
    open: true,
  },
  'folder(path:).files, from the end': {
    document:
      'query ($id: ID!) { folder(spaceId: $id, path: "/plans") { files(last: 100) { totalCount nodes { id } } } }',
    variables: inSpace,
    read: ({ folder }) => whole(folder.files),
    for: 'inside',
  },
  'Space.folders.files': {
    document: 'query ($id: ID!) { space(by: { id: $id }) { folders { nodes { files { totalCount nodes { id } } } } } }',
    variables: inSpace,
    read: ({ space }) => whole(space.folders.nodes[0].files),
    for: 'inside',
    open: true,
  },
  'Note.links': {
    document:
      'query ($id: ID!) { note(id: $id) { links(first: 100) { totalCount nodes { target { ... on File { id } } } } } }',
    variables: ({ hub }) => ({ id: hub }),
    read: ({ note }) => ({
      ids: note.links.nodes.map(({ target }: { target: { id: string } }) => target.id),
      count: note.links.totalCount,
    }),
    for: 'inside',
  },
  'graph of a note': {
    document:
      'query ($id: ID!) { graph(root: $id) { nodes { ... on File { id } } links { target { ... on File { id } } } } }',
    variables: ({ hub }) => ({ id: hub }),
    read: ({ graph }) => ({
      ids: graph.nodes.flatMap(({ id }: { id?: string }) => id ?? []),
      count: graph.links.length,
    }),
    for: 'inside',
  },
  'search by words': search('EXACT', ', spaceId: $space'),
  'search by meaning': search('SEMANTIC', ', spaceId: $space'),
  'search everywhere': search('HYBRID', '', 'finds'),
  'search everywhere by words': search('EXACT', '', 'finds'),
  'search everywhere by meaning': search('SEMANTIC', '', 'finds'),
  'search of comments': {
    document: `query ($id: ID!) { search(text: "secret comment", spaceId: $id, mode: EXACT, types: [COMMENT]) {
      nodes { highlights { text } node { ... on Comment { content } } } } }`,
    variables: inSpace,
    read: ({ search: { nodes } }, stage) => ({
      ids: nodes
        .map(({ node }: { node: { content: string } }) => node.content.split(' '))
        .filter(([, , what]: string[]) => what === 'comment')
        .map(([visibility]: [Visibility]) => stage.of(visibility).file),
    }),
    for: 'inside',
    otherScope: true,
  },
  'events of files': {
    document:
      'query ($id: ID!) { events(spaceId: $id, types: ["file.ready"], first: 100) { nodes { resourceId resource { id } } } }',
    variables: inSpace,
    read: ({ events }) => ({
      ids: events.nodes.map(({ resource }: { resource: { id: string } | null }) => resource?.id),
    }),
    for: 'inside',
    membersOnly: true,
  },
  'events of sharing': {
    document: 'query ($id: ID!) { events(spaceId: $id, types: ["file.granted"], first: 100) { nodes { resourceId } } }',
    variables: inSpace,
    read: ({ events }) => ({ ids: events.nodes.map(({ resourceId }: { resourceId: string }) => resourceId) }),
    for: 'knows',
    otherScope: true,
  },
  'events of links': {
    document: 'query ($id: ID!) { events(spaceId: $id, types: ["link.created"], first: 100) { nodes { related } } }',
    variables: inSpace,
    read: ({ events }) => ({
      ids: events.nodes.map(({ related }: { related: { targetId: string } }) => related.targetId),
    }),
    for: 'inside',
    membersOnly: true,
    otherScope: true,
  },
  'events of comments': {
    document: 'query ($id: ID!) { events(spaceId: $id, types: ["comment.created"], first: 100) { nodes { related } } }',
    variables: inSpace,
    read: ({ events }) => ({
      ids: [
        ...new Set<string>(events.nodes.map(({ related }: { related: { subjectId: string } }) => related.subjectId)),
      ],
    }),
    for: 'inside',
    membersOnly: true,
    otherScope: true,
  },
};
