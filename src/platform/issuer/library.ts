import { prismaAdapter } from 'better-auth/adapters/prisma';
import { isAPIError } from 'better-auth/api';
import { betterAuth } from 'better-auth/minimal';
import { bearer } from 'better-auth/plugins/bearer';
import { accessTokens } from './access-tokens.js';
import { databaseAttempts } from './attempts.js';
import type { BetterAuthIssuerOptions, IssuerLimits } from './better-auth.js';
import { ADDRESS_HEADER, BASE_PATH } from './endpoints.js';
import { hashPassword, verifyPassword } from './passwords.js';
import { requestScope } from './request-scope.js';
import { SESSION_SECONDS, sessionSecrets } from './session-secrets.js';
import { signInGuard } from './sign-in-guard.js';

const DAY_SECONDS = 24 * 60 * 60;

export type Library = ReturnType<typeof makeLibrary>;

/** better-auth as it is used here: what of it stands behind the issuer's own endpoints. */
export function makeLibrary(options: BetterAuthIssuerOptions, url: string, audience: string, limits: IssuerLimits) {
  const { prisma, baseUrl, secret, now = Date.now, sessionChanged = async () => {} } = options;
  return betterAuth({
    appName: 'Canopy',
    baseURL: new URL(baseUrl).origin,
    basePath: BASE_PATH,
    secret,
    trustedOrigins: [...options.trustedOrigins],
    telemetry: { enabled: false },
    logger: { disabled: true },
    // Limits are counted per window by our own plugin and endpoints: the library's counter never ends for a steady client.
    rateLimit: { enabled: false },
    database: prismaAdapter(sessionSecrets(prisma, sessionChanged), { provider: 'postgresql', transaction: true }),
    user: { modelName: 'issuerUser' },
    session: { modelName: 'issuerSession', expiresIn: SESSION_SECONDS, updateAge: DAY_SECONDS },
    account: { modelName: 'issuerAccount' },
    verification: { modelName: 'issuerVerification' },
    emailAndPassword: {
      enabled: true,
      // A sign-up that signs in would have to tell that the e-mail is taken.
      autoSignIn: false,
      minPasswordLength: 8,
      maxPasswordLength: 72,
      password: {
        async hash(password) {
          const prepared = requestScope.getStore()?.prepared;
          return prepared?.password === password ? prepared.hash : hashPassword(password);
        },
        verify: verifyPassword,
      },
    },
    plugins: [
      bearer(),
      accessTokens({ prisma, issuer: url, audience, sessionSeconds: SESSION_SECONDS, now, sessionChanged }),
      signInGuard(databaseAttempts(prisma), limits.account),
    ],
    advanced: {
      cookiePrefix: 'canopy',
      useSecureCookies: new URL(baseUrl).protocol === 'https:',
      // The library drops both checks by itself when NODE_ENV is "test".
      disableCSRFCheck: false,
      disableOriginCheck: false,
      ipAddress: { ipAddressHeaders: [ADDRESS_HEADER] },
    },
    onAPIError: {
      onError(error) {
        if (!isAPIError(error)) throw error;
      },
    },
  });
}
