import { AppError } from '../../core/errors.js';
import type { Tx } from '../../core/write.js';

/** The id of the folder at a path, held still until the change commits; null for the root. NOT_FOUND when there is none. */
export async function lockFolderAt(tx: Tx, spaceId: string, path: string): Promise<string | null> {
  if (path === '/') return null;
  const [row] = await tx.sql<{
    id: string;
  }>`select id from "Folder" where "spaceId" = ${spaceId} and path = ${path} for share`;
  if (!row) throw new AppError('NOT_FOUND', `There is no folder at ${path}.`);
  return row.id;
}

export const nameTaken = () => new AppError('CONFLICT', 'A file in that folder has that name already.');
