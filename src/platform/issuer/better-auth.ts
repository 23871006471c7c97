import { generateId } from '@better-auth/core/utils/id';
import type { Prisma, PrismaClient } from '../../generated/prisma/client.js';
import { type AttemptLimit, databaseAttempts } from './attempts.js';
import { type AddressLimits, BASE_PATH, issuerEndpoints } from './endpoints.js';
import type { Issuer, IssuerSessionInfo, SessionChanged } from './issuer.js';
import type { Library } from './library.js';
import { hashPassword } from './passwords.js';
import { type RequestScope, requestScope } from './request-scope.js';
import { SESSION_SECONDS } from './session-secrets.js';

const LIMITS: IssuerLimits = {
  signIn: { max: 30, seconds: 60 },
  signUp: { max: 20, seconds: 600 },
  account: { max: 10, seconds: 300 },
};

/** Attempts that one address, and one account from all addresses, may make. */
export interface IssuerLimits extends AddressLimits {
  readonly account: AttemptLimit;
}

export interface BetterAuthIssuerOptions {
  readonly prisma: PrismaClient;
  /** Where the gateway is reached from outside; with https the cookies are Secure. */
  readonly baseUrl: string;
  /** At least 32 random characters. Signs cookies and encrypts the private keys; a new one ends every session. */
  readonly secret: string;
  /** Origins, besides that of `baseUrl`, whose pages may use the cookie. */
  readonly trustedOrigins: readonly string[];
  readonly limits?: Partial<IssuerLimits>;
  readonly sessionChanged?: SessionChanged;
  readonly now?: () => number;
}

type SessionRow = Prisma.IssuerSessionGetPayload<{ include: { user: true } }>;

const infoOf = ({ id, expiresAt, user }: Pick<SessionRow, 'id' | 'expiresAt' | 'user'>): IssuerSessionInfo => ({
  sessionId: id,
  subject: user.id,
  email: user.email,
  emailVerified: user.emailVerified,
  name: user.name,
  expiresAt,
});

/** The embedded issuer on better-auth and the product's database. It needs no network and works with many instances. */
export function betterAuthIssuer(options: BetterAuthIssuerOptions): Issuer {
  const { prisma, now = Date.now } = options;
  const limits = { ...LIMITS, ...options.limits };
  const url = new URL(BASE_PATH, options.baseUrl).href;
  const audience = 'canopy';
  // Two hundred files of the library are read when somebody signs in or the first token is verified: processes start without them.
  let made: Promise<Library> | null = null;
  const library = () =>
    (made ??= import('./library.js').then(({ makeLibrary }) => makeLibrary(options, url, audience, limits)));
  const living = () => ({ gt: new Date(now()) });

  return {
    name: 'canopy',
    url,
    audience,
    handle: issuerEndpoints(async (request) => (await library()).handler(request), databaseAttempts(prisma), limits),

    async sessionOf(headers) {
      const cookie = headers.get('cookie');
      if (!cookie) return null;
      const scope: RequestScope = {};
      const query = { disableRefresh: true };
      const { api } = await library();
      const found = await requestScope
        .run(scope, () => api.getSession({ headers: new Headers({ cookie }), query }))
        .catch((error: unknown) => Promise.reject(scope.failure ?? error));
      return (
        found &&
        infoOf({ id: found.session.id, expiresAt: found.session.expiresAt, user: { image: null, ...found.user } })
      );
    },

    async sessionById(sessionId) {
      const row = await prisma.issuerSession.findFirst({
        where: { id: sessionId, expiresAt: living() },
        include: { user: true },
      });
      return row && infoOf(row);
    },

    async sessions(subject) {
      const rows = await prisma.issuerSession.findMany({
        where: { userId: subject, expiresAt: living() },
        orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
        take: 100,
      });
      return rows.map((row) => ({
        sessionId: row.id,
        address: row.ipAddress || null,
        userAgent: row.userAgent || null,
        createdAt: row.createdAt,
        lastUsedAt: row.updatedAt,
        expiresAt: row.expiresAt,
      }));
    },

    async revokeSession(subject, sessionId) {
      const { count } = await prisma.issuerSession.deleteMany({ where: { id: sessionId, userId: subject } });
      return count > 0;
    },

    async removeSubject(subject) {
      await prisma.issuerUser.deleteMany({ where: { id: subject } });
    },

    async createSubject({ email, password, name }) {
      const id = generateId();
      const address = email.toLowerCase();
      const hash = await hashPassword(password);
      const account = { id: generateId(), providerId: 'credential', accountId: id, password: hash };
      const user = { id, email: address, name, emailVerified: true, accounts: { create: account } };
      const row = await prisma.issuerUser.upsert({ where: { email: address }, create: user, update: {} });
      return { subject: row.id, created: row.id === id };
    },

    async keys() {
      return (await library()).api.getJwks();
    },

    async sweep() {
      const before = { lt: new Date(now()) };
      await prisma.issuerSession.deleteMany({ where: { expiresAt: before } });
      await prisma.issuerVerification.deleteMany({ where: { expiresAt: before } });
      await prisma.issuerAttempt.deleteMany({ where: { endsAt: before } });
      const spentAt = { lt: new Date(now() - SESSION_SECONDS * 1000) };
      await prisma.issuerSpentToken.deleteMany({ where: { spentAt } });
    },
  };
}
