import { z } from 'zod';
import { loadPage } from '../../core/pages.js';
import { slug } from '../../core/rules.js';
import { insertLink } from '../../domains/knowledge/insertion.js';
import { maxKeyword } from '../../domains/knowledge/keywords.js';
import { linksOfSpace } from '../../domains/knowledge/loaders.js';
import { date, reference } from './format.js';
import { importer } from './importer.js';
import { handleOf, source } from './source.js';

/** Links both of whose ends are exported; behind all they join. */
export const links = source({
  kind: 'link',
  type: 'Link',
  scopes: ['knowledge:read'],
  page: ({ ctx, spaceId }, args) => loadPage(ctx, linksOfSpace, [spaceId], args),
  async item(
    exporting,
    { id, sourceId, targetId, kind: linkKind, origin, score, sharedKeywords, createdById, createdAt },
  ) {
    if (exporting.leaves(sourceId) || exporting.leaves(targetId)) return null;
    const createdBy = await handleOf(exporting, createdById);
    return { kind: 'link', id, sourceId, targetId, linkKind, origin, score, sharedKeywords, createdBy, createdAt };
  },
});

export const importLink = importer({
  rules: z
    .object({
      id: reference,
      sourceId: reference,
      targetId: reference,
      linkKind: slug,
      origin: z.enum(['MANUAL', 'AUTO']),
      score: z.number().min(0).max(1).nullable(),
      sharedKeywords: z.array(z.string().max(maxKeyword)).max(100),
      createdAt: date,
    })
    .refine(({ origin, score }) => origin === 'MANUAL' || score !== null, 'a discovered link has a score'),
  action: 'link.write',
  key: ({ id }) => id,
  needs: ({ sourceId, targetId }) => [sourceId, targetId],
  add: (tx, { linkKind, ...given }, ids, { spaceId }) =>
    insertLink(tx, {
      ...given,
      spaceId,
      kind: linkKind,
      sourceId: ids.get(given.sourceId) ?? '',
      targetId: ids.get(given.targetId) ?? '',
    }),
});
