import { createHash } from 'node:crypto';
import type { App, Viewer } from '../../core/context.js';
import type { Query } from '../../platform/database/database.js';
import type { Chunk } from '../../protocol/chunks.js';

/** How long a message in pieces may take from its first piece to its last. */
export const completeWithinMs = 60_000;
/** Pieces whose server has gone, and nobody else asked for, are removed when they are this old. */
const orphanedAfterMs = 60 * 60_000;

/**
 * A message has at most 56 pieces (8.2 MiB: five million characters of variables, and room to spare), and a user or key at most two such messages under way,
 * on however many connections: what is kept for them stays below 17 MiB.
 */
export const chunkLimits = { message: 56, sender: 112 } as const;

/** What became of a piece: the whole message for the one who brings what was missing, once; nothing yet, or nothing more; or why it is refused. */
export type Taken =
  | { readonly message: Buffer }
  | 'kept'
  | 'joined before'
  | 'too late'
  | 'too many'
  | 'contradicts the others';

/** Whose message it is, as its pieces are filed: those of another user, key or session are never among them. */
const fileOf = ({ userId, apiKeyId, sessionId }: Viewer, id: string) =>
  createHash('sha256')
    .update(JSON.stringify([userId, apiKeyId, sessionId, id]))
    .digest('base64url');

const senderOf = ({ userId, apiKeyId }: Viewer) => apiKeyId ?? userId;

interface Known {
  readonly ofSender: number;
  readonly total: number | null;
  readonly since: Date | null;
  readonly isJoined: boolean;
}

const knownSql = `select (select count(*)::int from "MessageChunk" where sender = $2) as "ofSender",
    (select min("totalChunks") from "MessageChunk" where "messageId" = $1) as total,
    (select min("createdAt") from "MessageChunk" where "messageId" = $1) as since,
    exists (select from "IdempotencyRecord" where "actorKey" = 'message' and key = $1) as "isJoined"`;

const keepSql = `with kept as (
    insert into "MessageChunk" ("messageId", "chunkIndex", "totalChunks", "chunkData", sender, "createdAt") values ($1, $2, $3, $4, $5, $6)
    on conflict do nothing returning 1)
  select (select count(*) from "MessageChunk" where "messageId" = $1)::int + (select count(*) from kept)::int as there`;

// What was joined is remembered for a while, so that a piece that comes once more begins nothing.
const joinSql = `with gone as (delete from "MessageChunk" where "messageId" = $1 returning "chunkIndex", "chunkData"),
    joined as (insert into "IdempotencyRecord" ("actorKey", key, "requestHash", "expiresAt") values ('message', $1, '', now() + interval '1 hour'))
  select string_agg("chunkData", ''::bytea order by "chunkIndex") as message from gone`;

/** Keeps a piece of a message of the viewer's. Whichever server has it, and however often it comes, one of them gets the whole. */
export function takeChunk(app: App, viewer: Viewer, chunk: Chunk): Promise<Taken> {
  const file = fileOf(viewer, chunk.id);
  return app.database.transaction(
    async (query) => {
      const sender = senderOf(viewer);
      // One after the other, so that one of two that bring the last pieces sees both, and bounds hold.
      await query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`chunks of ${sender}`]);
      const [known] = await query<Known>(knownSql, [file, sender]);
      const refusal = known && refusalOf(known, chunk, app.now());
      if (!refusal) return keep(query, file, [chunk.index, chunk.total, chunk.data, sender, app.now()]);
      if (refusal !== 'joined before') await remove(query, file);
      return refusal;
    },
    { snapshot: false },
  );
}

function refusalOf({ ofSender, total, since, isJoined }: Known, chunk: Chunk, now: Date) {
  if (isJoined) return 'joined before';
  if (since && now.getTime() - since.getTime() >= completeWithinMs) return 'too late';
  if (total !== null && total !== chunk.total) return 'contradicts the others';
  return ofSender >= chunkLimits.sender ? 'too many' : null;
}

async function keep(
  query: Query,
  file: string,
  values: readonly [index: number, total: number, ...more: unknown[]],
): Promise<Taken> {
  const [kept] = await query<{ there: number }>(keepSql, [file, ...values]);
  if (kept?.there !== values[1]) return 'kept';
  const [joined] = await query<{ message: Buffer }>(joinSql, [file]);
  if (!joined) throw new Error('A message went while it was joined.');
  return joined;
}

const remove = (query: Query, file: string) =>
  query('delete from "MessageChunk" where "messageId" = $1 returning 1', [file]);

/** Removes what there is of a message; whether there was something, which then will not be joined. */
export async function dropChunks(app: App, viewer: Viewer, id: string): Promise<boolean> {
  return (await remove(app.database.query, fileOf(viewer, id))).length > 0;
}

/** Removes the pieces that nobody asks for any more. */
export async function dropOrphanedChunks(app: App): Promise<void> {
  const before = new Date(app.now().getTime() - orphanedAfterMs);
  await app.database.query('delete from "MessageChunk" where "createdAt" < $1', [before]);
}
