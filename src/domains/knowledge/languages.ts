import type { Tx } from '../../core/write.js';
import { mostSaidOf } from './keywords.js';
import { stopWords } from './stop-words.js';

/** A text's words tell its language, and those that it says most would be its keywords. */
const mostAsked = 60;
/** One word is a word of many languages. */
const fewest = 2;

interface Language {
  readonly name: string;
  readonly words: readonly string[];
}

/** The words of a text that tell nothing of what it is about, in English and in the text's own language, if it is one of those of which Postgres has lists. */
export async function stopWordsOf(tx: Tx, title: string, content: string): Promise<ReadonlySet<string>> {
  const said = mostSaidOf(`${title}\n${content}`, mostAsked);
  if (said.size === 0) return stopWords;
  const languages = await tx.sql<Language>`
    select d.dictname as name, array_agg(w.word) as words from unnest(${[...said.keys()]}::text[]) w(word), pg_ts_dict d
    where d.dictname like '%\\_stem' and d.dictnamespace = 'pg_catalog'::regnamespace and ts_lexize(d.oid::regdictionary, w.word) = '{}' group by d.dictname order by d.dictname`;
  const weigh = ({ words }: Language) => words.reduce((sum, word) => sum + (said.get(word) ?? 0), 0);
  const own = languages
    .filter(({ words }) => words.length >= fewest)
    .reduce<Language | null>((best, one) => (best && weigh(best) >= weigh(one) ? best : one), null);
  return own && own.name !== 'english_stem' ? new Set([...stopWords, ...own.words]) : stopWords;
}
