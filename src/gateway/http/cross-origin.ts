import type { Exchange } from './request.js';

const allowedHeaders =
  'authorization, content-type, graphql-require-preflight, apollo-require-preflight, x-request-id, range, if-none-match, x-graphql-event-stream-token, x-client-uuid, x-client-session, x-client-ticket';

/** Says which pages may read the answer; true when that was all they asked. */
export function answersPreflight({ request, response, path }: Exchange, origins: readonly string[]): boolean {
  const { origin } = request.headers;
  if (origins.length > 0) response.setHeader('vary', 'origin');
  if (origin !== undefined && origins.includes(origin)) {
    response.setHeader('access-control-allow-origin', origin);
    response.setHeader('access-control-allow-credentials', 'true');
    response.setHeader(
      'access-control-expose-headers',
      'x-request-id, retry-after, etag, accept-ranges, content-range, content-disposition',
    );
  }
  if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] === undefined) return false;
  response.setHeader('access-control-allow-methods', methodsAt(path));
  response.setHeader('access-control-allow-headers', allowedHeaders);
  response.setHeader('access-control-max-age', '600');
  response.statusCode = 204;
  response.end();
  return true;
}

function methodsAt(path: string): string {
  if (path === '/graphql/stream') return 'GET, POST, PUT, DELETE';
  return path.startsWith('/api/blob/') ? 'GET, PUT' : 'GET, POST';
}
