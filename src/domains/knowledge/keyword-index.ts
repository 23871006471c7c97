import type { Tx } from '../../core/write.js';
import type { KeywordOf } from './keywords.js';
import type { LinkEnd } from './link.js';

/** Files a thing of a space under these keywords and no others. */
export async function indexKeywords(tx: Tx, { id, spaceId, type }: LinkEnd, keywords: readonly KeywordOf[]) {
  const terms = keywords.map(({ term }) => term);
  const words = keywords.map(({ word }) => word);
  await tx.sql`with gone as (delete from "Keyword" where "resourceId" = ${id} and term <> all(${terms}::text[]))
    insert into "Keyword" ("spaceId", term, "resourceType", "resourceId", word)
    select ${spaceId}, k.term, ${type}, ${id}, k.word from unnest(${terms}::text[], ${words}::text[]) as k (term, word)
    on conflict ("spaceId", term, "resourceType", "resourceId") do update set word = excluded.word where "Keyword".word <> excluded.word`;
}

/** Takes a thing that is gone out of the index. */
export async function forgetKeywords(tx: Tx, id: string): Promise<void> {
  await tx.sql`delete from "Keyword" where "resourceId" = ${id}`;
}
