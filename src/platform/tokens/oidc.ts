import { createHash } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader, errors, type JSONWebKeySet, type JWTPayload, jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { PRESETS, type Preset, scopesOf, text } from './claims.js';
import { cachedKeys, type KeySource, remoteKeys } from './key-set.js';
import { TokenError, type TokenVerifier, type VerifiedToken } from './tokens.js';

const LEEWAY_SECONDS = 60;
const MAX_TOKEN_LENGTH = 8_192;
const CACHE_SIZE = 10_000;
// A key that its issuer withdraws stops to count after this time also for tokens seen before.
const REMEMBER_MS = 5 * 60_000;
const ACCESS_TOKEN_TYPES: readonly unknown[] = [undefined, 'jwt', 'at+jwt'];

const isLoopback = (host: string) => /^(localhost|127(\.\d+){3}|\[::1\])$/.test(host);
const secureUrl = z.url({ protocol: /^https?$/ }).refine((value) => {
  const { protocol, hostname } = new URL(value);
  return protocol === 'https:' || isLoopback(hostname);
}, 'must be https, or http on this machine');
const algorithm = z.enum(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA']);
const oneOrMore = z.union([
  z
    .string()
    .min(1)
    .transform((one) => [one]),
  z.array(z.string().min(1)).nonempty(),
]);

/** One trusted issuer. */
export const oidcIssuer = z
  .strictObject({
    preset: z.enum(['oidc', 'clerk', 'cognito', 'supabase']),
    /** The exact `iss`. */
    issuer: secureUrl,
    /** oidc, supabase: `aud`. clerk: `azp`, the origins of the pages. cognito: the app clients' ids. */
    audience: oneOrMore.optional(),
    jwksUrl: secureUrl.optional(),
    algorithms: z.array(algorithm).nonempty().optional(),
    /** Set, tokens may do only what their scopes with this prefix say; unset, all that their subject may do. */
    scopePrefix: z.string().optional(),
  })
  .transform((entry) =>
    entry.preset === 'supabase' ? { ...entry, audience: entry.audience ?? ['authenticated'] } : entry,
  )
  .refine((entry) => entry.audience !== undefined, { path: ['audience'], error: 'is needed: whose tokens are meant?' });

/** The value of OIDC_ISSUERS: a JSON array of issuers, each `iss` once. Unset means none. */
export const oidcIssuers = z
  .string()
  .default('[]')
  .transform((value, context) => {
    try {
      return JSON.parse(value) as unknown; // checked by the pipe below
    } catch {
      context.addIssue({ code: 'custom', message: 'must be a JSON array' });
      return z.NEVER;
    }
  })
  .pipe(z.array(oidcIssuer))
  .refine((list) => new Set(list.map(({ issuer }) => issuer)).size === list.length, 'names an issuer twice');

export type OidcIssuer = z.infer<typeof oidcIssuer>;

/** The embedded issuer, as far as its tokens go; its keys are asked for in this process. */
export interface LocalIssuer {
  readonly name: string;
  readonly url: string;
  readonly audience: string;
  keys(): Promise<JSONWebKeySet>;
}

interface Trusted {
  /** Reported as the token's issuer. */
  readonly name: string;
  readonly preset: Preset;
  readonly algorithms: string[];
  readonly audience: readonly string[];
  readonly types: readonly unknown[];
  readonly scopePrefix: string | null;
  readonly keys: KeySource;
}

function trustedIssuers(options: OidcTokensOptions, now: () => number): Map<string, Trusted> {
  const trusted = new Map<string, Trusted>();
  for (const { issuer, ...entry } of options.issuers) {
    const preset = PRESETS[entry.preset];
    const jwksUrl = entry.jwksUrl ?? (preset.jwksPath && issuer.replace(/\/$/, '') + preset.jwksPath);
    trusted.set(issuer, {
      name: issuer,
      preset,
      algorithms: [...(entry.algorithms ?? preset.algorithms)],
      audience: entry.audience ?? [],
      types: ACCESS_TOKEN_TYPES,
      scopePrefix: entry.scopePrefix ?? null,
      keys: cachedKeys(remoteKeys(issuer, jwksUrl), now),
    });
  }
  const { local } = options;
  if (local) {
    trusted.set(local.url, {
      name: local.name,
      preset: PRESETS.oidc,
      algorithms: ['EdDSA'],
      audience: [local.audience],
      types: ['at+jwt'],
      scopePrefix: null,
      keys: cachedKeys(() => local.keys(), now),
    });
  }
  return trusted;
}

const invalid = (cause?: unknown) => new TokenError('invalid', 'The token is not valid', cause);

function readUnverified(token: string): { iss: unknown; typ: unknown; kid: unknown } {
  if (token.length > MAX_TOKEN_LENGTH) throw invalid();
  try {
    const { typ, kid } = decodeProtectedHeader(token);
    return { iss: decodeJwt(token).iss, typ, kid };
  } catch (error) {
    throw invalid(error);
  }
}

function report(claims: JWTPayload & { sub: string; exp: number }, issuer: Trusted): VerifiedToken {
  const email = text(claims.email);
  return {
    issuer: issuer.name,
    subject: claims.sub,
    email,
    emailVerified: email !== null && claims.email_verified === true,
    name: issuer.preset.name(claims),
    sessionId: issuer.preset.sessionId(claims),
    organizationClaim: issuer.preset.organization(claims),
    scopes: issuer.scopePrefix === null ? null : scopesOf(claims, issuer.scopePrefix),
    expiresAt: new Date(claims.exp * 1000),
  };
}

export interface OidcTokensOptions {
  readonly issuers: readonly OidcIssuer[];
  readonly local?: LocalIssuer;
  readonly now?: () => number;
}

/**
 * Verifies tokens of the configured issuers and no others: algorithm from the issuer's list, key by `kid` from the
 * issuer's own set, `iss`, `aud`, `exp`, `nbf`, `typ` and `crit` checked with a minute's leeway. A token that was good
 * is remembered by its hash until it expires, five minutes at most.
 */
export function oidcTokens(options: OidcTokensOptions): TokenVerifier {
  const now = options.now ?? Date.now;
  const trusted = trustedIssuers(options, now);
  const remembered = new LRUCache<string, { verified: VerifiedToken; until: number }>({ max: CACHE_SIZE });

  async function check(token: string): Promise<VerifiedToken> {
    const { iss, typ, kid } = readUnverified(token);
    const issuer = typeof iss === 'string' ? trusted.get(iss) : undefined;
    const type = typeof typ === 'string' ? typ.toLowerCase().replace(/^application\//, '') : typ;
    if (!issuer?.types.includes(type) || typeof kid !== 'string') throw invalid();
    try {
      const { payload } = await jwtVerify(token, issuer.keys, {
        algorithms: issuer.algorithms,
        clockTolerance: LEEWAY_SECONDS,
        currentDate: new Date(now()),
        requiredClaims: ['exp', 'sub'],
      });
      const { sub, exp } = payload;
      if (!text(sub) || sub === undefined || exp === undefined || !issuer.preset.accepts(payload, issuer.audience)) {
        throw invalid();
      }
      return report({ ...payload, sub, exp }, issuer);
    } catch (error) {
      if (error instanceof errors.JOSEError) throw invalid(error);
      throw error;
    }
  }

  return {
    async verify(token) {
      const key = createHash('sha256').update(token).digest('base64url');
      const known = remembered.get(key);
      if (known && known.until > now()) return known.verified;
      const verified = await check(token);
      remembered.set(key, { verified, until: Math.min(verified.expiresAt.getTime(), now() + REMEMBER_MS) });
      return verified;
    },
  };
}
