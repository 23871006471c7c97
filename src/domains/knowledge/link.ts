import { z } from 'zod';
import { slug } from '../../core/rules.js';
import { shape } from '../../core/shape.js';
import type { LinkableType } from '../../core/visibility.js';
import type { Link as LinkModel } from '../../generated/prisma/client.js';
import { userShape } from '../identity/user.js';

const columns = [
  'id',
  'spaceId',
  'sourceId',
  'targetId',
  'kind',
  'origin',
  'score',
  'rank',
  'sharedKeywords',
  'createdById',
  'createdAt',
] as const;
export type LinkRow = Pick<LinkModel, (typeof columns)[number]>;

/** What leaves the database of a link. */
export const linkShape = shape<LinkRow>({
  model: 'Link',
  key: 'id',
  columns,
  always: ['id'],
  fields: { space: ['spaceId'], source: ['sourceId'], target: ['targetId'], createdBy: ['createdById'] },
  gone: 'dismissedAt',
  inJson: { createdAt: 'instant' },
  along: { createdBy: { column: 'createdById', shape: userShape } },
});

/** One end of a link: a row of any type that links join. */
export interface LinkableRow {
  readonly id: string;
  readonly spaceId: string;
}

/** One end, and what it is. */
export interface LinkEnd extends LinkableRow {
  readonly type: LinkableType;
}

/** What discovery calls its links; people may use it too. */
export const related = 'related';

export const NewLink = z.object({ sourceId: z.string(), targetId: z.string(), kind: slug });
export const LinkFilter = z.object({ kind: z.string().nullish(), minScore: z.number().min(0).max(1).nullish() });

export const maxDepth = 5;
export const maxGraphNodes = 1_000;
/** Of one thing, and of one graph: the strongest so many links are followed, and answered. */
export const maxFollowed = 10_000;

export const GraphQuestion = z.object({
  root: z.string(),
  depth: z.int().min(0, `must be between 0 and ${maxDepth}`).max(maxDepth, `must be between 0 and ${maxDepth}`),
  first: z
    .int()
    .min(1, `must be between 1 and ${maxGraphNodes}`)
    .max(maxGraphNodes, `must be between 1 and ${maxGraphNodes}`),
});
