import { z } from 'zod';
import { version } from '../../core/rules.js';
import { shape } from '../../core/shape.js';
import type { Folder as FolderModel } from '../../generated/prisma/client.js';

const columns = [
  'id',
  'spaceId',
  'parentId',
  'path',
  'parentPath',
  'name',
  'version',
  'createdAt',
  'updatedAt',
] as const;
export type FolderRow = Pick<FolderModel, (typeof columns)[number]>;

/** What leaves the database of a folder. */
export const folderShape = shape<FolderRow>({
  model: 'Folder',
  key: 'id',
  columns,
  always: ['id'],
  fields: {
    space: ['spaceId'],
    parent: ['parentId'],
    folders: ['spaceId', 'path'],
    files: ['spaceId', 'path'],
  },
  inJson: { createdAt: 'instant', updatedAt: 'instant' },
});

/** How many files one change takes with it. */
export const maxFilesBelow = 10_000;

export const FolderMove = z.object({ id: z.string(), version });
