import { z } from 'zod';
import { loadPage } from '../../core/pages.js';
import { folderPath } from '../../domains/files/file.js';
import { insertFolder } from '../../domains/files/insertion.js';
import { foldersOfSpace } from '../../domains/files/loaders.js';
import { date, reference } from './format.js';
import { importer } from './importer.js';
import { source } from './source.js';

export const folders = source({
  kind: 'folder',
  type: 'Folder',
  scopes: ['files:read'],
  page: ({ ctx, spaceId }, args) => loadPage(ctx, foldersOfSpace, [spaceId], args),
  item: (_, { id, path, createdAt, updatedAt }) => ({ kind: 'folder', id, path, createdAt, updatedAt }),
});

/** A folder that is there already is that folder. */
export const importFolder = importer({
  rules: z.object({ id: reference, path: z.string(), createdAt: date, updatedAt: date }),
  action: 'file.write',
  key: ({ id }) => id,
  add: (tx, given, _, { spaceId }) => insertFolder(tx, { ...given, spaceId, path: folderPath(given.path) }),
});
