import type { Page } from '../../core/page.js';
import { loadPage } from '../../core/pages.js';
import type { FileRow, FileVersionRow } from '../../domains/files/file.js';
import { filesOfSpace, versionsOf } from '../../domains/files/loaders.js';
import { hasBytes, openBytes } from '../../domains/files/reading.js';
import { chunkBytes, exportType, type Item, maxVersions } from './format.js';
import { type Exporting, handleOf, source } from './source.js';

const oldest = { ...filesOfSpace, order: { ...filesOfSpace.order, direction: 'asc' } } as const;

/** Files that the viewer sees, each followed by the bytes of its versions; lost bytes are left out, and files that have no others. */
export const files = source({
  kind: 'file',
  type: 'File',
  scopes: ['files:read'],
  page: ({ ctx, spaceId }, args) => loadPage(ctx, oldest, [spaceId], args),
  async item(exporting, file) {
    if (file.mimeType === exportType) return null;
    const versions = await versionsToExport(exporting, file);
    const latest = versions.at(-1);
    if (!latest) return null;
    const current = versions.find(({ id }) => id === file.currentVersionId) ?? latest;
    return {
      kind: 'file',
      id: file.id,
      name: file.name,
      folder: file.parentPath,
      visibility: file.visibility,
      current: current.number,
      versions: versions.map(({ number, mimeType, sizeBytes, checksum, createdAt }) => ({
        number,
        mimeType,
        sizeBytes: Number(sizeBytes),
        checksum,
        createdAt,
      })),
      owner: await handleOf(exporting, file.ownerId),
      createdAt: file.createdAt,
      updatedAt: file.updatedAt,
    };
  },
  async *parts(exporting, file, { versions }) {
    const told = new Set(versions.map(({ number }) => number));
    for (const version of (await latestVersions(exporting, file)).reverse())
      if (told.has(version.number)) yield* bytesOf(exporting, file, version);
  },
});

/** The versions whose bytes are there, the first one first. */
async function versionsToExport(exporting: Exporting, file: FileRow): Promise<readonly FileVersionRow[]> {
  const { ctx, parameters } = exporting;
  const found: FileVersionRow[] = [];
  for (const version of await latestVersions(exporting, file)) {
    if (parameters.fileVersions === 'CURRENT' && version.id !== file.currentVersionId) continue;
    if (await hasBytes(ctx.app, version)) found.push(version);
    else exporting.leftOut('fileVersion');
  }
  return found.reverse();
}

/** The latest versions, the last one first. What is asked for of all files of a page at once, and again for one of them, is read once. */
async function latestVersions({ ctx }: Exporting, { id }: FileRow): Promise<FileVersionRow[]> {
  const found: FileVersionRow[] = [];
  for (let after: string | null = null; found.length < maxVersions; ) {
    const page: Page<FileVersionRow> = await loadPage(ctx, versionsOf, [id], { first: 100, after });
    found.push(...page.rows);
    const last = page.rows.at(-1);
    if (!page.hasNextPage || !last) break;
    after = page.cursorOf(last);
  }
  return found;
}

async function* bytesOf({ ctx, signal }: Exporting, file: FileRow, version: FileVersionRow): AsyncGenerator<Item> {
  const body = await openBytes(ctx.app, version);
  if (!body) throw new Error(`The bytes of ${version.id} have gone.`);
  for await (const chunk of chunksOf(body)) {
    signal.throwIfAborted();
    yield { kind: 'bytes', fileId: file.id, number: version.number, base64: chunk.toString('base64') };
  }
}

/** Bytes in pieces of one size, but for the last. */
async function* chunksOf(body: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let held: Buffer[] = [];
  let size = 0;
  for await (const piece of body) {
    held.push(piece);
    size += piece.length;
    if (size < chunkBytes) continue;
    let all = Buffer.concat(held);
    for (; all.length >= chunkBytes; all = all.subarray(chunkBytes)) yield all.subarray(0, chunkBytes);
    [held, size] = [[all], all.length];
  }
  if (size > 0) yield Buffer.concat(held);
}
