import type { Ctx } from '../../core/context.js';
import { load, loadExisting } from '../../core/loaders.js';
import { listField } from '../../core/pages.js';
import { payload } from '../../core/payload.js';
import type { Selection } from '../../core/reading.js';
import type { Resolvers } from '../../generated/graphql.js';
import { userShape } from '../identity/user.js';
import { spaceShape } from '../spaces/space.js';
import { type Ends, endSeen, existingEnd } from './ends.js';
import { type GraphRow, graph, linksAmong } from './graph.js';
import { linkShape } from './link.js';
import { createLink, deleteLink, followLinks } from './links.js';
import { linksOf, notesOf } from './loaders.js';
import { noteShape } from './note.js';
import { createNote, deleteNote, updateNote } from './service.js';

/** `ends` are the shapes of what links join, older and newer domains' too. */
export const resolvers = (ends: Ends): Resolvers => ({
  Query: {
    note: (_, { id }, ctx, info) => load(ctx, noteShape, id, info),
    graph: (_, args, ctx) => graph(ctx, ends, args),
  },
  Space: {
    notes: listField(['id'], notesOf),
  },
  Note: {
    space: (note, _, ctx, info) => loadExisting(ctx, spaceShape, note.spaceId, info),
    author: (note, _, ctx, info) => (note.authorId ? load(ctx, userShape, note.authorId, info) : null),
    links: listField(['id'], linksOf),
  },
  TreeNode: {
    links: listField(['id'], linksOf),
  },
  File: {
    links: listField(['id'], linksOf),
  },
  Link: {
    space: (link, _, ctx, info) => loadExisting(ctx, spaceShape, link.spaceId, info),
    source: (link, _, ctx, info) => existingEnd(ctx, ends, link.sourceId, link, info),
    target: (link, _, ctx, info) => existingEnd(ctx, ends, link.targetId, link, info),
    createdBy: (link, _, ctx, info) => (link.createdById ? load(ctx, userShape, link.createdById, info) : null),
  },
  Graph: {
    nodes: (found, _, ctx, info) => endsSeen(ctx, ends, found, info),
    links: (found, _, ctx, info) => linksAmong(ctx, found.ids, info),
  },
  LinkChange: {
    link: (change, _, ctx, info) => load(ctx, linkShape, change.linkId, info),
  },
  Mutation: {
    createNote: (_, { input }, ctx) => payload(createNote(ctx, input), (note) => ({ note })),
    updateNote: (_, { input }, ctx) => payload(updateNote(ctx, input), (note) => ({ note })),
    deleteNote: (_, { input }, ctx) => payload(deleteNote(ctx, input), (deletedNoteId) => ({ deletedNoteId })),
    createLink: (_, { input }, ctx) => payload(createLink(ctx, ends, input), (link) => ({ link })),
    deleteLink: (_, { input }, ctx) => payload(deleteLink(ctx, input), (deletedLinkId) => ({ deletedLinkId })),
  },
  Subscription: {
    linksChanged: { subscribe: (_, args, ctx) => followLinks(ctx, ends, args) },
  },
});

/** Those of these things that are still there. */
async function endsSeen(ctx: Ctx, ends: Ends, { spaceId, ids }: GraphRow, at: Selection) {
  const rows = await Promise.all(ids.map((id) => endSeen(ctx, ends, id, spaceId, at)));
  return rows.filter((row) => row !== null);
}
