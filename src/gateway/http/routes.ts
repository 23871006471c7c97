import { AppError } from '../../core/errors.js';
import type { Issuer } from '../../platform/issuer/issuer.js';
import { authenticate } from '../authenticate.js';
import { type EdgeParts, maySeeSchema } from '../edge.js';
import { answerStream, type StreamParts } from '../stream/routes.js';
import { goingAway } from '../stream/streams.js';
import { answerOverHttp } from './auth.js';
import { answerBlob } from './blob.js';
import { answerCron } from './cron.js';
import { cookiesCount } from './csrf.js';
import { answerData } from './data.js';
import { answerGraphql } from './graphql.js';
import { answerHealth, isHealth } from './health.js';
import { notAllowed } from './refuse.js';
import { type Exchange, send } from './request.js';

/** What the routes are made of. */
export interface RouteParts extends StreamParts {
  /** The embedded issuer, which tells every process of the sessions that it ends. */
  readonly issuer: Issuer;
}

/** Answers a request at the path it asks for. What it throws is of the request as a whole. */
export async function route(parts: RouteParts, exchange: Exchange): Promise<void> {
  const { app, schema, documents, settings } = parts;
  const { request, response, path, requestId } = exchange;
  if (isHealth(path)) return answerHealth(app, parts.draining, exchange);
  if (parts.draining()) throw goingAway();
  if (path === '/graphql') {
    if (request.method !== 'POST' && request.method !== 'GET') throw notAllowed(exchange, 'GET, POST');
    await signIn(parts, exchange);
    return answerGraphql(parts, exchange);
  }
  if (path === '/graphql/stream') {
    await signIn(parts, exchange);
    return answerStream(parts, exchange);
  }
  if (path.startsWith('/api/data/')) {
    await signIn(parts, exchange);
    return answerData(app, schema, documents, exchange);
  }
  if (path.startsWith('/api/blob/')) return answerBlob(app, exchange);
  if (path === '/api/auth' || path.startsWith('/api/auth/')) {
    if (request.method !== 'POST' && request.method !== 'GET') throw notAllowed(exchange, 'GET, POST');
    return answerOverHttp(parts.issuer, request, response, { address: exchange.ip ?? 'unknown', requestId });
  }
  if (path.startsWith('/api/cron/') && settings.cronSecret) return answerCron(parts, settings.cronSecret, exchange);
  if (path === '/schema.graphql' && isRead(request.method)) {
    await signIn(parts, exchange);
    if (maySeeSchema(settings, exchange.viewer))
      return send(response, 200, 'application/graphql; charset=utf-8', parts.sdl);
  }
  if ((path === '/' || path.startsWith('/graphiql')) && (await parts.graphiql(request, response, path))) return;
  throw new AppError('NOT_FOUND', 'There is nothing at this address.');
}

const isRead = (method: string | undefined) => method === 'GET' || method === 'HEAD';

async function signIn({ app, settings }: EdgeParts, exchange: Exchange): Promise<void> {
  const { requestId, ip } = exchange;
  const { authorization, cookie } = exchange.request.headers;
  if (authorization === undefined && cookie === undefined) return;
  const cookiesAllowed = cookiesCount(exchange.request, settings.corsOrigins);
  exchange.viewer = await authenticate(app, { authorization, cookie, cookiesAllowed }, { requestId, ip });
}
