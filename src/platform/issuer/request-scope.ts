import { AsyncLocalStorage } from 'node:async_hooks';

/** What one request to the issuer carries past the library that serves it. */
export interface RequestScope {
  /** A database error; the library answers some of them as if nobody were signed in. */
  failure?: unknown;
  /** The hash of the password to be stored, made before a transaction holds a connection. */
  prepared?: { password: string; hash: string };
}

/** The scope of the running request; undefined outside of one. */
export const requestScope = new AsyncLocalStorage<RequestScope>();
