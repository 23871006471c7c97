import { isSpaceWide, type LinkableType } from '../../core/visibility.js';
import type { Tx } from '../../core/write.js';
import type { LinkEnd } from './link.js';

/** How a thing is related to a note, and why. */
export interface Relation extends Pick<LinkEnd, 'id' | 'type'> {
  /** 0–1, with three digits. */
  readonly score: number;
  /** The keywords that both have, the rarest first, as the note spells them. */
  readonly words: readonly string[];
  /** The same as the other spells them. */
  readonly otherWords: readonly string[];
}

/** A thing whose text is like another's, by the cosine of the angle between them: 1 says the same. */
export interface Similar extends Pick<LinkEnd, 'id' | 'type'> {
  readonly similarity: number;
}

/** From here on two things are related. */
const threshold = 0.2;
/** How alike two texts are that have little to do with each other. */
const unlike = 0.35;
/** A keyword of more things than these tells them not apart. */
const commonest = 1_000;
/** In a small space it counts as if there were so many things more, which are about something else. */
const others = 50;
const mostConsidered = 200;

const written: readonly LinkableType[] = ['Note'];
/** What is discovered: what people write, and everyone who reads the space reads too. */
export const discovered = written.filter(isSpaceWide);

interface Overlap {
  readonly id: string;
  readonly type: LinkableType;
  readonly overlap: number;
  readonly words: string[];
  readonly otherWords: string[];
}

/** What is related to a note, the most closely related first. The same from either side, but for the spelling. */
export async function relationsOf(
  tx: Tx,
  note: Pick<LinkEnd, 'id' | 'spaceId'>,
  similar: readonly Similar[],
): Promise<Relation[]> {
  const similarity = new Map(similar.filter(({ type }) => discovered.includes(type)).map((one) => [one.id, one]));
  const overlaps = await overlapsOf(tx, note, [...similarity.keys()]);
  const known = new Set(overlaps.map(({ id }) => id));
  const alike = [...similarity.values()]
    .filter(({ id }) => !known.has(id))
    .map(({ id, type }) => ({ id, type, overlap: 0, words: [], otherWords: [] }));
  return [...overlaps, ...alike]
    .map(({ overlap, ...one }) => ({ ...one, score: together(overlap, similarity.get(one.id)?.similarity ?? 0) }))
    .filter(({ id, score }) => score >= threshold && id !== note.id)
    .sort((a, b) => b.score - a.score || (a.id < b.id ? 1 : -1));
}

/** Keywords and likeness each add to what the other says. */
function together(overlap: number, similarity: number): number {
  const likeness = Math.max(0, similarity - unlike) / (1 - unlike);
  return Math.round((1 - (1 - overlap) * (1 - Math.min(1, likeness))) * 1_000) / 1_000;
}

// The rarer a keyword is in the space, the more it says; how much of what both are about they share; one word alone may be chance.
function overlapsOf(tx: Tx, { id, spaceId }: Pick<LinkEnd, 'id' | 'spaceId'>, besides: readonly string[]) {
  return tx.sql<Overlap>`with things as (
      select ${others}::int + count(*) as n from (select from "Note" where "spaceId" = ${spaceId} limit 10000) x
    ), mine as (
      select m.term, m.word, ln(1 + things.n::float8 / held.n) / ln(1 + things.n::float8) as weight
      from "Keyword" m cross join things cross join lateral (
        select count(*) as n from (select from "Keyword" k where k."spaceId" = ${spaceId} and k.term = m.term limit ${commonest + 1}) x) held
      where m."resourceId" = ${id} and held.n <= ${commonest}
    ), shared as (
      select k."resourceId" as id, k."resourceType" as type, sum(m.weight) as weight, count(*) as n,
        array_agg(m.word order by m.weight desc, m.term) as words, array_agg(k.word order by m.weight desc, m.term) as "otherWords"
      from mine m join "Keyword" k on k."spaceId" = ${spaceId} and k.term = m.term
      where k."resourceId" <> ${id} and k."resourceType" = any(${discovered}::text[]) group by 1, 2
    )
    select s.id, s.type, s.words, s."otherWords", s.weight * s.n / (s.n + 0.5) / sqrt(ours.n * theirs.n) as overlap
    from (select * from shared order by id = any(${besides}::text[]) desc, weight desc, id desc limit ${mostConsidered}) s
    cross join (select greatest(count(*), 1)::float8 as n from "Keyword" where "resourceId" = ${id}) ours
    cross join lateral (select count(*)::float8 as n from "Keyword" where "resourceId" = s.id) theirs`;
}
