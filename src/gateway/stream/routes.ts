import { AppError } from '../../core/errors.js';
import type { EdgeParts } from '../edge.js';
import { faultStatus, retryAfter } from '../format-error.js';
import { type Parameters, parametersOf } from '../http/parameters.js';
import { notAllowed } from '../http/refuse.js';
import { type Exchange, send, sendJson } from '../http/request.js';
import type { Road } from '../subscriptions/road.js';
import { distinctEvents, type Form, parts } from './form.js';
import type { Streams } from './streams.js';

const tokenHeader = 'x-graphql-event-stream-token';
const maxOperationId = 128;

/** What streams are answered with. */
export interface StreamParts extends EdgeParts {
  readonly road: Road;
  readonly streams: Streams;
}

/** Answers /graphql/stream by the protocol of graphql-sse, in both of its modes. Whatever it throws is of the request as a whole. */
export async function answerStream({ app, road, streams }: StreamParts, exchange: Exchange): Promise<void> {
  const { request, response, search } = exchange;
  const { method } = request;
  const params = new URLSearchParams(search);
  const token = request.headersDistinct[tokenHeader]?.[0] ?? params.get('token');

  /** The token names a stream, and is no credential: a request also shows who it is from. */
  function stream() {
    if (token !== null) return streams.named(exchange, token);
    throw new AppError('BAD_REQUEST', 'Accept text/event-stream, or name a stream by its token.');
  }

  async function begin(): Promise<void> {
    const asked = await parametersOf(exchange);
    const id = operationIdOf(asked.extensions?.['operationId']);
    const { requestId, ip } = exchange;
    const on = stream();
    if (on.has(id)) throw new AppError('CONFLICT', 'There is an operation of this id on the stream.');
    const prepared = road.prepare(on.connection, asked, on.running + 1, { requestId, ip });
    if (isRefused(prepared)) {
      const errors = road.shown(prepared, requestId);
      const code = errors[0]?.extensions?.['code'];
      exchange.code = code as Exchange['code'];
      const after = retryAfter(code, null);
      if (after !== null) response.setHeader('retry-after', after);
      return sendJson(response, faultStatus(code) ?? 400, { errors });
    }
    on.run(id, prepared).catch((error: unknown) => {
      app.log.error('A subscription failed.', { requestId, error });
      on.connection.socket.close(1011, 'Internal server error');
    });
    response.statusCode = 202;
    response.end();
  }

  if (method === 'PUT') return send(response, 201, 'text/plain; charset=utf-8', await streams.reserve(exchange));
  if (method === 'DELETE') {
    stream().stop(operationIdOf(params.get('operationId')));
    response.end();
    return;
  }
  if (method !== 'GET' && method !== 'POST') throw notAllowed(exchange, 'GET, POST, PUT, DELETE');
  if (!takesEvents(request.headers.accept)) return begin();
  if (token === null) return follow({ road, streams }, exchange, await parametersOf(exchange), distinctEvents);
  const reserved = stream();
  if (reserved.isAnswered) throw new AppError('CONFLICT', 'The stream is open already.');
  reserved.answer(response);
}

/** Whether a client reads subscriptions as parts of an answer. */
export const takesParts = (accept: string | undefined) =>
  /multipart\/mixed\b.*\bsubscriptionSpec\b/i.test(accept ?? '');

/** Answers a subscription at POST /graphql in parts, as Apollo's clients ask for it. */
export const answerInParts = (
  streamParts: Pick<StreamParts, 'road' | 'streams'>,
  exchange: Exchange,
  asked: Parameters,
) => follow(streamParts, exchange, asked, parts);

/** Answers one subscription, for as long as it goes on. */
async function follow(
  { road, streams }: Pick<StreamParts, 'road' | 'streams'>,
  exchange: Exchange,
  asked: Parameters,
  form: Form,
): Promise<void> {
  const stream = await streams.open(exchange, form);
  stream.answer(exchange.response);
  const prepared = road.prepare(stream.connection, asked, 1);
  if (isRefused(prepared)) {
    await stream.say(form.next('', { errors: road.shown(prepared, exchange.requestId) }));
    await stream.say(form.complete(''));
  } else await stream.run('', prepared);
  stream.end();
}

const isRefused = (prepared: ReturnType<Road['prepare']>): prepared is Extract<typeof prepared, readonly unknown[]> =>
  Array.isArray(prepared);

const takesEvents = (accept: string | undefined) => /\btext\/event-stream\b/i.test(accept ?? '');

function operationIdOf(value: unknown): string {
  if (typeof value === 'string' && value !== '' && value.length <= maxOperationId) return value;
  throw new AppError('BAD_REQUEST', `operationId must be text of 1 to ${maxOperationId} characters.`);
}
