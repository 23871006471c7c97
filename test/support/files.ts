import type { AddressInfo } from 'node:net';
import { startGateway } from '../../src/app.js';
import type { App } from '../../src/core/context.js';
import { boundedServer } from '../../src/gateway/http/server.js';
import { sha256 } from './bytes.js';
import type { Answer, Person } from './world.js';

export const partBytes = 8 * 1024 * 1024;

/** The HTTP side of an App, where the addresses of files lead. */
export async function doorOf(app: App) {
  const server = boundedServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const settings = { introspection: 'public', corsOrigins: [], trustedProxies: 0 } as const;
  const gateway = await startGateway(server, app, settings, () => false);
  return {
    origin,
    fetch: (url: string, init: RequestInit = {}) => fetch(url.replace(app.publicUrl, origin), init),
    close: () => gateway.drain(),
  };
}
export type Door = Awaited<ReturnType<typeof doorOf>>;

const fileFields = 'id name path mimeType sizeBytes checksum visibility status version';
const sessionFields = 'id status fault url partBytes partCount receivedParts expiresAt';
export const documents = {
  start: `mutation ($input: StartUploadInput!) { startUpload(input: $input) { uploadSession { ${sessionFields} } eventCursor } }`,
  complete: `mutation ($input: CompleteUploadInput!) { completeUpload(input: $input) { file { ${fileFields} } uploadSession { status } eventCursor } }`,
  abort: `mutation ($input: AbortUploadInput!) { abortUpload(input: $input) { uploadSession { id status url } } }`,
  session: `query ($id: ID!) { node(id: $id) { ... on UploadSession { ${sessionFields} file { id } } } }`,
  file: `query ($id: ID!) { file(id: $id) { ${fileFields} url } }`,
  update: `mutation ($input: UpdateFileInput!) { updateFile(input: $input) { file { ${fileFields} } } }`,
  move: `mutation ($input: MoveFileInput!) { moveFile(input: $input) { file { ${fileFields} folder { path } } } }`,
  remove: 'mutation ($input: DeleteFileInput!) { deleteFile(input: $input) { deletedFileId eventCursor } }',
  restore: `mutation ($input: RestoreFileVersionInput!) { restoreFileVersion(input: $input) { file { ${fileFields} } } }`,
  versions: `query ($id: ID!) { file(id: $id) { versions { totalCount nodes { id number checksum sizeBytes storageTier uploadedBy { id } url } } } }`,
  grant: `mutation ($input: GrantAccessInput!) { grantAccess(input: $input) { url accessGrant { id principal permission expiresAt user { id } } } }`,
  revoke: 'mutation ($input: RevokeAccessInput!) { revokeAccess(input: $input) { revokedAccessGrantId } }',
  createFolder: `mutation ($input: CreateFolderInput!) { createFolder(input: $input) { folder { id path name version parent { path } } } }`,
  moveFolder: `mutation ($input: MoveFolderInput!) { moveFolder(input: $input) { folder { id path name version parent { path } } } }`,
  deleteFolder: `mutation ($input: DeleteFolderInput!) { deleteFolder(input: $input) { deletedFolderId deletedFileCount } }`,
  storage: 'query ($id: ID!) { space(by: { id: $id }) { storage { usedBytes limitBytes } } }',
} as const;

export interface Uploaded {
  readonly id: string;
  readonly name: string;
  readonly path: string;
  readonly checksum: string;
  readonly version: number;
}

/** What a new file is declared to be, unless a test says otherwise. */
export const declared = (spaceId: string, bytes: Buffer, more: object = {}) => ({
  spaceId,
  name: 'notes.txt',
  mimeType: 'text/plain',
  sizeBytes: bytes.length,
  checksum: sha256(bytes),
  ...more,
});

/** The bytes of a part. */
export const partOf = (bytes: Buffer, number: number) => bytes.subarray((number - 1) * partBytes, number * partBytes);

/** The types of what is told of these things, until one of them has had so many; what else goes on is passed over. */
export async function toldOf(heard: Awaited<ReturnType<Person['hear']>>, ids: readonly string[], count: number) {
  const told: { type: string; resourceId: string; file: { id: string } | null }[] = [];
  while (told.length < count) {
    const { fileChanged } = await heard.next();
    if (ids.includes(fileChanged.resourceId)) told.push(fileChanged);
  }
  return told;
}

/** What someone can do with the files of a space. */
export function filesOf(person: Person, spaceId: string, door: Door) {
  const run = (document: string, input: object) => person.run(document, { input });
  const only = <T>({ data, code, errors }: Answer): T => {
    if (code) throw new Error(JSON.stringify(errors));
    const [value] = Object.values(data);
    return value as T;
  };
  const self = {
    start: (bytes: Buffer, more: object = {}) => run(documents.start, declared(spaceId, bytes, more)),
    async put(session: { url: string }, bytes: Buffer, number = 1) {
      const body = new Uint8Array(partOf(bytes, number));
      return (await door.fetch(`${session.url}&part=${number}`, { method: 'PUT', body })).status;
    },
    complete: (id: string) => run(documents.complete, { id }),
    /** Starts an upload, and throws when it is refused. */
    async started(bytes: Buffer, more: object = {}) {
      type Started = { uploadSession: { id: string; url: string; partCount: number } };
      return only<Started>(await self.start(bytes, more)).uploadSession;
    },
    /** A whole upload; throws when any of it is refused. */
    async upload(bytes: Buffer, more: object = {}): Promise<Uploaded> {
      const session = await self.started(bytes, more);
      for (let number = 1; number <= session.partCount; number += 1) {
        const status = await self.put(session, bytes, number);
        if (status !== 200) throw new Error(`The part answered ${status}.`);
      }
      return only<{ file: Uploaded }>(await self.complete(session.id)).file;
    },
    folder: (path: string) => run(documents.createFolder, { spaceId, path }),
    session: (id: string) => person.run(documents.session, { id }),
    file: (id: string) => person.run(documents.file, { id }),
    run,
    /** How much room is taken. */
    async used(): Promise<number> {
      const { data } = await person.run(documents.storage, { id: spaceId });
      return data.space.storage.usedBytes;
    },
    /** The answer of a file's address. */
    async get(id: string, init: RequestInit = {}) {
      const { data } = await person.run(documents.file, { id });
      return door.fetch(data.file.url, init);
    },
  };
  return self;
}
