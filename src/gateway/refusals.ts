import { LRUCache } from 'lru-cache';
import { auditEntry } from '../core/audit.js';
import { perApp, type RequestInfo } from '../core/context.js';
import { contextFor } from '../core/operation.js';

const perMinute = 10;
const addresses = 10_000;

/** Refused credentials in the audit log: a few a minute for each address, so that nobody can fill it. */
export const refusals = perApp((app) => {
  const counts = new LRUCache<string, { count: number }>({ max: addresses, ttl: 60_000 });
  return {
    note(request: RequestInfo, credential: string): void {
      const from = request.ip ?? '';
      const counted = counts.get(from) ?? { count: 0 };
      if (counted.count === 0) counts.set(from, counted);
      counted.count += 1;
      if (counted.count > perMinute) return;
      const ctx = contextFor(app, null, request);
      app.readAudit.add(
        auditEntry(ctx, 'account.signIn', { self: true }, 'UNAUTHENTICATED', { metadata: { credential } }),
      );
    },
  };
});
