import type { SpaceRole } from '../generated/graphql.js';
import type { Database } from '../platform/database/database.js';
import type { Ctx } from './context.js';
import { ask } from './together.js';
import type { Tx } from './write.js';

/** Something that is no more, and who could see it: those with at least this role in its space, and one person with any; null: whoever reads the space. */
export interface Departed {
  readonly id: string;
  readonly least: SpaceRole | null;
  readonly alsoBy: string | null;
}

/** Keeps who could see a row that this change deletes for good: they are still told of events that name it. */
export async function depart(tx: Tx, { id, least, alsoBy }: Departed): Promise<void> {
  await tx.sql`insert into "Departed" (id, least, "alsoBy", at) values (${id}, ${least}::"SpaceRole", ${alsoBy}, ${tx.now})`;
}

/** Those of the ids that have departed. */
export function departedOf(ctx: Ctx, ids: readonly string[]): Promise<Departed[]> {
  return ask(ctx, 'select id, least, "alsoBy" from "Departed" where id = any($1::text[])', [ids]);
}

/** Forgets what no event names any more. */
export async function forgetDeparted(database: Database, before: Date): Promise<void> {
  await database.query('delete from "Departed" where at < $1', [before]);
}
