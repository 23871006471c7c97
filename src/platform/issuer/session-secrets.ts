import { createHash, randomBytes } from 'node:crypto';
import { Prisma, type PrismaClient } from '../../generated/prisma/client.js';
import type { SessionChanged } from './issuer.js';
import { requestScope } from './request-scope.js';

/** How long a session lives without being used. */
export const SESSION_SECONDS = 7 * 24 * 60 * 60;

const USER_AGENT_LENGTH = 512;
// Two tabs that refresh at once are no theft: within this time a spent token is only refused.
const REUSE_GRACE_SECONDS = 10;

/** What the database keeps of a session's secret. */
export function digest(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url');
}

function digestWhere<W extends { token?: unknown }>(where: W): { where: W; presented: string | null } {
  const { token } = where;
  if (typeof token === 'string') return { where: { ...where, token: digest(token) }, presented: token };
  if (typeof token !== 'object' || token === null) return { where, presented: null };
  if ('equals' in token && typeof token.equals === 'string') {
    return { where: { ...where, token: digest(token.equals) }, presented: token.equals };
  }
  throw new Error('A session is looked up by one token.');
}

const withToken = <R>(row: R, token: string | null): R => (row && token !== null ? { ...row, token } : row);

/**
 * The client for the library behind the issuer. It takes and answers the session secrets that people hold, while the
 * table has their SHA-256 only; it makes each secret from 256 random bits; it notes a failed query in the request scope.
 */
export function sessionSecrets(prisma: PrismaClient, changed: SessionChanged) {
  const hashed = Prisma.defineExtension({
    query: {
      issuerSession: {
        async create({ args, query }) {
          const token = randomBytes(32).toString('base64url');
          const userAgent = args.data.userAgent?.slice(0, USER_AGENT_LENGTH);
          return withToken(await query({ ...args, data: { ...args.data, userAgent, token: digest(token) } }), token);
        },
        async findFirst({ args, query }) {
          const { where, presented } = digestWhere(args.where ?? {});
          const row = await query({ ...args, where });
          if (!row && presented !== null) await endReused(prisma, presented, changed);
          return withToken(row, presented);
        },
        async findMany({ args, query }) {
          return query({ ...args, where: digestWhere(args.where ?? {}).where });
        },
        async update({ args, query }) {
          const { where, presented } = digestWhere(args.where);
          return withToken(await query({ ...args, where }), presented);
        },
        async deleteMany({ args, query }) {
          return query({ ...args, where: digestWhere(args.where ?? {}).where });
        },
      },
    },
  });
  const noted = Prisma.defineExtension({
    query: {
      async $allOperations({ args, query }) {
        try {
          return await query(args);
        } catch (error) {
          const scope = requestScope.getStore();
          if (scope && !isUniqueClash(error)) scope.failure = error;
          throw error;
        }
      },
    },
  });
  return prisma.$extends(hashed).$extends(noted);
}

const isUniqueClash = (error: unknown) =>
  error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2002';

/**
 * Exchanges a session's secret for a new one and prolongs the session. Null when the secret is not the current one:
 * of two exchanges at the same time one wins.
 */
export async function rotate(prisma: PrismaClient, presented: string, expiresAt: Date): Promise<string | null> {
  const next = randomBytes(32).toString('base64url');
  const spent = digest(presented);
  const rows = await prisma.$executeRaw`
    with moved as (
      update "IssuerSession" set token = ${digest(next)}, "expiresAt" = ${expiresAt}, "updatedAt" = now()
      where token = ${spent} and "expiresAt" > now() returning id
    )
    insert into "IssuerSpentToken" (token, "sessionId") select ${spent}, id from moved`;
  return rows === 1 ? next : null;
}

/** A secret that was exchanged before is in two hands: its session ends. */
async function endReused(prisma: PrismaClient, presented: string, changed: SessionChanged): Promise<void> {
  const ended = await prisma.$queryRaw<{ id: string }[]>`
    delete from "IssuerSession" using "IssuerSpentToken" spent
    where spent.token = ${digest(presented)} and "IssuerSession".id = spent."sessionId"
      and spent."spentAt" < now() - make_interval(secs => ${REUSE_GRACE_SECONDS}::float8)
    returning "IssuerSession".id`;
  for (const { id } of ended) await changed(id, 'ended');
}
