import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Ctx } from '../src/core/context.js';
import { uploadUrl } from '../src/domains/files/address.js';
import { completeUpload } from '../src/domains/files/completion.js';
import { createFolder } from '../src/domains/files/folders.js';
import { grantAccess } from '../src/domains/files/grants.js';
import { receivePart } from '../src/domains/files/receiving.js';
import { startUpload } from '../src/domains/files/uploads.js';
import type { StartUploadInput } from '../src/generated/graphql.js';
import { bytesOf } from './demo-content.js';
import { idOf } from './demo-people.js';

const files = [
  { name: 'sowing.md', mimeType: 'text/markdown', visibility: 'SPACE' },
  { name: 'yields.csv', mimeType: 'text/csv', visibility: 'ORGANIZATION' },
  { name: 'planting-plan.pdf', mimeType: 'application/pdf', visibility: 'SPACE' },
  { name: 'beds.png', mimeType: 'image/png', visibility: 'PUBLIC' },
  { name: 'shed-code.txt', mimeType: 'text/plain', visibility: 'PRIVATE' },
] as const;

/** What a file of each name got for its id. */
export type FileIds = Readonly<Record<(typeof files)[number]['name'], string>>;

interface FileScene {
  readonly owner: Ctx;
  readonly helper: Ctx;
  readonly spaceId: string;
  readonly publicSpaceId: string;
}

/** Files as anybody would upload them: of each visibility, one with two versions, one that somebody else was let in to. */
export async function makeFiles({ owner, helper, spaceId, publicSpaceId }: FileScene): Promise<FileIds> {
  await createFolder(owner, { spaceId, path: '/plans' });
  const made: [string, string][] = [];
  for (const { name, ...file } of files)
    made.push([name, await upload(owner, name, { spaceId, name, folderPath: '/plans', ...file })]);
  const ids = Object.fromEntries(made) as FileIds;
  await upload(helper, 'sowing-2.md', { spaceId, fileId: ids['sowing.md'], mimeType: 'text/markdown' });
  await grantAccess(owner, { fileId: ids['shed-code.txt'], user: { id: idOf(helper) }, permission: 'READ' });
  const rules = { spaceId: publicSpaceId, name: 'rules-of-the-shed.txt', mimeType: 'text/plain' };
  await upload(owner, rules.name, { ...rules, visibility: 'PUBLIC' });
  return ids;
}

/** Uploads an asset; answers the id of its file. */
async function upload(by: Ctx, asset: string, file: Omit<StartUploadInput, 'sizeBytes' | 'checksum'>): Promise<string> {
  const bytes = bytesOf(asset);
  const checksum = createHash('sha256').update(bytes).digest('hex');
  const { value: session } = await startUpload(by, { ...file, sizeBytes: bytes.length, checksum });
  const { searchParams } = new URL(uploadUrl(by.app, session.id));
  await receivePart(by.app, session.id, searchParams, { body: Readable.from([bytes]), length: bytes.length });
  await completeUpload(by, { id: session.id });
  return session.fileId;
}
