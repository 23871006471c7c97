import type { Readable } from 'node:stream';
import type { App } from '../../core/context.js';
import { AppError, notFound } from '../../core/errors.js';
import { behind } from '../../core/operation.js';
import { commit } from '../../core/write.js';
import type { ByteRange } from '../../platform/blobs/blobs.js';
import { assertAddress } from './address.js';
import { blobKey, type FileRow, type FileVersionRow } from './file.js';
import { hashOfToken } from './grant.js';
import { versionsUsed } from './last-used.js';
import { fromStore } from './store.js';

/** The bytes of a version, and what there is to say about them. */
export interface Content {
  readonly name: string;
  readonly mimeType: string;
  readonly sizeBytes: number;
  readonly checksum: string;
  /** Anyone may keep a copy. */
  readonly isPublic: boolean;
  readonly download: boolean;
  open(range?: ByteRange): Promise<Readable>;
}

type ContentRow = Pick<
  FileVersionRow,
  'id' | 'fileId' | 'spaceId' | 'mimeType' | 'sizeBytes' | 'checksum' | 'storageTier'
> &
  Pick<FileRow, 'name' | 'visibility'>;

const contentSql = (
  where: string,
) => `select v.id, v."fileId", v."spaceId", v."mimeType", v."sizeBytes", v.checksum, v."storageTier", f.name, f.visibility
  from "FileVersion" v join "File" f on f.id = v."fileId" and f."deletedAt" is null
  join "Space" s on s.id = f."spaceId" and s."deletedAt" is null where ${where}`;
const versionSql = contentSql('v.id = $1');
const linkSql = contentSql(`f.id = $1 and v.id = f."currentVersionId" and exists (
    select from "AccessGrant" g where g."fileId" = f.id and g."tokenHash" = $2 and g.principal = 'LINK' and g."expiresAt" > $3)`);

/** The version that an address names; the signature stands for the viewer who was given it. */
export async function contentOfVersion(app: App, id: string, query: URLSearchParams): Promise<Content> {
  const download = query.get('download') === '1';
  assertAddress(app, 'content', id, query, [download]);
  const [row] = await app.database.query<ContentRow>(versionSql, [id]);
  return contentOf(app, row, download);
}

/** The current version of a file, for whoever has the token of a link to it. */
export async function contentOfLink(app: App, fileId: string, query: URLSearchParams): Promise<Content> {
  const token = hashOfToken(query.get('token') ?? '');
  const [row] = await app.database.query<ContentRow>(linkSql, [fileId, token, app.now()]);
  return contentOf(app, row, query.get('download') === '1');
}

async function contentOf(app: App, row: ContentRow | undefined, download: boolean): Promise<Content> {
  if (!row) throw notFound();
  versionsUsed(app).note(row.id);
  if (row.storageTier === 'COLD') throw await bringBack(app, row);
  return {
    name: row.name,
    mimeType: row.mimeType,
    sizeBytes: Number(row.sizeBytes),
    checksum: row.checksum,
    isPublic: row.visibility === 'PUBLIC',
    download,
    async open(range) {
      const found = await fromStore(app, app.blobs.get(blobKey(row), range));
      if (found) return found.body;
      app.log.error('The bytes of a file are not there.', { versionId: row.id });
      throw notFound();
    },
  };
}

/** Has a version brought back from cold storage; answers what the reader hears until then. */
async function bringBack(app: App, { id, fileId, spaceId }: ContentRow): Promise<AppError> {
  await commit(behind(app), 'file.read', { space: spaceId }, null, async (tx) => {
    const [file] = await tx.sql<{
      version: number;
    }>`update "File" set status = 'RESTORING', version = version + 1, "updatedAt" = ${tx.now}
      where id = ${fileId} and "currentVersionId" = ${id} and status = 'READY' returning version`;
    if (file) tx.emit('file.updated', 'File', fileId, { version: file.version });
    else tx.audit('file.read', { resourceType: 'File', resourceId: fileId });
    tx.job('blobs.restore', { spaceId, versionId: id }, { key: `blobs.restore ${id}` });
  });
  return new AppError('SERVICE_UNAVAILABLE', 'The file is being brought back from cold storage; try again.', {
    retryable: true,
    retryAfterSeconds: 5,
  });
}
