import { type AppOptions, type RunningApp, startApp } from '../../src/app.js';
import type { App, Ctx, Viewer } from '../../src/core/context.js';
import { contextFor } from '../../src/core/operation.js';
import { jsonLog } from '../../src/platform/log.js';
import { blobsOf } from './database.js';

/** What a second process on the same database would be, in this one. */
export function anotherApp(
  databaseUrl: string,
  now?: () => Date,
  more: Partial<Pick<AppOptions, 'assistant' | 'embeddings' | 'vectors'>> = {},
): Promise<RunningApp> {
  return startApp({
    databaseUrl,
    databasePool: 10,
    blobs: { directory: blobsOf(databaseUrl) },
    publicUrl: 'http://localhost:4000',
    authSecret: 'a secret for tests only, 32 characters',
    trustedOrigins: [],
    oidcIssuers: [],
    log: jsonLog('silent', () => {}),
    ...(now && { now }),
    ...more,
  });
}

/** The context of an operation there, with an idempotency key when one is given. */
export function contextIn(app: App, viewer: Viewer | null, key?: string): Ctx {
  const ctx = contextFor(app, viewer, { requestId: 'another', ip: null });
  return key === undefined ? ctx : (Object.create(ctx, { idempotency: { value: { key, requestHash: key } } }) as Ctx);
}
