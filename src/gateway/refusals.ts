import { LRUCache } from 'lru-cache';
import type { ActionName } from '../core/actions.js';
import { type AuditSubject, auditEntry } from '../core/audit.js';
import { type Ctx, perApp } from '../core/context.js';
import type { ErrorCode } from '../generated/graphql.js';

const perMinute = 10;
const addresses = 10_000;

/** Refused credentials and claims in the audit log: a few a minute for each address, so that nobody can fill it. */
export const refusals = perApp((app) => {
  const counts = new LRUCache<string, { count: number }>({ max: addresses, ttl: 60_000 });
  return {
    note(ctx: Ctx, name: ActionName, code: ErrorCode, subject: AuditSubject): void {
      const from = ctx.request.ip ?? '';
      const counted = counts.get(from) ?? { count: 0 };
      if (counted.count === 0) counts.set(from, counted);
      counted.count += 1;
      if (counted.count > perMinute) return;
      app.readAudit.add(auditEntry(ctx, name, { self: true }, code, subject));
    },
  };
});
