import { parse } from '../../core/input.js';
import type { Listed } from '../../core/list-field.js';
import type { Order } from '../../core/page.js';
import type { Related } from '../../core/related.js';
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

/** The notes of a space that pass a filter. */
export function notesOf({ filter, orderBy }: SpaceNotesArgs): Listed<NoteRow> {
  const whole = wholeLists[orderBy];
  if (filter == null) return { list: whole, values: [] };
  const { keyword, authorId } = parse(NoteFilter, filter);
  const asked = [
    { key: 'authorId', value: authorId },
    { key: 'term', value: keyword == null ? null : termOf(keyword) },
  ].flatMap(({ key, value }) => (value == null ? [] : [{ key, value }]));
  const keys = ['spaceId', ...asked.map(({ key }) => key)];
  return {
    list: { ...whole, keys, ...(keyword != null && { from: filed }) },
    values: asked.map(({ value }) => value),
  };
}

const sides = {
  OUTGOING: `(select l.*, l."sourceId" as "endId" from "Link" l) t`,
  INCOMING: `(select l.*, l."targetId" as "endId" from "Link" l) t`,
  ANY: `(select l.*, l."sourceId" as "endId" from "Link" l union all select l.*, l."targetId" from "Link" l) t`,
} as const satisfies Record<LinkDirection, string>;

/** Links by strength; those that have no score count as 1. */
export const strongest: Order = { columns: ['rank', 'id'], direction: 'desc' };

/** The links of a thing that pass a filter, the strongest first. */
export function linksOf(args: NoteLinksArgs): Listed<LinkRow> {
  const { kind, minScore } = parse(LinkFilter, args);
  const list: Related<LinkRow> = {
    shape: linkShape,
    from: sides[args.direction],
    keys: ['endId'],
    filters: [...(kind == null ? [] : ['t.kind = $']), ...(minScore == null ? [] : ['t.rank >= $::float8'])],
    order: strongest,
  };
  return { list, values: [...(kind == null ? [] : [kind]), ...(minScore == null ? [] : [`${minScore}`])] };
}
