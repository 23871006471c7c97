import { randomUUID } from 'node:crypto';
import type { App, Ctx, RequestInfo, Viewer } from './context.js';
import { type Reads, readsFor } from './reads.js';

const clients = new WeakMap<object, Reads>();

// On the prototype, because contexts are copied on their way and a copy must not make the client that most operations never use.
const lazy = {
  get db(): Reads {
    const { app, viewer, epoch } = this as unknown as Ctx;
    let client = clients.get(epoch);
    if (!client) clients.set(epoch, (client = readsFor(app, viewer)));
    return client;
  },
};

/** The context of one operation; `more` is what the edge wants to find in it again. */
export function contextFor<More extends object>(
  app: App,
  viewer: Viewer | null,
  request: RequestInfo,
  more?: More,
): Ctx & More {
  const own: Omit<Ctx, 'db'> = { app, viewer, request, idempotency: null, degraded: new Set(), epoch: { current: {} } };
  return Object.assign(Object.create(lazy) as Pick<Ctx, 'db'>, own, more);
}

/** The context of what runs behind the requests, for `viewer` or for nobody in particular. */
export const behind = (app: App, viewer: Viewer | null = null): Ctx =>
  contextFor(app, viewer, { requestId: randomUUID(), ip: null });

/** A user as the viewer of what they asked for earlier, within the limits of the credential that they asked with. */
export const standIn = (
  userId: string,
  { scopes = null, spaceIds = null }: Partial<Pick<Viewer, 'scopes' | 'spaceIds'>> = {},
): Viewer => ({
  userId,
  apiKeyId: null,
  organizationId: null,
  sessionId: null,
  scopes,
  spaceIds,
  expiresAt: null,
});
