import { askedBy, askerOf, isKeyValid } from '../../core/asker.js';
import type { App, Ctx } from '../../core/context.js';
import { AppError, notFound } from '../../core/errors.js';
import type { Asker } from '../../core/jobs.js';
import { load, loadExisting } from '../../core/loaders.js';
import { behind } from '../../core/operation.js';
import { columnsSql } from '../../core/sql.js';
import { commit, type Tx, type Written } from '../../core/write.js';
import type { CompleteUploadInput } from '../../generated/graphql.js';
import { compose } from './checking.js';
import { type FileRow, fileShape, pathIn } from './file.js';
import { assertFree, nameTaken } from './place.js';
import { checkedAtOnceBytes, partCount, type UploadSessionRow, uploadSessionShape } from './upload.js';
import { endUpload, seenSession, writeUpload } from './uploads.js';

const columns = columnsSql(fileShape);
const sessionColumns = columnsSql(uploadSessionShape);

/** What completing answers: the file, or the session alone while it is being checked. */
export interface Completion {
  readonly uploadSession: UploadSessionRow;
  readonly file: FileRow | null;
}

/**
 * Makes the file of its parts. The object comes first and the row that names it after: killed in between, the session is as open as before, and the
 * same call does the rest.
 */
export async function completeUpload(ctx: Ctx, { id }: CompleteUploadInput): Promise<Written<Completion>> {
  const session = await seenSession(ctx, id);
  if (session.status === 'COMPLETED') {
    const file = await loadExisting(ctx, fileShape, session.fileId);
    return { value: { uploadSession: session, file }, eventCursor: null, repeated: true };
  }
  assertComplete(ctx.app, session);
  if (Number(session.sizeBytes) > checkedAtOnceBytes) return checkLater(ctx, session);
  const fault = await compose(ctx.app, session);
  const written = await writeUpload(ctx, session, async (tx) => {
    if (!fault) return admit(tx, session);
    await endUpload(tx, session, 'REJECTED', fault.message);
    return null;
  });
  if (fault) throw fault;
  return { ...written, value: { uploadSession: { ...session, status: 'COMPLETED' }, file: written.value } };
}

function checkLater(ctx: Ctx, session: UploadSessionRow): Promise<Written<Completion>> {
  const { id, spaceId } = session;
  return writeUpload(ctx, session, async (tx) => {
    const [row] = await tx.sql<UploadSessionRow>`update "UploadSession" set status = 'CHECKING', "updatedAt" = ${tx.now}
      where id = ${id} and status in ('OPEN', 'CHECKING') returning ${sessionColumns}`;
    if (!row) throw ended();
    tx.audit('file.write', { resourceType: 'UploadSession', resourceId: id });
    tx.job('uploads.finish', { spaceId, uploadId: id, asker: askerOf(ctx.viewer) }, { key: `uploads.finish ${id}` });
    return { uploadSession: row, file: null };
  });
}

/** Checks an upload that waits for it, and makes the file, if whoever completed it may still do so. */
export async function finishChecking(app: App, id: string, asker: Asker): Promise<void> {
  const [session] = await app.database.query<UploadSessionRow>(checkingSql, [id]);
  if (!session) return;
  const fault = await compose(app, session);
  if (fault) return reject(app, session, fault);
  const ctx = behind(app, askedBy(asker));
  try {
    if (!(await isKeyValid(ctx)))
      throw new AppError('FORBIDDEN', 'The key it was completed with does not count any more.');
    await writeUpload(ctx, session, (tx) => admit(tx, session));
  } catch (error) {
    // Its name has been taken, its file deleted, its sender may not write here any more: no further try would end otherwise.
    if (!(error instanceof AppError) || error.details.retryable) throw error;
    await reject(app, session, error);
  }
}

async function reject(app: App, session: UploadSessionRow, { message }: AppError): Promise<void> {
  await commit(behind(app), 'file.write', { space: session.spaceId }, null, async (tx) => {
    if (!(await endUpload(tx, session, 'REJECTED', message)))
      tx.audit('file.write', { resourceType: 'UploadSession', resourceId: session.id });
  });
}

const checkingSql = `select ${uploadSessionShape.columns.map((column) => `"${column}"`).join(', ')} from "UploadSession" where id = $1 and status = 'CHECKING'`;

const ended = () => new AppError('CONFLICT', 'The upload has ended.');

function assertComplete({ now }: App, { status, expiresAt, parts, ...session }: UploadSessionRow): void {
  if ((status !== 'OPEN' && status !== 'CHECKING') || expiresAt <= now()) throw ended();
  const missing = partCount(session) - Object.keys(parts).length;
  if (missing > 0)
    throw new AppError(
      'CONFLICT',
      `${missing} of the parts ${missing === 1 ? 'has' : 'have'} not arrived; receivedParts says which have.`,
    );
}

/** Names the object in the database: from here on the file is there. */
async function admit(tx: Tx, session: UploadSessionRow): Promise<FileRow> {
  const row = session.isNew ? await addFile(tx, session) : await addVersion(tx, session);
  const [open] = await tx.sql`update "UploadSession" set status = 'COMPLETED', "updatedAt" = ${tx.now}
    where id = ${session.id} and status in ('OPEN', 'CHECKING') returning id`;
  if (!open) throw ended();
  await tx.sql`insert into "FileVersion" (id, "fileId", "spaceId", number, "mimeType", "sizeBytes", checksum, "lastUsedAt", "uploadedById", "createdAt")
    select ${session.versionId}, ${session.fileId}, ${session.spaceId}, coalesce(max(number), 0) + 1, ${session.mimeType}, ${session.sizeBytes}::bigint,
      ${session.checksum}, ${tx.now}, ${session.createdById}, ${tx.now} from "FileVersion" where "fileId" = ${session.fileId}`;
  tx.emit('file.ready', 'File', row.id, { version: row.version });
  return row;
}

async function addFile(tx: Tx, session: UploadSessionRow): Promise<FileRow> {
  const { spaceId, folderId, name } = session;
  const [folder] = folderId
    ? await tx.sql<{ path: string }>`select path from "Folder" where id = ${folderId} for share`
    : [{ path: '/' }];
  if (!folder) throw notFound();
  const path = pathIn(folder.path, name);
  await assertFree(tx, spaceId, path, session.fileId);
  const [row] =
    await tx.sql<FileRow>`insert into "File" (id, "spaceId", "folderId", "ownerId", path, "parentPath", name, "mimeType", "sizeBytes", checksum, visibility,
      "currentVersionId", "createdAt", "updatedAt")
    values (${session.fileId}, ${spaceId}, ${folderId}, ${session.createdById}, ${path}, ${folder.path}, ${name}, ${session.mimeType}, ${session.sizeBytes}::bigint,
      ${session.checksum}, ${session.visibility}::"Visibility", ${session.versionId}, ${tx.now}, ${tx.now})
    on conflict do nothing returning ${columns}`;
  if (row) return row;
  // Perhaps by itself.
  const [open] =
    await tx.sql`select id from "UploadSession" where id = ${session.id} and status in ('OPEN', 'CHECKING')`;
  throw open ? nameTaken() : ended();
}

async function addVersion(tx: Tx, session: UploadSessionRow): Promise<FileRow> {
  const [row] =
    await tx.sql<FileRow>`update "File" set "mimeType" = ${session.mimeType}, "sizeBytes" = ${session.sizeBytes}::bigint, checksum = ${session.checksum},
      "currentVersionId" = ${session.versionId}, status = 'READY', version = version + 1, "updatedAt" = ${tx.now}
    where id = ${session.fileId} and "deletedAt" is null returning ${columns}`;
  if (!row) throw notFound();
  return row;
}

/** The file that came of an upload, as the viewer may see it. */
export const fileOfUpload = (ctx: Ctx, { fileId, status }: UploadSessionRow, at?: Parameters<typeof load>[3]) =>
  status === 'COMPLETED' ? load(ctx, fileShape, fileId, at) : null;
