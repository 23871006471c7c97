import { z } from 'zod';
import { isCommonInstant } from '../../core/rules.js';

/** What the first line of an export says it is. */
export const formatName = 'canopy.space';
export const formatVersion = 1;
/** The media type of exports. Files of it are left out of an export: they would hold each other. */
export const exportType = 'application/vnd.canopy.space+jsonl';

/** The longest line, without its end: whatever one object holds, as JSON that spells out every character. */
export const maxLineBytes = 2 * 1024 * 1024;
/** How many bytes of a file one line holds. */
export const chunkBytes = 512 * 1024;
/** Of a file, the latest so many versions. */
export const maxVersions = 1_000;

/** The first line. */
export const Header = z.object({
  format: z.literal(formatName),
  version: z.literal(formatVersion),
  exportedAt: z.string(),
  space: z.object({ name: z.string(), slug: z.string(), visibility: z.string() }),
});

/** A line after the first: one thing, or a part of one. */
export interface Item {
  readonly kind: string;
  readonly [field: string]: unknown;
}

/** The last line: without it an export is not whole. */
export const endKind = 'end';

/** Ids of the space that was exported, by which its things name each other. */
export const reference = z.string().min(1).max(200);
export const date = z.iso
  .datetime({ offset: true })
  .transform((text) => new Date(text))
  .refine(isCommonInstant, 'must be of the years 1 to 9999');

/** Types of tasks that move what a space holds, and are no part of it. */
export const transferTypes: readonly string[] = ['space.export', 'space.import'];
