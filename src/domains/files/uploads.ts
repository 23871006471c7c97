import { decideFor } from '../../core/access.js';
import type { Ctx } from '../../core/context.js';
import { AppError, badInput, notFound } from '../../core/errors.js';
import { newId } from '../../core/ids.js';
import { parse } from '../../core/input.js';
import { loadExisting } from '../../core/loaders.js';
import { columnsSql } from '../../core/sql.js';
import { type Tx, type Written, write } from '../../core/write.js';
import type { AbortUploadInput, StartUploadInput } from '../../generated/graphql.js';
import { below, parsePath } from '../tree/path.js';
import { fileName, fileShape, pathIn } from './file.js';
import { mayWriteContent, writeContent } from './permission.js';
import { assertFree, lockFolderAt } from './place.js';
import { release, reserve } from './quota.js';
import { fromStore } from './store.js';
import { maxUploads, NewUpload, type UploadSessionRow, uploadHours, uploadKey, uploadSessionShape } from './upload.js';

const columns = columnsSql(uploadSessionShape);
const hourMs = 60 * 60 * 1_000;

type Declared = ReturnType<typeof NewUpload.parse>;

/** Checks what is declared and reserves its room; not a byte is taken before. */
export async function startUpload(ctx: Ctx, input: StartUploadInput): Promise<Written<UploadSessionRow>> {
  const declared = parse(NewUpload, input);
  if (declared.fileId != null) return startVersion(ctx, declared, declared.fileId);
  const { spaceId } = declared;
  if (spaceId == null) throw badInput('spaceId', 'must be given for a new file');
  if (declared.name == null) throw badInput('name', 'must be given for a new file');
  const name = fileName(declared.name);
  const folder = parsePath(declared.folderPath ?? '/', 'folderPath');
  const path = pathIn(folder, name);
  const visibility = declared.visibility ?? 'SPACE';
  const place = placeFor(spaceId, newId('file'));
  const { allowed } = await decideFor(ctx, 'file.write', { space: spaceId });
  return withParts(ctx, place, allowed, (multipartId) =>
    write(ctx, 'file.write', { space: spaceId }, async (tx) => {
      const folderId = await lockFolderAt(tx, spaceId, folder);
      await assertFree(tx, spaceId, path, place.fileId);
      return begin(tx, declared, { ...place, multipartId, folderId, isNew: true, name, visibility });
    }),
  );
}

async function startVersion(ctx: Ctx, declared: Declared, fileId: string): Promise<Written<UploadSessionRow>> {
  for (const field of ['name', 'folderPath', 'visibility'] as const)
    if (declared[field] != null) throw badInput(field, 'is for a new file');
  const file = await loadExisting(ctx, fileShape, fileId);
  if (declared.spaceId != null && declared.spaceId !== file.spaceId) throw notFound();
  const { folderId, name, visibility } = file;
  const place = placeFor(file.spaceId, fileId);
  return withParts(ctx, place, await mayWriteContent(ctx, file), (multipartId) =>
    writeContent(ctx, file, (tx) =>
      begin(tx, declared, { ...place, multipartId, folderId, isNew: false, name, visibility }),
    ),
  );
}

type Place = Pick<UploadSessionRow, 'spaceId' | 'fileId' | 'versionId'>;
const placeFor = (spaceId: string, fileId: string): Place => ({ spaceId, fileId, versionId: newId('fver') });

/**
 * Has the store take parts for whoever is allowed to send them. Before the transaction: however slow the store is, nothing in the database waits for it.
 * `use` does the rest, or refuses; what it leaves unused is given up.
 */
async function withParts(
  { app }: Ctx,
  place: Place,
  isAllowed: boolean,
  use: (multipartId: string | null) => Promise<Written<UploadSessionRow>>,
): Promise<Written<UploadSessionRow>> {
  if (!isAllowed) return use(null);
  const key = uploadKey(place);
  const uploadId = await fromStore(app, app.blobs.beginMultipart(key));
  let isUsed = false;
  try {
    const written = await use(uploadId);
    isUsed = !written.repeated;
    return written;
  } finally {
    if (!isUsed)
      await app.blobs
        .abortMultipart({ key, uploadId })
        .catch((error: unknown) => app.log.warn('An upload that was not begun is left to the sweep.', { key, error }));
  }
}

type Target = Place & Pick<UploadSessionRow, 'multipartId' | 'folderId' | 'isNew' | 'name' | 'visibility'>;

async function begin(tx: Tx, declared: Declared, target: Target): Promise<UploadSessionRow> {
  const { mimeType, sizeBytes, checksum } = declared;
  const { spaceId } = target;
  await reserve(tx, spaceId, sizeBytes);
  await assertFew(tx, spaceId);
  const id = newId('upload');
  const expiresAt = new Date(tx.now.getTime() + uploadHours * hourMs);
  const [row] =
    await tx.sql<UploadSessionRow>`insert into "UploadSession" (id, "spaceId", "folderId", "fileId", "versionId", "isNew", name, "mimeType", "sizeBytes", checksum,
      visibility, "multipartId", "createdById", "expiresAt", "createdAt", "updatedAt")
    values (${id}, ${spaceId}, ${target.folderId}, ${target.fileId}, ${target.versionId}, ${target.isNew}, ${target.name}, ${mimeType}, ${sizeBytes}, ${checksum},
      ${target.visibility}::"Visibility", ${target.multipartId}, ${tx.actorId}, ${expiresAt}, ${tx.now}, ${tx.now}) returning ${columns}`;
  if (!row) throw new Error('An upload was not made.');
  tx.emit('upload.started', 'UploadSession', id);
  return row;
}

/** Throws when one more upload would be too many. Under the lock of the space, which reserving took. */
async function assertFew(tx: Tx, spaceId: string): Promise<void> {
  const [open] = await tx.sql<{
    all: number;
    own: number;
  }>`select count(*)::int as all, count(*) filter (where "createdById" = ${tx.actorId})::int as own
    from "UploadSession" where "spaceId" = ${spaceId} and status in ('OPEN', 'CHECKING')`;
  if (open && (open.own >= maxUploads.person || open.all >= maxUploads.space))
    throw new AppError(
      'QUOTA_EXCEEDED',
      `At most ${maxUploads.person} uploads of one person and ${maxUploads.space} in a space are under way at once; complete or abort some first.`,
    );
}

/** Gives an upload up. */
export async function abortUpload(ctx: Ctx, { id }: AbortUploadInput): Promise<Written<UploadSessionRow>> {
  const session = await seenSession(ctx, id);
  return writeUpload(ctx, session, async (tx) => {
    const row = await endUpload(tx, session, 'ABORTED');
    if (!row) throw new AppError('CONFLICT', 'The upload has ended.');
    return row;
  });
}

/** The session as its maker sees it, or NOT_FOUND. */
export const seenSession = (ctx: Ctx, id: string): Promise<UploadSessionRow> =>
  loadExisting(ctx, uploadSessionShape, id);

/** Changes what an upload is about to become, where its maker may still do so. */
export async function writeUpload<T>(
  ctx: Ctx,
  session: UploadSessionRow,
  change: (tx: Tx) => Promise<T>,
): Promise<Written<T>> {
  if (session.isNew) return write(ctx, 'file.write', { space: session.spaceId }, change);
  return writeContent(ctx, await loadExisting(ctx, fileShape, session.fileId), change);
}

/** Ends a session that has not ended: its room is free, its bytes go with the job. Null when it has ended before. */
export async function endUpload(
  tx: Tx,
  { id, spaceId, sizeBytes }: Pick<UploadSessionRow, 'id' | 'spaceId' | 'sizeBytes'>,
  status: 'REJECTED' | 'ABORTED',
  fault: string | null = null,
): Promise<UploadSessionRow | null> {
  const [row] =
    await tx.sql<UploadSessionRow>`update "UploadSession" set status = ${status}::"UploadStatus", fault = ${fault}, "updatedAt" = ${tx.now}
    where id = ${id} and status in ('OPEN', 'CHECKING') returning ${columns}`;
  if (!row) return null;
  await release(tx, spaceId, Number(sizeBytes));
  tx.emit('upload.ended', 'UploadSession', id);
  tx.job('blobs.delete', { spaceId }, { key: `blobs.delete ${spaceId}` });
  return row;
}

/** Gives up all uploads to files, and into the folders at and below `folder`; answers how much room they held, which the caller gives back. */
export async function endUploads(
  tx: Tx,
  spaceId: string,
  fileIds: readonly string[],
  folder: string | null,
): Promise<number> {
  const { from, to } = below(folder ?? '/');
  const open = await tx.sql<{
    id: string;
  }>`select id from "UploadSession" where status in ('OPEN', 'CHECKING') and id = any(array(
      select id from "UploadSession" where "fileId" = any(${fileIds}::text[])
      union all select u.id from "Folder" f join "UploadSession" u on u."folderId" = f.id
        where f."spaceId" = ${spaceId} and (f.path = ${folder}::text or (${folder}::text is not null and f.path > ${from} and f.path < ${to}))))
    order by id for update`;
  const ended = await tx.sql<{
    id: string;
    sizeBytes: string;
  }>`update "UploadSession" set status = 'ABORTED', "updatedAt" = ${tx.now}
    where id = any(${open.map(({ id }) => id)}::text[]) returning id, "sizeBytes"`;
  for (const { id } of ended) tx.emit('upload.ended', 'UploadSession', id);
  return ended.reduce((sum, { sizeBytes }) => sum + Number(sizeBytes), 0);
}
