import type { App, RequestInfo } from '../core/context.js';
import { contextFor } from '../core/operation.js';
import { sessionsChanged } from '../domains/identity/sessions.js';
import type { Issuer, IssuerClient, SessionChanged } from '../platform/issuer/issuer.js';

const ending = /\/(sign-out|change-password)$/;

/** The embedded issuer, with word given to every process of the sessions that a request to it ends. */
export function heraldedIssuer(app: App): Issuer {
  const { issuer } = app;
  return {
    ...issuer,
    async handle(request, client) {
      if (request.method !== 'POST' || !ending.test(new URL(request.url).pathname))
        return issuer.handle(request, client);
      const subject = await subjectOf(issuer, request, client);
      const before = subject === null ? [] : await idsOf(issuer, subject);
      const response = await issuer.handle(request, client);
      if (subject !== null) await announce(app, subject, before, client);
      return response;
    },
  };
}

/** Who sent the request, by cookie or by session token; null when the issuer does not know them. */
async function subjectOf(issuer: Issuer, { headers }: Request, client: IssuerClient): Promise<string | null> {
  const response = await issuer.handle(
    new Request(`${issuer.url}/get-session`, { headers: credentialsOf(headers) }),
    client,
  );
  if (!response.ok) return null;
  const found = (await response.json()) as { session?: { userId?: unknown } } | null; // What the issuer answers is checked below.
  return typeof found?.session?.userId === 'string' ? found.session.userId : null;
}

function credentialsOf(headers: Headers): Headers {
  const kept = new Headers();
  for (const name of ['authorization', 'cookie', 'origin']) {
    const value = headers.get(name);
    if (value !== null) kept.set(name, value);
  }
  return kept;
}

const idsOf = async (issuer: Issuer, subject: string) =>
  (await issuer.sessions(subject)).map(({ sessionId }) => sessionId);

async function announce(
  app: App,
  subject: string,
  before: readonly string[],
  { address, requestId = '' }: IssuerClient,
): Promise<void> {
  const living = new Set(await idsOf(app.issuer, subject));
  const ended = before.filter((id) => !living.has(id));
  if (ended.length > 0) await tell(app, { requestId, ip: address }, ended, 'session.revoked');
}

/** Tells every process that a session has a new secret, or has ended because an old one was used. */
export function sessionHerald(app: () => App): SessionChanged {
  return (id, became) =>
    tell(app(), { requestId: '', ip: null }, [id], became === 'ended' ? 'session.revoked' : 'session.rotated');
}

type SessionEvent = Parameters<typeof sessionsChanged>[2];

async function tell(app: App, request: RequestInfo, ids: readonly string[], type: SessionEvent): Promise<void> {
  try {
    await sessionsChanged(contextFor(app, null, request), ids, type);
  } catch (error) {
    // It is so whether or not word of it gets around; memories of the session age within a minute.
    app.log.warn('Other processes could not be told of a session.', { requestId: request.requestId, error });
  }
}
