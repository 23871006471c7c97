import { auditEntry } from '../../core/audit.js';
import type { App, Ctx } from '../../core/context.js';
import { AppError, notFound } from '../../core/errors.js';
import { load } from '../../core/loaders.js';
import { type FileVersionRow, fileShape, fileVersionShape } from '../../domains/files/file.js';
import { openBytes } from '../../domains/files/reading.js';
import { countObjects } from '../../domains/tasks/object.js';
import { type Pass, readOnce } from '../transfer/reading.js';
import type { Runner } from './runner.js';

/** A file some of whose lines name what comes behind them is read again while that helps, but not more often than this. */
const maxPasses = 10;

/**
 * Makes in the space what an export of another holds. Each thing is made wholly or not at all, together with a note of it, so however often the task is
 * run nothing is made twice; what a line refers to is what this task has made of it.
 */
export const importSpace: Runner<'space.import'> = async (
  app,
  { id, spaceId, parameters },
  { ctx, signal, report },
) => {
  const version = await versionOf(ctx, parameters.fileId);
  const withLinks = !(await hasOtherNotes(app, spaceId, id));
  const importing = { ctx, taskId: id, spaceId, signal, withLinks };
  const heard = (bytes: number) => report(Math.min(99, Math.floor((100 * bytes) / Number(version.sizeBytes))));
  let pass: Pass;
  let passes = 0;
  do {
    const body = await openBytes(app, version);
    if (!body) throw new AppError('NOT_FOUND', 'The bytes of the file are lost.');
    pass = await readOnce(importing, body, heard).finally(() => body.destroy());
    passes += 1;
  } while (pass.unresolved > 0 && pass.made > 0 && passes < maxPasses);
  const { failed, failedCount } = pass.report;
  return { result: { imported: await countObjects(app, id), failed, failedCount } };
};

/** The current version of a file that the viewer may read, of whichever space. */
async function versionOf(ctx: Ctx, fileId: string): Promise<FileVersionRow> {
  if (ctx.viewer?.scopes?.has('files:read') === false)
    throw new AppError('FORBIDDEN', 'An API key needs the scope files:read to import a file.');
  const file = await load(ctx, fileShape, fileId);
  const version = file && (await load(ctx, fileVersionShape, file.currentVersionId ?? ''));
  if (!file || !version) throw notFound();
  const subject = { resourceType: 'File', resourceId: fileId };
  ctx.app.readAudit.add(auditEntry(ctx, 'file.read', { space: file.spaceId }, null, subject));
  return version;
}

/** Whether the space holds notes besides those of this task: then the imported ones may be related to them, too. */
async function hasOtherNotes({ database }: App, spaceId: string, taskId: string): Promise<boolean> {
  const [row] = await database.query<{ has: boolean }>(
    `select (select count(*) from "Note" where "spaceId" = $1) > (select count(*) from "TaskObject" where "taskId" = $2 and kind = 'note') as has`,
    [spaceId, taskId],
  );
  return row?.has === true;
}
