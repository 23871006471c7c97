import type { App, Ctx, RequestInfo, Viewer } from '../core/context.js';
import { type Reads, readsFor } from '../core/reads.js';

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
  const own: Omit<Ctx, 'db'> = { app, viewer, request, idempotency: null, epoch: { current: {} } };
  return Object.assign(Object.create(lazy) as Pick<Ctx, 'db'>, own, more);
}
