import { createHash } from 'node:crypto';

/** A piece of a body, short enough to have one meaning. */
export interface Chunk {
  /** Where it stands in the body, in characters as Postgres counts them. */
  readonly start: number;
  readonly length: number;
  /** What is embedded: the title, which says what it is about, and the piece. */
  readonly text: string;
  readonly hash: string;
}

const words = 160;
const overlap = 30;
const mostChunks = 200;
const longestText = 4_000;

/** A body in pieces of at most 160 words, of which each begins with the last 30 of the one before; of a very long body the first 200. */
export function chunksOf(title: string, body: string): Chunk[] {
  const found = [...body.matchAll(/\S+/g)].map(({ index, 0: word }) => ({ start: index, end: index + word.length }));
  const chunks: Chunk[] = [];
  let from = 0;
  let counted = { at: 0, start: 0 };
  do {
    const first = found[from]?.start ?? 0;
    const last = found[Math.min(from + words, found.length) - 1]?.end ?? 0;
    const piece = body.slice(first, last);
    counted = { at: first, start: counted.start + characters(body.slice(counted.at, first)) };
    const text = `${title}\n${piece}`.slice(0, longestText).toWellFormed();
    chunks.push({
      start: counted.start,
      length: characters(piece),
      text,
      hash: createHash('sha256').update(text).digest('base64url'),
    });
    from += words - overlap;
  } while (from + overlap < found.length && chunks.length < mostChunks);
  return chunks;
}

/** A character beyond the first plane is two units of a string. */
const characters = (text: string) => text.length - (text.match(/[\uD800-\uDBFF][\uDC00-\uDFFF]/g)?.length ?? 0);
