import { normalizeIP } from '@better-auth/core/utils/ip';
import type { AttemptLimit, Attempts } from './attempts.js';
import type { IssuerClient } from './issuer.js';
import { COMMON_HEADERS, refusal, refusalOf } from './refusals.js';
import { type RequestScope, requestScope } from './request-scope.js';

/** Where the issuer answers. */
export const BASE_PATH = '/api/auth';
/** Carries the resolved address to the library; whatever the client sent under this name is overwritten. */
export const ADDRESS_HEADER = 'x-canopy-address';

const MAX_BODY_BYTES = 16 * 1024;
const JWKS_CACHING = 'public, max-age=300';

// Whatever the library offers besides these is closed.
const ENDPOINTS: ReadonlyMap<string, { method: string; limited?: keyof AddressLimits }> = new Map([
  ['/sign-up/email', { method: 'POST', limited: 'signUp' }],
  ['/sign-in/email', { method: 'POST', limited: 'signIn' }],
  ['/change-password', { method: 'POST', limited: 'signIn' }],
  ['/sign-out', { method: 'POST' }],
  ['/get-session', { method: 'GET' }],
  ['/token', { method: 'GET' }],
  ['/refresh', { method: 'POST' }],
  ['/jwks', { method: 'GET' }],
]);

/** How often one address may try. */
export interface AddressLimits {
  readonly signIn: AttemptLimit;
  readonly signUp: AttemptLimit;
}

async function readBody(request: Request): Promise<Uint8Array<ArrayBuffer> | null> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  // Cancelling the body would destroy the connection before the refusal is sent.
  for await (const chunk of request.body?.values({ preventCancel: true }) ?? []) {
    size += chunk.byteLength;
    if (size > MAX_BODY_BYTES) return null;
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks));
}

function forward(request: Request, body: Uint8Array<ArrayBuffer>, address: string): Request {
  const headers = new Headers(request.headers);
  headers.set(ADDRESS_HEADER, address);
  // Browsers say from which site they come; Node's fetch says only how, which the library takes for a page without origin.
  if (!headers.has('sec-fetch-site') && !headers.has('cookie')) headers.delete('sec-fetch-mode');
  return new Request(request.url, { method: request.method, headers, body: body.byteLength > 0 ? body : undefined });
}

/** Puts the open endpoints, the limits per address and the product's refusals in front of the library. */
export function issuerEndpoints(
  library: (request: Request) => Promise<Response>,
  attempts: Attempts,
  limits: AddressLimits,
): (request: Request, client: IssuerClient) => Promise<Response> {
  return async (request, { address, requestId }) => {
    const { pathname } = new URL(request.url);
    const path = pathname.startsWith(BASE_PATH) ? pathname.slice(BASE_PATH.length) : '';
    const endpoint = ENDPOINTS.get(path);
    if (!endpoint) return refusal({ status: 404, message: 'Not found', requestId });
    if (endpoint.method !== request.method) {
      const headers = { Allow: endpoint.method };
      return refusal({ status: 405, message: 'Method not allowed', requestId, headers });
    }
    const wait = endpoint.limited
      ? await attempts.consume(endpoint.limited, normalizeIP(address, { ipv6Subnet: 64 }), limits[endpoint.limited])
      : null;
    if (wait !== null) {
      const headers = { 'Retry-After': `${wait}` };
      return refusal({ status: 429, message: 'Too many attempts', requestId, headers });
    }
    const body = await readBody(request);
    if (!body) return refusal({ status: 413, message: 'The body is too large', requestId });

    const scope: RequestScope = {};
    const response = await requestScope.run(scope, () => library(forward(request, body, address)));
    if (response.status >= 400 && scope.failure !== undefined) throw scope.failure;
    if (response.status >= 400) return refusalOf(response, requestId);
    for (const [name, value] of Object.entries(COMMON_HEADERS)) response.headers.set(name, value);
    if (path === '/jwks') response.headers.set('Cache-Control', JWKS_CACHING);
    return response;
  };
}
