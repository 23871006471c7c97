import { AppError } from '../../core/errors.js';
import type { Tx } from '../../core/write.js';

/** Takes room in a space, or QUOTA_EXCEEDED. The check and the change are one statement, so no race takes more than there is. */
export async function reserve(tx: Tx, spaceId: string, bytes: number): Promise<void> {
  const [row] = await tx.sql`update "Space" set "storageUsed" = "storageUsed" + ${bytes}::bigint
    where id = ${spaceId} and "storageUsed" + ${bytes}::bigint <= "storageLimit" returning id`;
  if (!row) throw new AppError('QUOTA_EXCEEDED', 'The space has not that much room; delete files first.');
}

/** Gives room back. */
export async function release(tx: Tx, spaceId: string, bytes: number): Promise<void> {
  if (bytes === 0) return;
  await tx.sql`update "Space" set "storageUsed" = "storageUsed" - ${bytes}::bigint where id = ${spaceId}`;
}
