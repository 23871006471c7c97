import type { JSONWebKeySet } from 'jose';

/** Who signed in, and through which session. */
export interface IssuerSessionInfo {
  readonly sessionId: string;
  readonly subject: string;
  readonly email: string;
  readonly emailVerified: boolean;
  readonly name: string;
  readonly expiresAt: Date;
}

/** One line in a person's list of sessions. */
export interface IssuerSessionEntry {
  readonly sessionId: string;
  readonly address: string | null;
  readonly userAgent: string | null;
  readonly createdAt: Date;
  readonly lastUsedAt: Date;
  readonly expiresAt: Date;
}

/** Hears that a session has a new secret, or has ended because an old one was used. Never rejects. */
export type SessionChanged = (sessionId: string, became: 'rotated' | 'ended') => Promise<void>;

/** What the server knows about a request besides its bytes. */
export interface IssuerClient {
  /** The client's address, already resolved through the configured proxies. */
  readonly address: string;
  /** Repeated in refusals, so that they can be found in the log. */
  readonly requestId?: string;
}

/**
 * The embedded issuer: e-mail and password, sessions, access tokens. It knows subjects, never the product's users.
 * Every method rejects with the driver's error when the database cannot answer; none takes an outage for a sign-out.
 */
export interface Issuer {
  /** Stored as `Identity.issuer`. It stays the same when the deployment moves to another address. */
  readonly name: string;
  /** The `iss` of its access tokens. */
  readonly url: string;
  /** The `aud` of its access tokens. */
  readonly audience: string;
  /**
   * Answers everything under /api/auth. A refusal has the product's error body and the headers that go with it; an
   * error that is not the client's rejects. Cookies are honoured from trusted origins only.
   */
  handle(request: Request, client: IssuerClient): Promise<Response>;
  /** The session of the cookie in these headers, or null. Whoever acts on it checks the Origin of the request. */
  sessionOf(headers: Headers): Promise<IssuerSessionInfo | null>;
  /** The session as long as it lives; null from the moment that it is revoked or has expired. */
  sessionById(sessionId: string): Promise<IssuerSessionInfo | null>;
  /** The living sessions of a subject, newest first, at most a hundred. */
  sessions(subject: string): Promise<readonly IssuerSessionEntry[]>;
  /** Ends one session of this subject: no refresh from now on. False when the subject has no such session. */
  revokeSession(subject: string, sessionId: string): Promise<boolean>;
  /** Forgets the subject with credentials and sessions. A subject that does not exist is no error. */
  removeSubject(subject: string): Promise<void>;
  /** Makes a subject with a verified e-mail, or answers the one that already has it, whose password then stays. */
  createSubject(subject: {
    email: string;
    password: string;
    name: string;
  }): Promise<{ subject: string; created: boolean }>;
  /** The public keys that its access tokens verify against. */
  keys(): Promise<JSONWebKeySet>;
  /** Deletes what has expired: sessions, spent tokens, counters. To be called every so often. */
  sweep(): Promise<void>;
}
