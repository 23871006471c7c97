import { hash } from 'node:crypto';
import type { App, Ctx, RequestInfo, Viewer } from '../core/context.js';
import { AppError } from '../core/errors.js';
import type { Fact } from '../core/memory.js';
import { contextFor } from '../core/operation.js';
import { keyMark } from '../domains/identity/api-key.js';
import { lastUsed } from '../domains/identity/last-used.js';
import { keyOf, refused, signIn } from '../domains/identity/sign-in.js';
import { TokenError } from '../platform/tokens/tokens.js';
import { knownError } from './format-error.js';
import { refusals } from './refusals.js';

/** What a request came with. */
export interface Credentials {
  readonly authorization?: string | null | undefined;
  readonly cookie?: string | null | undefined;
  /** Whether the page that sent the cookie may use it. */
  readonly cookiesAllowed: boolean;
}

/** A credential that counted when it was looked up. */
interface Held {
  readonly viewer: Viewer;
  notedAt: number;
}

interface Presented {
  readonly kind: 'session' | 'token' | 'apiKey';
  readonly secret: string;
}

const sessionCookie = /(?:^|;\s*)((?:__Secure-)?canopy\.session_token=[\x21-\x3a\x3c-\x7e]+)/;
const bearer = /^Bearer +([\x21-\x7e]{1,8192})$/i;
const minuteMs = 60_000;
const unknown: RequestInfo = { requestId: '', ip: null };

/**
 * Who a request comes from: the one step for HTTP and WebSocket. Null when it came with no credential. UNAUTHENTICATED when it came with one that
 * does not count, or with two; SERVICE_UNAVAILABLE when that cannot be found out. What was found out is remembered until an
 * event says that it changed; the credential itself is not kept.
 */
export async function authenticate(
  app: App,
  credentials: Credentials,
  request: RequestInfo = unknown,
): Promise<Viewer | null> {
  const presented = presentedBy(credentials);
  if (presented === null) return null;
  if (presented === 'malformed') throw refuse(app, request, 'unknown');
  try {
    const held = await recall(app, presented, request);
    if (held.viewer.apiKeyId) noteUse(app, held, held.viewer.apiKeyId);
    return held.viewer;
  } catch (error) {
    throw explain(app, request, presented, error);
  }
}

function presentedBy({ authorization, cookie, cookiesAllowed }: Credentials): Presented | 'malformed' | null {
  const session = cookiesAllowed && cookie ? sessionCookie.exec(cookie)?.[1] : undefined;
  if (!authorization) return session ? { kind: 'session', secret: session } : null;
  const secret = bearer.exec(authorization)?.[1];
  if (session || !secret) return 'malformed';
  return { kind: secret.startsWith(keyMark) ? 'apiKey' : 'token', secret };
}

async function recall(app: App, presented: Presented, request: RequestInfo): Promise<Held> {
  const look = () => lookUp(contextFor(app, null, request), presented);
  const held = await app.memory.recall(`${presented.kind} ${hash('sha256', presented.secret, 'base64url')}`, look);
  const { expiresAt } = held.viewer;
  // Once expired it is looked up again each time, which refuses it, or grants a token its leeway.
  return expiresAt && expiresAt.getTime() <= app.now().getTime() ? (await look()).value : held;
}

function noteUse(app: App, held: Held, apiKeyId: string): void {
  const now = app.now().getTime();
  if (now - held.notedAt < minuteMs) return;
  held.notedAt = now;
  lastUsed(app).key(apiKeyId);
}

function lookUp(ctx: Ctx, { kind, secret }: Presented): Promise<Fact<Held>> {
  if (kind === 'apiKey') return byKey(ctx, secret);
  return kind === 'session' ? bySession(ctx, secret) : byToken(ctx, secret);
}

/** A fact that is stale as soon as anything happens to what the viewer is made of. */
function fact(viewer: Viewer): Fact<Held> {
  const tags = [viewer.userId, viewer.apiKeyId, viewer.organizationId, viewer.sessionId].filter((id) => id !== null);
  return { value: { viewer, notedAt: 0 }, tags };
}

async function byKey({ app }: Ctx, secret: string): Promise<Fact<Held>> {
  const key = await keyOf(app, secret);
  if (!key || (key.expiresAt && key.expiresAt <= app.now())) throw refused();
  return fact({
    userId: key.userId,
    apiKeyId: key.id,
    organizationId: key.organizationId,
    sessionId: null,
    scopes: new Set(key.scopes),
    spaceIds: key.spaceIds.length > 0 ? new Set(key.spaceIds) : null,
    expiresAt: key.expiresAt,
  });
}

const person = { apiKeyId: null, organizationId: null, spaceIds: null };

async function bySession(ctx: Ctx, cookie: string): Promise<Fact<Held>> {
  const { issuer } = ctx.app;
  const session = await issuer.sessionOf(new Headers({ cookie }));
  if (!session || session.expiresAt <= ctx.app.now()) throw refused();
  const userId = await signIn(ctx, { ...session, issuer: issuer.name });
  return fact({ ...person, userId, sessionId: session.sessionId, scopes: null, expiresAt: session.expiresAt });
}

async function byToken(ctx: Ctx, secret: string): Promise<Fact<Held>> {
  const { issuer, tokens } = ctx.app;
  const token = await tokens.verify(secret);
  const ours = token.issuer === issuer.name;
  // Our own tokens count as long as the session behind them; of other issuers we know no sessions.
  const session = ours && token.sessionId ? await issuer.sessionById(token.sessionId) : null;
  if (ours && session?.subject !== token.subject) throw refused();
  const userId = await signIn(ctx, token);
  const scopes = token.scopes && new Set(token.scopes);
  return fact({ ...person, userId, sessionId: session?.sessionId ?? null, scopes, expiresAt: token.expiresAt });
}

function explain(app: App, request: RequestInfo, { kind }: Presented, error: unknown): unknown {
  if (error instanceof TokenError && error.reason === 'invalid') return refuse(app, request, kind);
  if (error instanceof AppError && error.code === 'UNAUTHENTICATED') return refuse(app, request, kind);
  if (error instanceof TokenError) {
    app.log.warn('Tokens cannot be checked.', { requestId: request.requestId, error });
    return new AppError('SERVICE_UNAVAILABLE', "The keys of the token's issuer cannot be had; try again.", {
      retryable: true,
      retryAfterSeconds: 2,
    });
  }
  return knownError(error) ?? error;
}

function refuse(app: App, request: RequestInfo, kind: Presented['kind'] | 'unknown'): AppError {
  refusals(app).note(contextFor(app, null, request), 'account.signIn', 'UNAUTHENTICATED', {
    metadata: { credential: kind },
  });
  return refused();
}
