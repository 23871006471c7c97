import { z } from 'zod';
import type { Edge, Page } from '../../core/page.js';
import { filledText } from '../../core/rules.js';
import type { SearchMode, SearchPart, SearchReason, SearchType } from '../../generated/graphql.js';
import type { Places } from './places.js';

/** Something that was found. */
export interface SearchHitRow {
  readonly type: SearchType;
  readonly id: string;
  readonly score: number;
  readonly reasons: readonly SearchReason[];
  /** The piece of the body that is nearest in meaning, when meaning led here. */
  readonly chunk: number | null;
  readonly lookup: Lookup;
}

/** What the words of a text are looked up by. */
export interface Lookup {
  /** All of the words, as `to_tsquery` reads it; the text itself where `part` is null. */
  readonly whole: string;
  /** Any of them; null when the text says itself how its words belong together, as `websearch_to_tsquery` reads it. */
  readonly part: string | null;
  /** One for each word. */
  readonly groups: readonly string[];
  /** Some word stands nowhere, and was taken for others. */
  readonly isMended: boolean;
}

export interface SearchConnectionRow extends Page<SearchHitRow> {
  readonly degraded: readonly SearchPart[];
}

export type SearchEdgeRow = Edge<SearchHitRow>;

/** What is searched for, where it was made sure that the viewer may. */
export interface Question extends Places {
  readonly text: string;
  readonly types: readonly SearchType[];
  readonly mode: SearchMode;
}

/** A leg's finding: hits, the best first. */
export type Finding = Omit<SearchHitRow, 'lookup'> & {
  /** How much of the question it answers for: the share of the words that it has; 1 for what is near in meaning. */
  readonly share: number;
};

/** How many hits each leg looks for, and how many there are to page through. */
export const depth = 200;

/** The rules of a search's text. */
export const SearchText = z.object({ text: filledText(500) });

/** The best first; of equals, the same first each time. */
export const byBest = (a: { score: number; id: string }, b: { score: number; id: string }) =>
  b.score - a.score || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
