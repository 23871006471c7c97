import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Log } from '../../platform/log.js';
import type { EdgeParts } from '../edge.js';
import { heraldedIssuer } from '../sign-outs.js';
import { streamsOf } from '../stream/streams.js';
import { roadOf } from '../subscriptions/road.js';
import { answersPreflight } from './cross-origin.js';
import { refuseBytes } from './raw.js';
import { refuse } from './refuse.js';
import { commonHeaders, type Exchange, exchangeOf, requestIdOf, sendJson } from './request.js';
import { type RouteParts, route } from './routes.js';

/** A server with the bounds of the edge. Until someone answers on it, it says that it starts. */
export function boundedServer(): Server {
  const server = createServer({
    maxHeaderSize: 16 * 1024,
    headersTimeout: 10_000,
    requestTimeout: 30_000,
    connectionsCheckingInterval: 5_000,
    keepAliveTimeout: 65_000,
  });
  // Whoever takes nothing of an answer, or sends nothing of a request, for this long is gone.
  server.timeout = 30_000;
  server.on('clientError', refuseBytes);
  return server.on('request', answerStarting);
}

function answerStarting(request: IncomingMessage, response: ServerResponse): void {
  const requestId = requestIdOf(request);
  commonHeaders(response, requestId, null);
  if (request.url === '/api/health') {
    sendJson(response, 200, { status: 'ok', checks: {} });
    return;
  }
  response.setHeader('retry-after', '1');
  const extensions = { code: 'SERVICE_UNAVAILABLE', retryable: true, retryAfterSeconds: 1, requestId };
  sendJson(response, 503, { errors: [{ message: 'The server is starting; try again.', extensions }] });
}

/** The HTTP side of the edge. */
export interface Served {
  /** Ends the streams, and resolves as soon as nothing is being answered. */
  idle(): Promise<void>;
}

/** Answers the requests of a server. */
export function serve(server: Server, parts: EdgeParts): Served {
  const road = roadOf(parts);
  const streams = streamsOf(parts, road);
  const routeParts: RouteParts = { ...parts, road, streams, issuer: heraldedIssuer(parts.app) };
  const answering = new Set<ServerResponse>();
  let quiet = () => {};
  server.off('request', answerStarting);
  server.on('request', (request, response) => {
    answering.add(response);
    response.once('close', () => {
      answering.delete(response);
      if (answering.size === 0) quiet();
    });
    void handle(routeParts, exchangeOf(request, response, parts.settings.trustedProxies));
  });
  return {
    async idle() {
      streams.close();
      if (answering.size > 0) await new Promise<void>((resolve) => (quiet = resolve));
    },
  };
}

async function handle(parts: RouteParts, exchange: Exchange): Promise<void> {
  const { app, settings } = parts;
  const { response, requestId } = exchange;
  const began = performance.now();
  commonHeaders(response, requestId, settings.publicUrl);
  if (parts.draining()) response.setHeader('connection', 'close');
  try {
    if (!answersPreflight(exchange, settings.corsOrigins)) await route(parts, exchange);
  } catch (error) {
    refuse(app, exchange, error);
  }
  report(app.log, exchange, performance.now() - began);
}

const maxName = 100;

/** One line for each operation and each refusal. */
function report(log: Log, { requestId, operation, viewer, code, response, request, path }: Exchange, ms: number): void {
  if (!operation && !code) return;
  const what = operation
    ? { operation: operation.slice(0, maxName) }
    : { method: request.method, path: path.slice(0, maxName) };
  const who = { user: viewer?.userId ?? null, key: viewer?.apiKeyId ?? null };
  log.info(operation ? 'operation' : 'refused', {
    requestId,
    ...what,
    ...who,
    ms: Math.round(ms * 100) / 100,
    status: response.statusCode,
    code,
  });
}
