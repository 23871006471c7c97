import type { Ctx } from '../core/context.js';
import { AppError } from '../core/errors.js';
import { uuid } from '../domains/realtime/client-session.js';
import { goOn, type SessionClaim, sessionFor } from '../domains/realtime/client-sessions.js';
import { refusals } from './refusals.js';

/** The session of a client that connects, by what it says of itself; see `sessionFor`. What is refused is audited. */
export const claimedSession = (ctx: Ctx, claim: SessionClaim): Promise<string | null> =>
  audited(ctx, claim.sessionId, null, sessionFor(ctx, claim));

/** Lets a connected client go on in its own session, `named` by it or not; see `goOn`. What is refused is audited. */
export const keptSession = (ctx: Ctx, own: string | null, named: unknown): Promise<void> =>
  audited(ctx, named, own, goOn(ctx, own, named));

async function audited<T>(ctx: Ctx, named: unknown, own: string | null, answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    // What is no UUID at all is nobody's session.
    if (error instanceof AppError && error.code !== 'BAD_USER_INPUT' && !error.details.retryable) {
      const { success, data } = uuid.safeParse(named);
      refusals(ctx.app).note(ctx, 'clientSession.open', error.code, {
        resourceType: 'ClientSession',
        resourceId: success ? data : null,
        ...(own !== null && { sessionId: own }),
      });
    }
    throw error;
  }
}
