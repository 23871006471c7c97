import { load, loadExisting } from '../../core/loaders.js';
import { listField } from '../../core/pages.js';
import { payload } from '../../core/payload.js';
import type { Resolvers } from '../../generated/graphql.js';
import { userShape } from '../identity/user.js';
import { spaceShape } from '../spaces/space.js';
import { parsePath } from '../tree/path.js';
import { uploadUrl } from './address.js';
import { completeUpload, fileOfUpload } from './completion.js';
import { fileShape } from './file.js';
import { folderShape } from './folder.js';
import { createFolder, deleteFolder, moveFolder } from './folders.js';
import { grantAccess, revokeAccess } from './grants.js';
import { filesIn, filesOf, folderAt, foldersIn, grantsOf, storageOf, versionsOf } from './loaders.js';
import { deleteFile, followFiles, moveFile, restoreFileVersion, updateFile, urlOf } from './service.js';
import { partBytes, partCount } from './upload.js';
import { abortUpload, startUpload } from './uploads.js';

export const resolvers: Resolvers = {
  Query: {
    file: (_, { id }, ctx, info) => load(ctx, fileShape, id, info),
    folder: (_, { spaceId, path }, ctx, info) => folderAt(ctx, spaceId, path, info),
  },
  Space: {
    files: listField(['id'], filesOf),
    folders: listField(['id'], ({ path }) => ({ list: foldersIn, values: [parsePath(path)] })),
    storage: (space, _, ctx) => storageOf(ctx, space.id),
  },
  Folder: {
    space: (folder, _, ctx, info) => loadExisting(ctx, spaceShape, folder.spaceId, info),
    parent: (folder, _, ctx, info) => (folder.parentId ? load(ctx, folderShape, folder.parentId, info) : null),
    folders: listField(['spaceId', 'path'], foldersIn),
    files: listField(['spaceId', 'path'], filesIn),
  },
  File: {
    space: (file, _, ctx, info) => loadExisting(ctx, spaceShape, file.spaceId, info),
    sizeBytes: (file) => Number(file.sizeBytes),
    url: (file, how, ctx) =>
      file.currentVersionId && file.status !== 'FAILED'
        ? urlOf(ctx, { fileId: file.id, spaceId: file.spaceId }, file.currentVersionId, how)
        : null,
    owner: (file, _, ctx, info) => (file.ownerId ? load(ctx, userShape, file.ownerId, info) : null),
    folder: (file, _, ctx, info) => (file.folderId ? load(ctx, folderShape, file.folderId, info) : null),
    versions: listField(['id'], versionsOf),
    grants: listField(['id'], grantsOf),
  },
  FileVersion: {
    sizeBytes: (version) => Number(version.sizeBytes),
    uploadedBy: (version, _, ctx, info) =>
      version.uploadedById ? load(ctx, userShape, version.uploadedById, info) : null,
    url: (version, how, ctx) => urlOf(ctx, version, version.id, how),
  },
  UploadSession: {
    space: (session, _, ctx, info) => loadExisting(ctx, spaceShape, session.spaceId, info),
    sizeBytes: (session) => Number(session.sizeBytes),
    partBytes: () => partBytes,
    partCount,
    receivedParts: (session) =>
      Object.keys(session.parts)
        .map(Number)
        .sort((a, b) => a - b),
    url: (session, _, { app }) =>
      session.status === 'OPEN' && session.expiresAt > app.now() ? uploadUrl(app, session.id) : null,
    file: (session, _, ctx, info) => fileOfUpload(ctx, session, info),
  },
  AccessGrant: {
    file: (grant, _, ctx, info) => loadExisting(ctx, fileShape, grant.fileId, info),
    user: (grant, _, ctx, info) => (grant.userId ? load(ctx, userShape, grant.userId, info) : null),
  },
  FileChange: {
    file: (change, _, ctx, info) => load(ctx, fileShape, change.resourceId, info),
    folder: (change, _, ctx, info) => load(ctx, folderShape, change.resourceId, info),
  },
  Mutation: {
    createFolder: (_, { input }, ctx) => payload(createFolder(ctx, input), (folder) => ({ folder })),
    moveFolder: (_, { input }, ctx) => payload(moveFolder(ctx, input), (folder) => ({ folder })),
    deleteFolder: (_, { input }, ctx) => payload(deleteFolder(ctx, input), (deletion) => deletion),
    startUpload: (_, { input }, ctx) => payload(startUpload(ctx, input), (uploadSession) => ({ uploadSession })),
    completeUpload: (_, { input }, ctx) => payload(completeUpload(ctx, input), (completion) => completion),
    abortUpload: (_, { input }, ctx) => payload(abortUpload(ctx, input), (uploadSession) => ({ uploadSession })),
    updateFile: (_, { input }, ctx) => payload(updateFile(ctx, input), (file) => ({ file })),
    moveFile: (_, { input }, ctx) => payload(moveFile(ctx, input), (file) => ({ file })),
    deleteFile: (_, { input }, ctx) => payload(deleteFile(ctx, input), (deletedFileId) => ({ deletedFileId })),
    restoreFileVersion: (_, { input }, ctx) => payload(restoreFileVersion(ctx, input), (file) => ({ file })),
    grantAccess: (_, { input }, ctx) =>
      payload(grantAccess(ctx, input), (accessGrant, { url }) => ({ accessGrant, url })),
    revokeAccess: (_, { input }, ctx) =>
      payload(revokeAccess(ctx, input), (revokedAccessGrantId) => ({ revokedAccessGrantId })),
  },
  Subscription: {
    fileChanged: { subscribe: (_, args, ctx) => followFiles(ctx, args) },
  },
};
