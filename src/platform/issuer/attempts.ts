import { createHash } from 'node:crypto';
import type { PrismaClient } from '../../generated/prisma/client.js';

/** At most `max` attempts in `seconds`. */
export interface AttemptLimit {
  readonly max: number;
  readonly seconds: number;
}

export interface Attempts {
  /** Counts one attempt. Answers the seconds to wait when there were too many, else null. */
  consume(kind: string, of: string, limit: AttemptLimit): Promise<number | null>;
  /** Forgets what was counted. */
  clear(kind: string, of: string): Promise<void>;
}

const keyOf = (kind: string, of: string) => `${kind}:${createHash('sha256').update(of).digest('base64url')}`;

/** Counts in the database and by its clock, so that all instances share one count. Atomic under concurrency. */
export function databaseAttempts(prisma: PrismaClient): Attempts {
  return {
    async consume(kind, of, limit) {
      const [row] = await prisma.$queryRaw<{ count: number; wait: number }[]>`
        insert into "IssuerAttempt" as a (key, count, "endsAt")
        values (${keyOf(kind, of)}, 1, now() + make_interval(secs => ${limit.seconds}::float8))
        on conflict (key) do update set
          count = case when a."endsAt" <= now() then 1 else least(a.count, ${limit.max}::int) + 1 end,
          "endsAt" = case when a."endsAt" <= now() then excluded."endsAt" else a."endsAt" end
        returning count, ceil(extract(epoch from "endsAt" - now()))::int as wait`;
      return row && row.count > limit.max ? Math.max(row.wait, 1) : null;
    },
    async clear(kind, of) {
      await prisma.issuerAttempt.deleteMany({ where: { key: keyOf(kind, of) } });
    },
  };
}
