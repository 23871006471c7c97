import { GraphQLError } from 'graphql';
import { AppError } from '../../core/errors.js';
import { contextFor } from '../../core/operation.js';
import { operationOf } from '../documents.js';
import { maySeeSchema } from '../edge.js';
import { run } from '../execution/run.js';
import { formatError } from '../format-error.js';
import { answerInParts, type StreamParts, takesParts } from '../stream/routes.js';
import { answerOf, failed } from './answer.js';
import { parametersOf } from './parameters.js';
import { type Exchange, send } from './request.js';
import { stringify } from './stringify.js';

export const modern = 'application/graphql-response+json';
const legacy = 'application/json';

/** Whether a client takes the newer media type, in which the HTTP status tells what became of the request. */
export const takesModern = (accept: string | undefined) => accept?.includes(modern) === true;

function mediaType(accept: string | undefined): string {
  if (takesModern(accept)) return modern;
  if (accept === undefined || takesParts(accept) || /\*\/\*|application\/(json|\*)/.test(accept)) return legacy;
  throw new AppError('BAD_REQUEST', `Accept must take ${modern} or ${legacy}.`);
}

/** Answers POST and GET /graphql. Whatever it throws is of the request as a whole. */
export async function answerGraphql(parts: StreamParts, exchange: Exchange): Promise<void> {
  const { app, schema, documents, settings } = parts;
  const { request, response, requestId } = exchange;
  const contentType = mediaType(request.headers.accept);
  const asked = await parametersOf(exchange);
  const { query, operationName, variables } = asked;
  const refuse = (errors: readonly GraphQLError[]) => {
    const shown = errors.map((error) => formatError(error, requestId, app.log));
    exchange.code = shown[0]?.extensions?.['code'] as typeof exchange.code;
    send(
      response,
      contentType === modern ? 400 : 200,
      `${contentType}; charset=utf-8`,
      `${JSON.stringify({ errors: shown })}\n`,
    );
  };
  const prepared = documents.prepare(query, maySeeSchema(settings, exchange.viewer));
  if ('errors' in prepared) return refuse(prepared.errors);
  const operation = operationOf(prepared.document, operationName);
  if (operation instanceof GraphQLError) return refuse([operation]);
  if (operation.operation === 'subscription' && takesParts(request.headers.accept))
    return answerInParts(parts, exchange, asked);
  exchange.operation = operation.name?.value ?? operation.operation;
  if (operation.operation === 'mutation' && request.method === 'GET') {
    response.setHeader('allow', 'POST');
    throw new AppError('METHOD_NOT_ALLOWED', 'Send mutations by POST.');
  }
  if (operation.operation === 'subscription') {
    const message = 'Subscriptions run over WebSocket, at /graphql/stream, and for those who accept them in parts.';
    return refuse([new GraphQLError(message, { extensions: { code: 'BAD_REQUEST' } })]);
  }
  const ctx = contextFor(app, exchange.viewer, { requestId, ip: exchange.ip });
  const { document } = prepared;
  const outcome = await run(schema, { document, operation, variables, ctx }).catch(failed);
  const { status, retryAfter, body } = answerOf(outcome, ctx, exchange, contentType === modern);
  if (retryAfter !== null) response.setHeader('retry-after', retryAfter);
  // Where no stored JSON can be, the engine's own way is the fastest.
  const text = prepared.answersJson ? stringify(body) : JSON.stringify(body);
  send(response, status, `${contentType}; charset=utf-8`, `${text}\n`);
}
