import { z } from 'zod';
import { type Int8, shape } from '../../core/shape.js';
import type { UploadSession as UploadSessionModel } from '../../generated/prisma/client.js';
import { mimeType, visibility } from './file.js';

const columns = [
  'id',
  'spaceId',
  'folderId',
  'fileId',
  'versionId',
  'isNew',
  'name',
  'mimeType',
  'sizeBytes',
  'checksum',
  'visibility',
  'multipartId',
  'parts',
  'status',
  'fault',
  'createdById',
  'expiresAt',
  'createdAt',
] as const;
export type UploadSessionRow = Omit<Pick<UploadSessionModel, (typeof columns)[number]>, 'sizeBytes' | 'parts'> & {
  readonly sizeBytes: Int8;
  /** Etags of the parts that have arrived, by their numbers. */
  readonly parts: Readonly<Record<string, string>>;
};

/** What leaves the database of an upload. */
export const uploadSessionShape = shape<UploadSessionRow>({
  model: 'UploadSession',
  key: 'id',
  columns,
  always: ['id'],
  fields: {
    space: ['spaceId'],
    file: ['fileId', 'status'],
    partBytes: [],
    partCount: ['sizeBytes'],
    receivedParts: ['parts'],
    url: ['id', 'status', 'expiresAt'],
  },
  inJson: { sizeBytes: 'int8', parts: 'never', expiresAt: 'instant', createdAt: 'instant' },
});

export const partBytes = 8 * 1024 * 1024;
export const maxFileBytes = 5 * 1024 * 1024 * 1024;
export const uploadHours = 24;
/** How many uploads are under way at once: of one person in a space, and of all there. */
export const maxUploads = { person: 100, space: 1_000 } as const;
/** Up to here an upload is checked while its sender waits. */
export const checkedAtOnceBytes = 64 * 1024 * 1024;

export const partCount = ({ sizeBytes }: Pick<UploadSessionRow, 'sizeBytes'>) =>
  Math.max(1, Math.ceil(Number(sizeBytes) / partBytes));

/** How many bytes a part must have; null for a number that no part has. */
export function sizeOfPart(session: Pick<UploadSessionRow, 'sizeBytes'>, number: number): number | null {
  const count = partCount(session);
  if (!Number.isInteger(number) || number < 1 || number > count) return null;
  return number < count ? partBytes : Number(session.sizeBytes) - partBytes * (count - 1);
}

/** Where the bytes of an upload go, and where they stay. */
export const uploadKey = ({ spaceId, fileId, versionId }: Pick<UploadSessionRow, 'spaceId' | 'fileId' | 'versionId'>) =>
  `spaces/${spaceId}/files/${fileId}/${versionId}`;

export const NewUpload = z.object({
  spaceId: z.string().nullish(),
  fileId: z.string().nullish(),
  name: z.string().nullish(),
  folderPath: z.string().nullish(),
  mimeType,
  sizeBytes: z.int('must be a whole number').min(1, 'must be at least 1').max(maxFileBytes, 'must be at most 5 GiB'),
  checksum: z
    .string()
    .toLowerCase()
    .regex(/^[0-9a-f]{64}$/, 'must be a SHA-256, 64 hexadecimal digits'),
  visibility: visibility.nullish(),
});
