import type { z } from 'zod';
import { notFound } from '../../core/errors.js';
import { newId } from '../../core/ids.js';
import type { Tx } from '../../core/write.js';
import type { LinkOrigin, LinkStatus } from '../../generated/graphql.js';
import { holdEnds, linkableType } from './ends.js';
import { indexKeywords } from './keyword-index.js';
import { extractKeywords, givenKeywords } from './keywords.js';
import { stopWordsOf } from './languages.js';
import { related } from './link.js';
import { assertFits, type NewNote } from './note.js';

/** A note that was somewhere else before. */
export type GivenNote = Omit<z.output<typeof NewNote>, 'keywords'> & {
  readonly keywords: readonly string[];
  readonly linkStatus: LinkStatus;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** What it is related to is told as well, and not to be looked for. */
  readonly withLinks: boolean;
};

/** Adds a note with the keywords and the dates it had; answers its id. Keywords that are those of the text go on following it. */
export async function insertNote(tx: Tx, note: GivenNote): Promise<string> {
  const { spaceId, title, content, withLinks } = note;
  assertFits(content);
  const extracted = extractKeywords(title, content, await stopWordsOf(tx, title, content));
  const follow = extracted.map(({ word }) => word).join('\n') === note.keywords.join('\n');
  const keywords = follow ? extracted : givenKeywords(note.keywords);
  const id = newId('note');
  await tx.sql`insert into "Note" (id, "spaceId", "authorId", title, content, keywords, "keywordsGiven", "linkStatus", "createdAt", "updatedAt")
    values (${id}, ${spaceId}, ${tx.actorId}, ${title}, ${content}, ${keywords.map(({ word }) => word)}, ${!follow}, ${withLinks ? note.linkStatus : 'PENDING'}::"LinkStatus",
      least(${note.createdAt}::timestamptz, ${tx.now}), least(${note.updatedAt}::timestamptz, ${tx.now}))`;
  await indexKeywords(tx, { type: 'Note', id, spaceId }, keywords);
  tx.emit('note.created', 'Note', id, {
    version: 1,
    ...(withLinks && note.linkStatus === 'READY' && { isLinked: true }),
  });
  return id;
}

/** A link that joined other things before. */
export interface GivenLink {
  readonly spaceId: string;
  readonly sourceId: string;
  readonly targetId: string;
  readonly kind: string;
  readonly origin: LinkOrigin;
  readonly score: number | null;
  readonly sharedKeywords: readonly string[];
  readonly createdAt: Date;
}

/** Adds a link between two things of the space, in place of what discovery has found between them meanwhile; answers its id. */
export async function insertLink(tx: Tx, link: GivenLink): Promise<string> {
  const { spaceId, sourceId, targetId, kind, origin, score } = link;
  const [sourceType, targetType] = [linkableType(sourceId), linkableType(targetId)];
  if (!sourceType || !targetType) throw notFound();
  const ends = [
    { id: sourceId, type: sourceType },
    { id: targetId, type: targetType },
  ];
  if ((await holdEnds(tx, spaceId, ends)).size < 2) throw notFound();
  if (kind === related)
    await tx.sql`delete from "Link" where origin = 'AUTO' and least("sourceId", "targetId") = least(${sourceId}::text, ${targetId}::text)
      and greatest("sourceId", "targetId") = greatest(${sourceId}::text, ${targetId}::text)`;
  const id = newId('link');
  await tx.sql`insert into "Link" (id, "spaceId", "sourceType", "sourceId", "targetType", "targetId", kind, origin, score, "sharedKeywords", "createdById", "createdAt")
    values (${id}, ${spaceId}, ${sourceType}, ${sourceId}, ${targetType}, ${targetId}, ${kind}, ${origin}::"LinkOrigin", ${score}::float8, ${link.sharedKeywords},
      ${origin === 'MANUAL' ? tx.actorId : null}, least(${link.createdAt}::timestamptz, ${tx.now}))`;
  tx.emit('link.created', 'Link', id, { sourceId, targetId });
  return id;
}
