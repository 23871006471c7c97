import { z } from 'zod';
import { badInput } from '../../core/errors.js';
import { version } from '../../core/rules.js';
import { type Int8, shape } from '../../core/shape.js';
import type { Visibility } from '../../generated/graphql.js';
import type { File as FileModel, FileVersion as FileVersionModel } from '../../generated/prisma/client.js';
import { userShape } from '../identity/user.js';
import { parsePath } from '../tree/path.js';
import { folderShape } from './folder.js';

const columns = [
  'id',
  'spaceId',
  'folderId',
  'ownerId',
  'path',
  'parentPath',
  'name',
  'mimeType',
  'sizeBytes',
  'checksum',
  'visibility',
  'status',
  'currentVersionId',
  'version',
  'createdAt',
  'updatedAt',
] as const;
export type FileRow = Omit<Pick<FileModel, (typeof columns)[number]>, 'sizeBytes'> & { readonly sizeBytes: Int8 };

/** What leaves the database of a file. */
export const fileShape = shape<FileRow>({
  model: 'File',
  key: 'id',
  columns,
  always: ['id'],
  fields: {
    space: ['spaceId'],
    owner: ['ownerId'],
    folder: ['folderId'],
    url: ['id', 'status', 'currentVersionId', 'spaceId'],
    versions: ['id'],
    grants: ['id'],
    embeddingStatus: ['mimeType', 'version'],
  },
  gone: 'deletedAt',
  inJson: { sizeBytes: 'int8', createdAt: 'instant', updatedAt: 'instant' },
  along: { owner: { column: 'ownerId', shape: userShape }, folder: { column: 'folderId', shape: folderShape } },
});

const versionColumns = [
  'id',
  'fileId',
  'spaceId',
  'number',
  'mimeType',
  'sizeBytes',
  'checksum',
  'storageTier',
  'lastUsedAt',
  'uploadedById',
  'createdAt',
] as const;
export type FileVersionRow = Omit<Pick<FileVersionModel, (typeof versionColumns)[number]>, 'sizeBytes'> & {
  readonly sizeBytes: Int8;
};

/** What leaves the database of a version. */
export const fileVersionShape = shape<FileVersionRow>({
  model: 'FileVersion',
  key: 'id',
  columns: versionColumns,
  always: ['id'],
  fields: { uploadedBy: ['uploadedById'], url: ['id', 'fileId', 'spaceId'] },
  inJson: { sizeBytes: 'int8', lastUsedAt: 'instant', createdAt: 'instant' },
  along: { uploadedBy: { column: 'uploadedById', shape: userShape } },
});

export const visibilities = ['PRIVATE', 'SPACE', 'ORGANIZATION', 'PUBLIC'] as const satisfies readonly Visibility[];
export const visibility = z.enum(visibilities);

/** A media type without parameters, as it is stored. */
export const mimeType = z
  .string()
  .max(127, 'must be at most 127 characters')
  .toLowerCase()
  .regex(/^[a-z0-9][\w.+-]*\/[a-z0-9][\w.+-]*$/, 'must be a media type without parameters');

/** A name as one segment of a path, NFC. BAD_USER_INPUT for anything else. */
export function fileName(text: string, argument = 'name'): string {
  if (text === '') throw badInput(argument, 'must not be empty');
  if (text.includes('/')) throw badInput(argument, 'must not have slashes');
  return parsePath(`/${text}`, argument).slice(1);
}

/** A path in the one form it has; the root may not be meant. */
export function folderPath(text: string, argument = 'path'): string {
  const path = parsePath(text, argument);
  if (path === '/') throw badInput(argument, 'must not be the root');
  return path;
}

/** Where a name is in a folder. BAD_USER_INPUT when that would be too long a path. */
export const pathIn = (folder: string, name: string, argument = 'name') =>
  parsePath(folder === '/' ? `/${name}` : `${folder}/${name}`, argument);

export const FileChange = z.object({ id: z.string(), version, visibility: visibility.optional() });
export const VersionChoice = z.object({ id: z.string(), version, number: z.int().min(1) });

/** Where the bytes of a version are: ids and words of ours, never a name. */
export const blobKey = ({
  spaceId,
  fileId,
  id,
  storageTier,
}: Pick<FileVersionRow, 'spaceId' | 'fileId' | 'id' | 'storageTier'>) =>
  `${blobsOfFile({ spaceId, id: fileId })}${id}${storageTier === 'COLD' ? '.gz' : ''}`;

/** What the keys of a space's blobs begin with. */
export const blobsOfSpace = (spaceId: string) => `spaces/${spaceId}/`;
/** What the keys of a file's blobs begin with. */
export const blobsOfFile = ({ spaceId, id }: Pick<FileRow, 'spaceId' | 'id'>) => `${blobsOfSpace(spaceId)}files/${id}/`;
