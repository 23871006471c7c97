import { type RunningApp, startApp } from '../../src/app.js';
import type { App } from '../../src/core/context.js';
import { authenticate } from '../../src/gateway/authenticate.js';
import { heraldedIssuer } from '../../src/gateway/sign-outs.js';
import { jsonLog } from '../../src/platform/log.js';
import type { OidcIssuer } from '../../src/platform/tokens/oidc.js';
import { blobsOf } from './database.js';
import type { World } from './world.js';

export const password = 'correct horse battery';
let people = 0;

/** Someone with a verified account of the embedded issuer. */
export async function account(app: App, about: { email?: string; name?: string } = {}) {
  const { email = `person-${(people += 1)}@example.org`, name = 'Ada Lovelace' } = about;
  const { subject } = await app.issuer.createSubject({ email, password, name });
  return { email, subject };
}

/** Lets the issuer answer, each time from another address. */
export function ask(
  app: App,
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: unknown,
): Promise<Response> {
  const request = new Request(`${app.issuer.url}${path}`, {
    method,
    headers: { 'content-type': 'application/json', origin: new URL(app.issuer.url).origin, ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return heraldedIssuer(app).handle(request, { address: `192.0.2.${(people += 1) % 250}` });
}

/** Signs someone in: the cookie of the session, and an access token. */
export async function signIn(app: App, email: string): Promise<{ cookie: string; authorization: string }> {
  const answer = await ask(app, 'POST', '/sign-in/email', {}, { email, password });
  if (!answer.ok) throw new Error(await answer.text());
  const cookie = answer.headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ');
  const { token } = (await (await ask(app, 'GET', '/token', { cookie })).json()) as { token: string };
  return { cookie, authorization: `Bearer ${token}` };
}

export const silent = jsonLog('silent', () => {});

/** Another process on the same database. */
export const anotherProcess = (
  databaseUrl: string,
  more: { oidcIssuers?: OidcIssuer[]; observe?: (sql: string) => void } = {},
): Promise<RunningApp> =>
  startApp({
    databaseUrl,
    databasePool: 5,
    blobs: { directory: blobsOf(databaseUrl) },
    publicUrl: 'http://localhost:4000',
    authSecret: 'a secret for tests only, 32 characters',
    trustedOrigins: [],
    oidcIssuers: [],
    log: silent,
    ...more,
  });

export const byCookie = (app: App, cookie: string, authorization: string | null = null) =>
  authenticate(app, { cookie, authorization, cookiesAllowed: true });
export const byHeader = (app: App, authorization: string) => authenticate(app, { authorization, cookiesAllowed: true });
export const refusal = { code: 'UNAUTHENTICATED' };

/** Someone who signed in with an account of the embedded issuer. */
export async function signedIn(w: World, about: { name?: string } = {}) {
  const { email, subject } = await account(w.app, about);
  const credentials = await signIn(w.app, email);
  return { ...w.client(await byHeader(w.app, credentials.authorization)), email, subject, ...credentials };
}
