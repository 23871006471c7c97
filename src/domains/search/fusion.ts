import { byBest, depth, type Finding } from './search.js';

/** How soon a place in a list counts less than the one before it. By `npm run bench:search`; between 5 and 60 hardly anything changes. */
const slope = 10;

/** Two lists as one, by reciprocal rank: what stands high in one counts, what stands in both counts twice. A hit that has a few of the words says little. */
export function fuse(exact: readonly Finding[], semantic: readonly Finding[]): Finding[] {
  const fused = new Map<string, Finding>();
  for (const list of [exact, semantic])
    for (const [rank, hit] of list.entries()) {
      const known = fused.get(hit.id);
      fused.set(hit.id, {
        ...hit,
        score: hit.share ** 2 / (slope + rank + 1) + (known?.score ?? 0),
        reasons: [...(known?.reasons ?? []), ...hit.reasons],
        chunk: hit.chunk ?? known?.chunk ?? null,
      });
    }
  return [...fused.values()].sort(byBest).slice(0, depth);
}
