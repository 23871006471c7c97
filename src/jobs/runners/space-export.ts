import { auditEntry } from '../../core/audit.js';
import type { App } from '../../core/context.js';
import { notFound } from '../../core/errors.js';
import { newId } from '../../core/ids.js';
import { load } from '../../core/loaders.js';
import { write } from '../../core/write.js';
import { type FileRow, fileShape } from '../../domains/files/file.js';
import { insertFile } from '../../domains/files/insertion.js';
import { locationOf } from '../../domains/files/location.js';
import { dropBytes, storeBytes } from '../../domains/files/storing.js';
import { spaceShape } from '../../domains/spaces/space.js';
import { noteObject, objectsMade } from '../../domains/tasks/object.js';
import { exportType } from '../transfer/format.js';
import { newTally, textOf } from '../transfer/stream.js';
import type { Runner } from './runner.js';

const key = 'export';

/** Writes everything that the owner of the task may read in the space into a file of theirs, as JSON Lines. */
export const exportSpace: Runner<'space.export'> = async (app, { id, spaceId, parameters }, tools) => {
  const { ctx, signal, report } = tools;
  const [made] = await objectsMade(app, id, [key]);
  if (made) return outcomeOf(app, await load(ctx, fileShape, made.objectId));
  const space = await load(ctx, spaceShape, spaceId);
  if (!space) throw notFound();
  app.readAudit.add(auditEntry(ctx, 'space.read', { space: spaceId }, null, { resourceType: 'Task', resourceId: id }));
  const tally = newTally();
  const exporting = { ...tally, ctx, spaceId, signal, parameters };
  const bytes = { spaceId, fileId: newId('file'), versionId: newId('fver'), mimeType: exportType };
  try {
    const stored = await storeBytes(app, bytes, textOf(exporting, space, tally, report));
    const now = app.now();
    const version = { ...stored, id: bytes.versionId, number: 1, mimeType: exportType, createdAt: now };
    const { value } = await write(ctx, 'file.write', { space: spaceId }, async (tx) => {
      const name = `${space.slug}-${id}.jsonl`;
      const place = { id: bytes.fileId, spaceId, folder: '/', name, visibility: 'PRIVATE' } as const;
      const file = { ...place, createdAt: now, updatedAt: now, versions: [version], current: version };
      const row = await insertFile(tx, file);
      await noteObject(tx, id, { key, kind: 'file', line: null, objectId: row.id });
      return row;
    });
    return outcomeOf(app, value, tally.result());
  } catch (error) {
    await dropBytes(app, [bytes]);
    throw error;
  }
};

/** What became of it; of an export that an earlier run has finished without getting to say so, the file alone. */
function outcomeOf(app: App, file: FileRow | null, counted: object = {}) {
  if (!file) throw notFound();
  const { id: fileId, name, sizeBytes, checksum, currentVersionId } = file;
  return {
    result: { fileId, name, sizeBytes: Number(sizeBytes), checksum, ...counted },
    resultLocation: locationOf(app, currentVersionId ?? ''),
  };
}
