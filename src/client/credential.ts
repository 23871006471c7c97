/** An API key or access token; asked for at each connection and before a token runs out, so that it may be renewed. */
export type Credential = () => string | Promise<string>;

/** The longest that a timer can be set for. */
const longestMs = 2 ** 31 - 1;

/** A credential is asked for no more often. */
const leastMs = 1_000;

/** When a token should be replaced, in milliseconds from now; null when it does not say when it ends, as API keys do not. */
export function renewalOf(token: string, now: number = Date.now()): number | null {
  const endsAt = expiryOf(token);
  if (endsAt === null) return null;
  const left = endsAt - now;
  // Where the clocks disagree, the server will say when it has ended.
  if (left <= 0) return null;
  // Half a minute early; of a short life, a fifth.
  return Math.min(Math.max(left - Math.min(30_000, left / 5), leastMs), longestMs);
}

/** The `exp` of a JWT, in milliseconds since 1970; null for any other text. */
function expiryOf(token: string): number | null {
  const [, payload, signature] = token.split('.');
  if (!payload || !signature) return null;
  try {
    const claims: unknown = JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/')));
    const exp = typeof claims === 'object' && claims !== null && 'exp' in claims ? claims.exp : null;
    return typeof exp === 'number' ? exp * 1_000 : null;
  } catch {
    // What only looks like a JWT says nothing of its end; the server will.
    return null;
  }
}
