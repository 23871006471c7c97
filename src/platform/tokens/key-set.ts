import { type CryptoKey, createLocalJWKSet, errors, type JSONWebKeySet, type JWSHeaderParameters } from 'jose';
import { z } from 'zod';
import { TokenError } from './tokens.js';

const FRESH_MS = 10 * 60_000;
const STALE_MS = 24 * 60 * 60_000;
const COOLDOWN_MS = 30_000;
const FAILURE_COOLDOWN_MS = 2_000;
const TIMEOUT_MS = 3_000;
const MAX_BYTES = 256 * 1024;

const keySet = z.object({ keys: z.array(z.looseObject({ kty: z.string() })).max(100) });
const discovery = z.object({ issuer: z.string(), jwks_uri: z.url() });

/** Finds the key that a token's header names. */
export type KeySource = (header: JWSHeaderParameters) => Promise<CryptoKey>;

/** Where an issuer's keys come from. Rejects when they cannot be had. */
export type LoadKeys = () => Promise<JSONWebKeySet>;

/**
 * Keeps an issuer's keys. They are loaded again when older than ten minutes and, at most twice a minute, when a token
 * names a key that is not among them. While they cannot be loaded the known ones count for another day; a token whose
 * key is not known then is `unavailable`, not `invalid`.
 */
export function cachedKeys(load: LoadKeys, now: () => number): KeySource {
  let find: ReturnType<typeof createLocalJWKSet> | null = null;
  let loadedAt = Number.NEGATIVE_INFINITY;
  let failedAt = Number.NEGATIVE_INFINITY;
  let failure: unknown;
  let loading: Promise<void> | null = null;

  async function reload(): Promise<void> {
    try {
      find = createLocalJWKSet(await load());
      loadedAt = now();
      failedAt = Number.NEGATIVE_INFINITY;
    } catch (error) {
      failedAt = now();
      failure = error;
    } finally {
      loading = null;
    }
  }

  const failing = () => failedAt > loadedAt;
  async function ensure(maxAge: number): Promise<void> {
    const rests = failing() && now() - failedAt < FAILURE_COOLDOWN_MS;
    if (now() - loadedAt < maxAge || rests) return;
    loading ??= reload();
    await loading;
  }

  const unavailable = () => new TokenError('unavailable', "The issuer's keys cannot be had", failure);

  return async (header) => {
    await ensure(FRESH_MS);
    if (!find || now() - loadedAt >= STALE_MS) throw unavailable();
    try {
      return await find(header);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      await ensure(COOLDOWN_MS);
      if (failing()) throw unavailable();
      return find(header);
    }
  };
}

async function getJson(url: string): Promise<unknown> {
  const headers = { accept: 'application/json' };
  const response = await fetch(url, { headers, redirect: 'error', signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > MAX_BYTES) throw new Error(`${url} answered more than ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return JSON.parse(Buffer.concat(chunks).toString('utf8'));
}

/** Loads keys from a fixed address, or from the one in the issuer's discovery document. */
export function remoteKeys(issuer: string, jwksUrl: string | null): LoadKeys {
  return async () => {
    if (jwksUrl !== null) return keySet.parse(await getJson(jwksUrl));
    const found = discovery.parse(await getJson(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`));
    if (found.issuer !== issuer) throw new Error(`The discovery document of ${issuer} names another issuer`);
    return keySet.parse(await getJson(found.jwks_uri));
  };
}
