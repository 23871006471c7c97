import { z } from 'zod';
import { badInput } from '../../core/errors.js';
import { newId } from '../../core/ids.js';
import { parse } from '../../core/input.js';
import { write } from '../../core/write.js';
import { fileName, mimeType, visibility } from '../../domains/files/file.js';
import { insertFile, type NewVersion } from '../../domains/files/insertion.js';
import { dropBytes, type NewBytes, storeBytes } from '../../domains/files/storing.js';
import { NewUpload } from '../../domains/files/upload.js';
import { noteObject } from '../../domains/tasks/object.js';
import { parsePath } from '../../domains/tree/path.js';
import { date, maxVersions, reference } from './format.js';
import { assertAllowed, type Importer, idsOf } from './importer.js';
import type { Lines } from './lines.js';

const { sizeBytes, checksum } = NewUpload.shape;
const number = z.int().min(1).max(2_147_483_647);
const Version = z.object({ number, mimeType, sizeBytes, checksum, createdAt: date });

const Given = z
  .object({
    id: reference,
    name: z.string().max(255),
    folder: z.string(),
    visibility,
    current: number,
    versions: z.array(Version).min(1).max(maxVersions),
    createdAt: date,
    updatedAt: date,
  })
  .refine(({ versions }) => new Set(versions.map((one) => one.number)).size === versions.length, {
    message: 'must have numbers of their own',
    path: ['versions'],
  });

const Bytes = z.object({ fileId: reference, number, base64: z.base64() });

/** A file with all its versions, whose bytes are in the lines behind it: they are stored first, and one transaction makes a file of them. */
export const importFile: Importer = async (importing, { item, line, lines }) => {
  const { ctx, spaceId, taskId } = importing;
  const given = parse(Given, item);
  const name = fileName(given.name);
  const folder = parsePath(given.folder, 'folder');
  if ((await idsOf(importing, given.id, line, [])) === null) return false;
  await assertAllowed(importing, 'file.write');
  const id = newId('file');
  const stored: NewBytes[] = [];
  try {
    const versions: NewVersion[] = [];
    for (const version of given.versions) {
      const bytes = { spaceId, fileId: id, versionId: newId('fver'), mimeType: version.mimeType };
      stored.push(bytes);
      const found = await storeBytes(ctx.app, bytes, bytesIn(lines, given.id, version.number));
      if (found.sizeBytes !== version.sizeBytes) throw badInput('sizeBytes', `is ${found.sizeBytes} in truth`);
      if (found.checksum !== version.checksum) throw badInput('checksum', 'is not that of the bytes');
      versions.push({ ...version, id: bytes.versionId });
    }
    const current = versions.find((version) => version.number === given.current);
    if (!current) throw badInput('current', 'must be the number of a version');
    await write(ctx, 'file.write', { space: spaceId }, async (tx) => {
      await insertFile(tx, { ...given, id, spaceId, folder, name, versions, current });
      await noteObject(tx, taskId, { key: given.id, kind: 'file', line, objectId: id });
    });
    return true;
  } catch (error) {
    await dropBytes(ctx.app, stored);
    throw error;
  }
};

/** The bytes of one version in the next lines. */
async function* bytesIn(lines: Lines, fileId: string, number: number): AsyncGenerator<Buffer> {
  for (;;) {
    const item = (await lines.peek())?.item;
    if (item?.kind !== 'bytes' || item['fileId'] !== fileId || item['number'] !== number) return;
    await lines.next();
    yield Buffer.from(parse(Bytes, item).base64, 'base64');
  }
}
