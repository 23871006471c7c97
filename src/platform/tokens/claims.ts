import type { JWTPayload } from 'jose';

/** What one vendor's tokens look like. */
export interface Preset {
  readonly algorithms: readonly string[];
  /** Where the keys are when the configuration does not say; null: the issuer's discovery document says. */
  readonly jwksPath: string | null;
  /** Whether this access token is meant for one of `audience` and of the kind that may call an API. */
  accepts(claims: JWTPayload, audience: readonly string[]): boolean;
  sessionId(claims: JWTPayload): string | null;
  organization(claims: JWTPayload): string | null;
  name(claims: JWTPayload): string | null;
}

/** A claim as text; null when it is anything else. */
export const text = (claim: unknown): string | null => (typeof claim === 'string' && claim !== '' ? claim : null);

const within = (claim: unknown, key: string): unknown =>
  typeof claim === 'object' && claim !== null ? Object.entries(claim).find(([name]) => name === key)?.[1] : undefined;

const meantFor = (audience: readonly string[], ...named: unknown[]) =>
  named.flat().some((one) => typeof one === 'string' && audience.includes(one));

const JWKS = '/.well-known/jwks.json';

const oidc: Preset = {
  algorithms: ['RS256', 'PS256', 'ES256', 'EdDSA'],
  jwksPath: null,
  accepts: ({ aud }, audience) => meantFor(audience, aud),
  sessionId: ({ sid }) => text(sid),
  organization: ({ org_id, organization }) => text(org_id) ?? text(organization),
  name: ({ name }) => text(name),
};

/** The vendors whose claims are known. */
export const PRESETS = {
  oidc,

  clerk: {
    ...oidc,
    algorithms: ['RS256'],
    jwksPath: JWKS,
    // Session tokens name the page's origin in azp and have no aud; a pending session is not signed in yet.
    accepts: ({ aud, azp, sts }, audience) => sts !== 'pending' && meantFor(audience, azp, aud),
    organization: ({ o, org_id }) => text(within(o, 'id')) ?? text(org_id),
  },

  cognito: {
    ...oidc,
    algorithms: ['RS256'],
    jwksPath: JWKS,
    // Access tokens have client_id for aud; an ID token is not for calling APIs.
    accepts: ({ token_use, client_id }, audience) => token_use === 'access' && meantFor(audience, client_id),
    sessionId: ({ origin_jti }) => text(origin_jti),
    organization: () => null,
    name: ({ username }) => text(username),
  },

  supabase: {
    ...oidc,
    algorithms: ['ES256', 'RS256'],
    jwksPath: JWKS,
    // The keys that stand in every page (role anon) and on servers (service_role) are nobody's sign-in.
    accepts: ({ aud, role, is_anonymous }, audience) =>
      role === 'authenticated' && is_anonymous !== true && meantFor(audience, aud),
    sessionId: ({ session_id }) => text(session_id),
    organization: () => null,
    name: ({ user_metadata }) => text(within(user_metadata, 'full_name')) ?? text(within(user_metadata, 'name')),
  },
} as const satisfies Record<string, Preset>;

/** Scopes of the claim that begin with the prefix, without it. */
export function scopesOf({ scope, scp }: JWTPayload, prefix: string): string[] {
  const listed = [scope, scp].flat().flatMap((one) => (typeof one === 'string' ? one.split(' ') : []));
  return listed.filter((one) => one !== '' && one.startsWith(prefix)).map((one) => one.slice(prefix.length));
}
