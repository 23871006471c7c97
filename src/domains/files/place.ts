import { AppError, notFound } from '../../core/errors.js';
import type { Tx } from '../../core/write.js';

/*
 * Changes lock what they change in one order, and so never wait for each other in a circle: folders, files, versions, grants, uploads, and the space
 * last, which all of them need. Of several files those with the first paths first, of several uploads those with the first ids. What a change adds is
 * its own: only whose name it takes matters, a file's, which stands where files do.
 */

/** Holds a file still until the change commits. NOT_FOUND when it is deleted. */
export async function lockFile(tx: Tx, id: string): Promise<void> {
  const [file] = await tx.sql`select id from "File" where id = ${id} and "deletedAt" is null for no key update`;
  if (!file) throw notFound();
}

/** The id of the folder at a path, held still until the change commits; null for the root. NOT_FOUND when there is none. */
export async function lockFolderAt(tx: Tx, spaceId: string, path: string): Promise<string | null> {
  if (path === '/') return null;
  const [row] = await tx.sql<{
    id: string;
  }>`select id from "Folder" where "spaceId" = ${spaceId} and path = ${path} for share`;
  if (!row) throw new AppError('NOT_FOUND', `There is no folder at ${path}.`);
  return row.id;
}

/**
 * Throws when the path is taken by another file that the actor may know of. One that they may not shares its name with theirs rather than tell of itself.
 */
export async function assertFree(tx: Tx, spaceId: string, path: string, fileId: string): Promise<void> {
  const [other] =
    await tx.sql`select id from "File" where "spaceId" = ${spaceId} and path = ${path} and "deletedAt" is null
    and id <> ${fileId} and (visibility <> 'PRIVATE' or "ownerId" = ${tx.actorId}) limit 1`;
  if (other) throw nameTaken();
}

export const nameTaken = () => new AppError('CONFLICT', 'A file in that folder has that name already.');
