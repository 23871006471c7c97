import { GraphQLError } from 'graphql';
import { AppError } from '../../core/errors.js';
import { isObject } from '../../core/json.js';
import { contextFor } from '../../core/operation.js';
import { operationOf } from '../documents.js';
import { type EdgeParts, maySeeSchema } from '../edge.js';
import { run } from '../execution/run.js';
import { formatError } from '../format-error.js';
import { answerOf, failed } from './answer.js';
import { assertJson, parseObject, readBody } from './body.js';
import { assertNotForged } from './csrf.js';
import { type Exchange, send } from './request.js';
import { stringify } from './stringify.js';

/** The parameters of a GraphQL request, each of the right type. */
interface GraphqlRequest {
  readonly query: string;
  readonly operationName: string | undefined;
  readonly variables: Record<string, unknown> | undefined;
}

export const modern = 'application/graphql-response+json';
const legacy = 'application/json';

/** Whether a client takes the newer media type, in which the HTTP status tells what became of the request. */
export const takesModern = (accept: string | undefined) => accept?.includes(modern) === true;

function mediaType(accept: string | undefined): string {
  if (takesModern(accept)) return modern;
  if (accept === undefined || /\*\/\*|application\/(json|\*)/.test(accept)) return legacy;
  throw new AppError('BAD_REQUEST', `Accept must take ${modern} or ${legacy}.`);
}

/** Answers POST and GET /graphql. Whatever it throws is of the request as a whole. */
export async function answerGraphql(
  { app, schema, documents, settings }: EdgeParts,
  exchange: Exchange,
): Promise<void> {
  const { request, response, requestId } = exchange;
  const contentType = mediaType(request.headers.accept);
  const { query, operationName, variables } =
    request.method === 'GET' ? fromSearch(exchange) : await fromBody(exchange);
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
  exchange.operation = operation.name?.value ?? operation.operation;
  if (operation.operation === 'mutation' && request.method === 'GET') {
    response.setHeader('allow', 'POST');
    throw new AppError('METHOD_NOT_ALLOWED', 'Send mutations by POST.');
  }
  if (operation.operation === 'subscription') {
    return refuse([new GraphQLError('Subscriptions run over WebSocket.', { extensions: { code: 'BAD_REQUEST' } })]);
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

async function fromBody({ request }: Exchange): Promise<GraphqlRequest> {
  assertJson(request);
  return checked(parseObject(await readBody(request)));
}

function fromSearch({ request, search }: Exchange): GraphqlRequest {
  assertNotForged(request);
  const params = new URLSearchParams(search);
  const json = (name: string) => {
    const text = params.get(name);
    return text ? parseObject(text, name) : undefined;
  };
  return checked({
    query: params.get('query') ?? undefined,
    operationName: params.get('operationName') || undefined,
    variables: json('variables'),
    extensions: json('extensions'),
  });
}

function checked({ query, operationName, variables, extensions }: Record<string, unknown>): GraphqlRequest {
  const fields = [
    ...(typeof query === 'string' && query.trim() !== ''
      ? []
      : [{ path: 'query', message: 'must be a document as text' }]),
    ...(operationName == null || typeof operationName === 'string'
      ? []
      : [{ path: 'operationName', message: 'must be text' }]),
    ...(variables == null || isObject(variables) ? [] : [{ path: 'variables', message: 'must be an object' }]),
    ...(extensions == null || isObject(extensions) ? [] : [{ path: 'extensions', message: 'must be an object' }]),
  ];
  if (fields.length > 0)
    throw new AppError('BAD_REQUEST', fields.map(({ path, message }) => `${path} ${message}`).join('; '), { fields });
  return {
    query: query as string,
    operationName: (operationName as string | null | undefined) ?? undefined,
    variables: (variables as Record<string, unknown> | null | undefined) ?? undefined,
  };
}
