import type { Tx } from '../../core/write.js';
import type { Closing } from '../identity/delete-user.js';

/** Deletes what was offered to the address of someone who closes their account. */
export async function forgetInvitations(tx: Tx, { userId }: Closing): Promise<void> {
  await tx.sql`delete from "Invitation" where email = (select email from "User" where id = ${userId})`;
}
