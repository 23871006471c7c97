import { deserialize, serialize } from 'node:v8';
import type { Query } from '../platform/database/database.js';
import type { Ctx, Idempotency } from './context.js';
import { AppError } from './errors.js';

const hours = 24;

interface Stored {
  readonly requestHash: string;
  readonly response: Uint8Array | null;
}

/** Whose keys these are: two callers never share one. */
function actorKey(ctx: Ctx): string {
  return ctx.viewer?.apiKeyId ?? ctx.viewer?.userId ?? 'nobody';
}

/**
 * Claims the key within the transaction. Null: it is ours, go on. Otherwise what the first call answered.
 * Waits while another transaction holds the key, three seconds at most.
 */
export async function claim(
  query: Query,
  ctx: Ctx,
  { key, requestHash }: Idempotency,
): Promise<{ value: unknown } | null> {
  const actor = actorKey(ctx);
  await query(`set local lock_timeout = '3s'`, []);
  const claimed = await query(
    `insert into "IdempotencyRecord" as r ("actorKey", key, "requestHash", "expiresAt") values ($1, $2, $3, now() + interval '${hours} hours')
      on conflict ("actorKey", key) do update set "requestHash" = excluded."requestHash", response = null, "expiresAt" = excluded."expiresAt"
      where r."expiresAt" < now() returning key`,
    [actor, key, requestHash],
  );
  // Waiting for a row is not waiting for the first call.
  await query('set local lock_timeout = 0', []);
  if (claimed.length === 1) return null;
  const [stored] = await query<Stored>(
    `select "requestHash", response from "IdempotencyRecord" where "actorKey" = $1 and key = $2`,
    [actor, key],
  );
  if (!stored?.response)
    throw new AppError('IDEMPOTENCY_IN_PROGRESS', 'The first call with this idempotency key is still running.');
  if (stored.requestHash !== requestHash) {
    throw new AppError('IDEMPOTENCY_KEY_REUSED', 'This idempotency key came with other arguments before.');
  }
  return { value: deserialize(stored.response) };
}

/**
 * What an earlier call of the viewer with the same key and arguments answered; null when there was none. For a call whose right is gone, perhaps
 * by that very call.
 */
export async function earlierAnswer(ctx: Ctx): Promise<{ value: unknown } | null> {
  if (!ctx.idempotency || !ctx.viewer) return null;
  const { key, requestHash } = ctx.idempotency;
  const [stored] = await ctx.app.database.query<Stored>(
    `select response from "IdempotencyRecord" where "actorKey" = $1 and key = $2 and "requestHash" = $3 and "expiresAt" > now()`,
    [actorKey(ctx), key, requestHash],
  );
  return stored?.response ? { value: deserialize(stored.response) } : null;
}

/** Keeps what the call answers, in the same transaction as what it did. */
export async function remember(query: Query, ctx: Ctx, { key }: Idempotency, value: unknown): Promise<void> {
  await query(`update "IdempotencyRecord" set response = $3 where "actorKey" = $1 and key = $2`, [
    actorKey(ctx),
    key,
    serialize(value),
  ]);
}
