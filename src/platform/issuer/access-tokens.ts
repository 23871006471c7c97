import type { BetterAuthPlugin } from 'better-auth';
import { APIError, createAuthEndpoint, sessionMiddleware } from 'better-auth/api';
import { setSessionCookie } from 'better-auth/cookies';
import { type JwtOptions, jwt, signJWT } from 'better-auth/plugins/jwt';
import type { PrismaClient } from '../../generated/prisma/client.js';
import type { SessionChanged } from './issuer.js';
import { rotate } from './session-secrets.js';

const LIFETIME_SECONDS = 15 * 60;

interface Signed {
  readonly session: { id: string; expiresAt: Date };
  readonly user: { id: string; email: string; emailVerified: boolean; name: string };
}

/**
 * Access tokens for sessions: `GET /token` signs one, `POST /refresh` signs one and exchanges the session's secret,
 * `GET /jwks` has the public keys. A token lives 15 minutes, at most as long as its session.
 */
export function accessTokens(options: {
  prisma: PrismaClient;
  issuer: string;
  audience: string;
  sessionSeconds: number;
  now: () => number;
  sessionChanged: SessionChanged;
}) {
  const jwtOptions: JwtOptions = {
    jwks: { keyPairConfig: { alg: 'EdDSA', crv: 'Ed25519' } },
    jwt: { issuer: options.issuer, audience: options.audience },
    disableSettingJwtHeader: true,
    schema: { jwks: { modelName: 'issuerJwks' } },
  };

  async function sign(ctx: Parameters<typeof signJWT>[0], { session, user }: Signed) {
    const issuedAt = Math.floor(options.now() / 1000);
    const expiresAt = Math.min(issuedAt + LIFETIME_SECONDS, Math.floor(session.expiresAt.getTime() / 1000));
    const token = await signJWT(ctx, {
      options: jwtOptions,
      header: { typ: 'at+jwt' },
      payload: {
        sub: user.id,
        sid: session.id,
        email: user.email,
        email_verified: user.emailVerified,
        name: user.name,
        iat: issuedAt,
        exp: expiresAt,
      },
    });
    return { token, expiresIn: expiresAt - issuedAt };
  }

  const base = jwt(jwtOptions);
  return {
    id: 'access-tokens',
    schema: base.schema,
    endpoints: {
      getJwks: base.endpoints.getJwks,
      getToken: createAuthEndpoint(
        '/token',
        { method: 'GET', requireHeaders: true, use: [sessionMiddleware] },
        async (ctx) => ctx.json(await sign(ctx, ctx.context.session)),
      ),
      refresh: createAuthEndpoint(
        '/refresh',
        { method: 'POST', requireHeaders: true, use: [sessionMiddleware] },
        async (ctx) => {
          const { session, user } = ctx.context.session;
          const expiresAt = new Date(options.now() + options.sessionSeconds * 1000);
          const refreshToken = await rotate(options.prisma, session.token, expiresAt);
          if (refreshToken === null) throw new APIError('UNAUTHORIZED', { message: 'Unauthorized' });
          await options.sessionChanged(session.id, 'rotated');
          const renewed = { ...session, expiresAt, token: refreshToken };
          await setSessionCookie(ctx, { session: renewed, user });
          return ctx.json({ ...(await sign(ctx, { session: renewed, user })), refreshToken });
        },
      ),
    },
  } satisfies BetterAuthPlugin;
}
