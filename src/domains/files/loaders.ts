import DataLoader from 'dataloader';
import type { Ctx } from '../../core/context.js';
import { badInput } from '../../core/errors.js';
import type { Listed } from '../../core/list-field.js';
import { type List, loadList } from '../../core/lists.js';
import { loaderNamed } from '../../core/loaders.js';
import type { Order } from '../../core/page.js';
import type { Selection } from '../../core/reading.js';
import type { Related } from '../../core/related.js';
import { ask } from '../../core/together.js';
import type { SpaceFilesArgs } from '../../generated/graphql.js';
import { parsePath } from '../tree/path.js';
import { type FileRow, type FileVersionRow, fileShape, fileVersionShape } from './file.js';
import { type FolderRow, folderShape } from './folder.js';
import { type AccessGrantRow, accessGrantShape } from './grant.js';

const newest: Order = { columns: ['createdAt', 'id'], direction: 'desc' };
// PRIVATE files may have the names of others.
const byName: Order = { columns: ['name', 'id'], direction: 'asc' };
const foldersByName: Order = { columns: ['name'], direction: 'asc' };

/** Files of a space, the newest first. */
export const filesOfSpace: Related<FileRow> = { shape: fileShape, keys: ['spaceId'], order: newest };
/** Files of one person in a space. */
export const filesOfOwner: Related<FileRow> = { shape: fileShape, keys: ['spaceId', 'ownerId'], order: newest };
/** Files of one type in a space. */
export const filesOfType: Related<FileRow> = { shape: fileShape, keys: ['spaceId', 'mimeType'], order: newest };
/** Files right in a folder, by name. */
export const filesIn: Related<FileRow> = { shape: fileShape, keys: ['spaceId', 'parentPath'], order: byName };
/** Folders right below a folder, by name. */
export const foldersIn: Related<FolderRow> = {
  shape: folderShape,
  keys: ['spaceId', 'parentPath'],
  order: foldersByName,
};

/** All folders of a space, each before those in it. */
export const foldersOfSpace: Related<FolderRow> = {
  shape: folderShape,
  keys: ['spaceId'],
  order: { columns: ['path'], direction: 'asc' },
};

/** Versions of a file, the latest first. */
export const versionsOf: Related<FileVersionRow> = {
  shape: fileVersionShape,
  keys: ['fileId'],
  order: { columns: ['number'], direction: 'desc' },
};

/** Grants of a file, in the order they were given. */
export const grantsOf: Related<AccessGrantRow> = {
  shape: accessGrantShape,
  keys: ['fileId'],
  order: { columns: ['id'], direction: 'asc' },
};

/** The files of a space that pass a filter. */
export function filesOf({ filter, orderBy }: SpaceFilesArgs): Listed<FileRow> {
  const { ownerId = null, mimeType = null } = filter ?? {};
  const folder = filter?.folderPath == null ? null : parsePath(filter.folderPath, 'filter.folderPath');
  if (orderBy === 'NAME_ASC' && folder === null) throw badInput('orderBy', 'needs filter.folderPath for NAME_ASC');
  const picked = [
    { key: 'ownerId', value: ownerId },
    { key: 'mimeType', value: mimeType?.toLowerCase() ?? null },
    { key: 'parentPath', value: folder },
  ].flatMap(({ key, value }) => (value === null ? [] : [{ key, value }]));
  const keys = ['spaceId', ...picked.map(({ key }) => key)];
  return {
    list: { shape: fileShape, keys, order: orderBy === 'NAME_ASC' ? byName : newest },
    values: picked.map(({ value }) => value),
  };
}

/** The folder at a path, or null. */
export async function folderAt(ctx: Ctx, spaceId: string, path: string, at?: Selection): Promise<FolderRow | null> {
  const list: List<FolderRow> = {
    shape: folderShape,
    name: 'folder at path',
    where: 't."spaceId" = $1 and t.path = $2',
    values: [spaceId, parsePath(path)],
    order: { columns: ['id'], direction: 'asc' },
  };
  const { rows } = await loadList(ctx, list, { first: 1 }, at);
  return rows[0] ?? null;
}

/** How much room a space has, and has taken. */
export interface StorageUsageRow {
  readonly usedBytes: number;
  readonly limitBytes: number;
}

/** The storage of a space that the viewer sees; that of several takes one statement. */
export function storageOf(ctx: Ctx, spaceId: string): Promise<StorageUsageRow> {
  const fetch = async (ids: readonly string[]) => {
    const rows = await ask<{ id: string; used: string; limit: string }>(ctx, storageSql, [ids]);
    const found = new Map(
      rows.map(({ id, used, limit }) => [id, { usedBytes: Number(used), limitBytes: Number(limit) }]),
    );
    return ids.map((id) => found.get(id) ?? { usedBytes: 0, limitBytes: 0 });
  };
  return loaderNamed<StorageUsageRow>(ctx, 'storage', () => new DataLoader(fetch)).load(spaceId);
}

const storageSql = `select id, "storageUsed" as used, "storageLimit" as limit from "Space" where id = any($1::text[])`;
