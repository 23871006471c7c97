import type { Ctx } from '../../core/context.js';
import { parse } from '../../core/input.js';
import { loadPage, type Related } from '../../core/loaders.js';
import type { Order, Page } from '../../core/page.js';
import type { Selection } from '../../core/shape.js';
import type { LinkDirection, NoteLinksArgs, NoteOrder, SpaceNotesArgs } from '../../generated/graphql.js';
import { termOf } from './keywords.js';
import { LinkFilter, type LinkRow, linkShape } from './link.js';
import { NoteFilter, type NoteRow, noteShape } from './note.js';

/** Notes of a space, newest first. */
export const notesOfSpace: Related<NoteRow> = {
  shape: noteShape,
  keys: ['spaceId'],
  order: { columns: ['id'], direction: 'desc' },
};

/** Notes of a space, the last changed first. */
export const changedNotesOfSpace: Related<NoteRow> = {
  ...notesOfSpace,
  order: { columns: ['updatedAt', 'id'], direction: 'desc' },
};

/** What somebody wrote in a space, in either order. */
export const notesOfAuthor: Related<NoteRow> = { ...notesOfSpace, keys: ['authorId', 'spaceId'] };
export const changedNotesOfAuthor: Related<NoteRow> = { ...changedNotesOfSpace, keys: ['authorId', 'spaceId'] };

/** Links of a space, the first made first. */
export const linksOfSpace: Related<LinkRow> = {
  shape: linkShape,
  keys: ['spaceId'],
  order: { columns: ['id'], direction: 'asc' },
};

const wholeLists: { readonly [By in NoteOrder]: Related<NoteRow> } = {
  NEWEST: notesOfSpace,
  OLDEST: { ...notesOfSpace, order: { ...notesOfSpace.order, direction: 'asc' } },
  LAST_CHANGED: changedNotesOfSpace,
};

// Read from the index of keywords, which holds the ids of each term in their order.
const filed = `(select n.*, k.term from "Keyword" k join "Note" n on n.id = k."resourceId" and n."spaceId" = k."spaceId"
  where k."resourceType" = 'Note') t`;

/** One page of the notes of a space. */
export function notesOf(ctx: Ctx, spaceId: string, args: SpaceNotesArgs, at?: Selection): Promise<Page<NoteRow>> {
  const whole = wholeLists[args.orderBy];
  if (args.filter == null) return loadPage(ctx, whole, [spaceId], args, at);
  const { keyword, authorId } = parse(NoteFilter, args.filter);
  const asked: [string, string | null | undefined][] = [
    ['authorId', authorId],
    ['spaceId', spaceId],
    ['term', keyword == null ? null : termOf(keyword)],
  ];
  const keys = asked.filter((one): one is [string, string] => one[1] != null);
  const list: Related<NoteRow> = {
    ...whole,
    keys: keys.map(([key]) => key),
    ...(keyword != null && { from: filed }),
  };
  const parent = keys.map(([, value]) => value);
  return loadPage(ctx, list, parent, args, at);
}

const sides = {
  OUTGOING: `(select l.*, l."sourceId" as "endId" from "Link" l) t`,
  INCOMING: `(select l.*, l."targetId" as "endId" from "Link" l) t`,
  ANY: `(select l.*, l."sourceId" as "endId" from "Link" l union all select l.*, l."targetId" from "Link" l) t`,
} as const satisfies Record<LinkDirection, string>;

/** Links by strength; those that have no score count as 1. */
export const strongest: Order = { columns: ['rank', 'id'], direction: 'desc' };

/** One page of the links of a thing, the strongest first. */
export function linksOf(ctx: Ctx, id: string, args: NoteLinksArgs, at?: Selection): Promise<Page<LinkRow>> {
  const { kind, minScore } = parse(LinkFilter, args);
  const list: Related<LinkRow> = {
    shape: linkShape,
    from: sides[args.direction],
    keys: ['endId'],
    filters: [...(kind == null ? [] : ['t.kind = $']), ...(minScore == null ? [] : ['t.rank >= $::float8'])],
    order: strongest,
  };
  const parent = [id, ...(kind == null ? [] : [kind]), ...(minScore == null ? [] : [`${minScore}`])];
  return loadPage(ctx, list, parent, args, at);
}
