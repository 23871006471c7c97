import type { BetterAuthPlugin } from 'better-auth';
import { APIError, createAuthMiddleware } from 'better-auth/api';
import { z } from 'zod';
import type { AttemptLimit, Attempts } from './attempts.js';
import { hashPassword, passwordProblem, tooLong } from './passwords.js';
import { requestScope } from './request-scope.js';

const MAX_TEXT = 254;
const foundSession = z.object({ session: z.looseObject({ token: z.string() }), user: z.looseObject({}) });

function refuse(code: string, message: string): never {
  throw new APIError('BAD_REQUEST', { code, message });
}

/** Text that Postgres cannot keep, and text without end, is refused before anything reads it. */
function checkText(body: Record<string, unknown>): void {
  for (const [field, value] of Object.entries(body)) {
    if (typeof value !== 'string') continue;
    if (value.includes('\0') || /\p{Surrogate}/u.test(value)) refuse('INVALID_TEXT', `${field} has invalid characters`);
    if (!/password/i.test(field) && value.length > MAX_TEXT) {
      refuse('TEXT_TOO_LONG', `${field} must not be longer than ${MAX_TEXT} characters`);
    }
  }
}

async function checkPasswords(path: string, body: Record<string, unknown>): Promise<void> {
  const { password, currentPassword, newPassword } = body;
  for (const presented of [password, currentPassword]) {
    const problem = typeof presented === 'string' ? tooLong(presented) : null;
    if (problem) refuse(problem.code, problem.message);
  }
  const chosen = path === '/sign-up/email' ? password : newPassword;
  if (typeof chosen !== 'string') return;
  const problem = passwordProblem(chosen);
  if (problem) refuse(problem.code, problem.message);
  const scope = requestScope.getStore();
  if (scope && path === '/sign-up/email') scope.prepared = { password: chosen, hash: await hashPassword(chosen) };
}

/**
 * What is checked before the library sees a sign-up, a sign-in or a change of password. Attempts count per account
 * whether or not the account exists, and a successful sign-in clears them.
 */
export function signInGuard(attempts: Attempts, perAccount: AttemptLimit) {
  return {
    id: 'sign-in-guard',
    hooks: {
      before: [
        {
          matcher: () => true,
          handler: createAuthMiddleware(async (ctx) => {
            if (typeof ctx.body !== 'object' || ctx.body === null) return;
            checkText(ctx.body);
            if (ctx.path === '/sign-in/email' && typeof ctx.body.email === 'string') {
              const wait = await attempts.consume('account', ctx.body.email.toLowerCase(), perAccount);
              if (wait !== null) {
                throw new APIError('TOO_MANY_REQUESTS', { message: 'Too many attempts' }, { 'Retry-After': `${wait}` });
              }
            }
            await checkPasswords(ctx.path, ctx.body);
          }),
        },
      ],
      after: [
        {
          matcher: (ctx) => ctx.path === '/sign-in/email',
          handler: createAuthMiddleware(async (ctx) => {
            const user = ctx.context.newSession?.user;
            if (user) await attempts.clear('account', user.email.toLowerCase());
          }),
        },
        {
          // The cookie is HttpOnly so that scripts cannot have the secret: then the answer must not have it either.
          matcher: (ctx) => ctx.path === '/get-session',
          handler: createAuthMiddleware(async (ctx) => {
            const answer = foundSession.safeParse(ctx.context.returned);
            if (!answer.success) return;
            const { token: _, ...session } = answer.data.session;
            return ctx.json({ session, user: answer.data.user });
          }),
        },
      ],
    },
  } satisfies BetterAuthPlugin;
}
