import { make } from './tenancy.js';
import type { Person } from './world.js';

const fields = 'id title content keywords linkStatus version';
const linkFields = `id kind origin score sharedKeywords
  source { __typename ... on Note { id } ... on TreeNode { id } } target { __typename ... on Note { id } ... on TreeNode { id } }`;
const documents = {
  create: `mutation ($input: CreateNoteInput!) { createNote(input: $input) { note { ${fields} } eventCursor } }`,
  update: `mutation ($input: UpdateNoteInput!) { updateNote(input: $input) { note { ${fields} } eventCursor } }`,
  remove: 'mutation ($input: DeleteNoteInput!) { deleteNote(input: $input) { deletedNoteId eventCursor } }',
  link: `mutation ($input: CreateLinkInput!) { createLink(input: $input) { link { ${linkFields} } eventCursor } }`,
  unlink: 'mutation ($input: DeleteLinkInput!) { deleteLink(input: $input) { deletedLinkId eventCursor } }',
  read: `query ($id: ID!) { note(id: $id) { ${fields} } }`,
  links: `query ($id: ID!, $direction: LinkDirection! = ANY, $kind: String, $minScore: Float, $first: Int, $after: String) { node(id: $id) {
    ... on Note { links(direction: $direction, kind: $kind, minScore: $minScore, first: $first, after: $after) {
      totalCount pageInfo { hasNextPage endCursor } nodes { ${linkFields} } } } } }`,
  graph: `query ($root: ID!, $depth: Int! = 2, $first: Int! = 100) { graph(root: $root, depth: $depth, first: $first) {
    nodes { ... on Note { id } ... on TreeNode { id } } links { id source { ... on Note { id } } target { ... on Note { id } } } } }`,
} as const;

export interface MadeNote {
  readonly id: string;
  readonly title: string;
  readonly content: string;
  readonly keywords: readonly string[];
  readonly linkStatus: string;
  readonly version: number;
}

export interface SeenLink {
  readonly id: string;
  readonly kind: string;
  readonly origin: string;
  readonly score: number | null;
  readonly sharedKeywords: readonly string[];
  readonly source: { readonly id: string };
  readonly target: { readonly id: string };
}

/** What someone can do with the notes of a space and their links. */
export function notesOf(person: Person, spaceId: string) {
  const links = (id: string, more: object = {}) => person.run(documents.links, { id, ...more });
  return {
    create: (input: object) => person.run(documents.create, { input: { spaceId, ...input } }),
    update: (input: object) => person.run(documents.update, { input }),
    remove: (input: object) => person.run(documents.remove, { input }),
    link: (sourceId: string, targetId: string, more: object = {}) =>
      person.run(documents.link, { input: { sourceId, targetId, ...more } }),
    unlink: (id: string) => person.run(documents.unlink, { input: { id } }),
    read: (id: string) => person.run(documents.read, { id }),
    links,
    graph: (root: string, more: object = {}) => person.run(documents.graph, { root, ...more }),
    /** A note that is part of the scene. */
    note: async (title: string, more: object = {}): Promise<MadeNote> =>
      (await make<{ note: MadeNote }>(person, documents.create, { spaceId, title, ...more })).note,
    /** A link that is part of the scene. */
    linked: async (sourceId: string, targetId: string, more: object = {}): Promise<SeenLink> =>
      (await make<{ link: SeenLink }>(person, documents.link, { sourceId, targetId, ...more })).link,
    /** The links of a note that one sees. */
    seen: async (id: string, more: object = {}): Promise<readonly SeenLink[]> =>
      (await links(id, more)).data.node.links.nodes,
  };
}
