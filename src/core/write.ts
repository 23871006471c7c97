import { setTimeout as sleep } from 'node:timers/promises';
import { outage } from '../platform/database/outage.js';
import { decideFor, refusal, signedIn } from './access.js';
import type { ActionName, Scope, ScopeOf } from './actions.js';
import { type AuditSubject, auditEntry, recordFailure } from './audit.js';
import type { App, Ctx } from './context.js';
import { assertInTime } from './deadline.js';
import { AppError } from './errors.js';
import { type Emitted, staleTags } from './events.js';
import { earlierAnswer } from './idempotency.js';
import { type Change, runChange, type Tx, type Written } from './transaction.js';

export type { Tx, Written };

/** How the transaction runs. */
export interface WriteOptions {
  /** Reads within the change all see one moment, as a batch promises. */
  readonly snapshot?: boolean;
  /** What a refusal or failure is filed under in the audit log. */
  readonly subject?: AuditSubject;
}

const outageCodes = { down: 'SERVICE_UNAVAILABLE', slow: 'GATEWAY_TIMEOUT', text: 'BAD_USER_INPUT' } as const;
const tries = 4;

/**
 * The only way to change data. Checks that the viewer may do `name` in `scope`, then runs `change`, records what it emits in the event log and
 * the audit log, and keeps the answer under the idempotency key, all in one transaction; then wakes readers. Deadlocks and
 * serialization failures are tried again, within the operation's deadline. Once committed it succeeds, whatever becomes of the wake-up.
 */
export async function write<T, Name extends ActionName>(
  ctx: Ctx,
  name: Name,
  scope: ScopeOf<Name>,
  change: (tx: Tx) => Promise<T>,
  options: WriteOptions = {},
): Promise<Written<T>> {
  const decision = await decideFor(ctx, name, scope);
  if (!decision.allowed) {
    // The first call may have taken away the right to make it: who left hears again that they left.
    const earlier = await earlierAnswer(ctx);
    if (earlier) return { ...(earlier.value as Written<T>), repeated: true };
    throw await refusal(ctx, name, scope, decision, options.subject);
  }
  return commit(ctx, name, scope, signedIn(ctx).userId, change, options);
}

/** The twin of `write` for what nobody asks leave for: sign-in, jobs, the demo world. The caller has decided. */
export async function commit<T>(
  ctx: Ctx,
  name: ActionName,
  scope: Scope,
  actorId: string | null,
  change: (tx: Tx) => Promise<T>,
  options: WriteOptions = {},
): Promise<Written<T>> {
  try {
    for (let attempt = 1; ; attempt += 1) {
      try {
        assertInTime(ctx.deadline);
        return await once(ctx, { name, scope, actorId, run: change }, options);
      } catch (error) {
        if (!retryable.has(`${sqlState(error)}`)) throw error;
        if (attempt === tries)
          throw new AppError('CONFLICT', 'Others change the same things at the same time; try again.', {
            retryable: true,
          });
        await sleep(Math.random() * 20 * 2 ** attempt);
      }
    }
  } catch (error) {
    const known = knownFailure(error);
    const away = outage(known);
    // A database that does not answer is not waited for once more; the entry is written as soon as it does.
    if (away) ctx.app.readAudit.add(auditEntry(ctx, name, scope, outageCodes[away], options.subject));
    else
      await recordFailure(
        ctx,
        name,
        scope,
        known instanceof AppError ? known.code : 'INTERNAL_SERVER_ERROR',
        options.subject,
      );
    throw known;
  }
}

async function once<T>(ctx: Ctx, change: Change<T>, { snapshot = false }: WriteOptions): Promise<Written<T>> {
  const emitted: Emitted[] = [];
  const written = await ctx.app.database.transaction(
    async (query) => {
      const done = await runChange(ctx, query, change, emitted);
      assertInTime(ctx.deadline);
      return done;
    },
    { snapshot },
  );
  ctx.epoch.current = {};
  if (!written.repeated) announce(ctx.app, emitted);
  return written;
}

/** This process forgets at once what the change made stale; others hear of it from the log. */
function announce(app: App, emitted: readonly Emitted[]): void {
  const stale = emitted.flatMap(staleTags);
  if (stale.length > 0) app.memory.forget(stale);
  if (emitted.length > 0) app.wakeups.wake();
}

/** Failures after which the whole change may be tried again: a serialization failure, a deadlock. */
const retryable = new Set(['40001', '40P01']);

const sqlState = (error: unknown) => (error as { code?: unknown } | null)?.code;

/** Failures that the database names and every change may meet. */
function knownFailure(error: unknown): unknown {
  const state = sqlState(error);
  if (state === '23505') return new AppError('CONFLICT', 'Something of that name exists already.');
  if (state === '55P03')
    return new AppError('IDEMPOTENCY_IN_PROGRESS', 'The first call with this idempotency key is still running.');
  return error;
}
