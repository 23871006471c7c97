import type { Tx } from '../../core/write.js';
import type { Closing } from '../identity/delete-user.js';

/** Deletes the sessions of the clients of someone who closes their account. */
export async function forgetClients(tx: Tx, { userId }: Closing): Promise<void> {
  await tx.sql`delete from "ClientSession" where "userId" = ${userId}`;
}
