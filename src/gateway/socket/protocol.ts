import { type ExecutionArgs, type ExecutionResult, GraphQLError } from 'graphql';
import { type ConnectionInitMessage, type Context, makeServer, type SubscribePayload } from 'graphql-ws';
import type { Ctx } from '../../core/context.js';
import { contextFor } from '../../core/operation.js';
import type { ErrorCode } from '../../generated/graphql.js';
import { operationOf } from '../documents.js';
import { type EdgeParts, maySeeSchema } from '../edge.js';
import { subscribe } from '../execution/subscribe.js';
import { formatError, knownError } from '../format-error.js';
import { type Connection, confirm, type connectionList, credentialsOf, forbid } from './connection.js';
import { asGraphqlError, confirmed } from './results.js';
import { close, type Protocol } from './transport.js';

const initMs = 3_000;
const maxSubscriptions = 100;
const maxName = 100;
/** Tells clients to come back later; from the registry of RFC 6455. */
const tryAgainLater = 1013;

type Params = ConnectionInitMessage['payload'];
type Client = Context<Params, Connection>;

/** graphql-transport-ws over our own road: the same authentication, limits, documents and errors as HTTP. Only subscriptions run. */
export function protocolOf(parts: EdgeParts, connections: ReturnType<typeof connectionList>): Protocol {
  const { app, schema, documents, settings } = parts;

  async function admit(connection: Connection, params: Params): Promise<boolean> {
    connection.credentials = credentialsOf(connection, params, settings);
    try {
      if (!(await confirm(app, connection))) return false;
      connections.add(connection);
      return true;
    } catch (error) {
      const known = knownError(error);
      if (!known) throw error;
      if (known.code === 'OVERLOADED') forbid(app, connection, known.message);
      else close(connection.socket, tryAgainLater, known.message);
      return false;
    }
  }

  function prepare(
    { extra: connection, subscriptions }: Client,
    { query, operationName, variables }: SubscribePayload,
  ): ExecutionArgs | readonly GraphQLError[] {
    if (Object.keys(subscriptions).length > maxSubscriptions)
      return [refusal('RATE_LIMITED', `A connection has at most ${maxSubscriptions} subscriptions.`)];
    const { viewer, request } = connection;
    const prepared = documents.prepare(query, maySeeSchema(settings, viewer));
    if ('errors' in prepared) return prepared.errors;
    const operation = operationOf(prepared.document, operationName);
    if (operation instanceof GraphQLError) return [operation];
    if (operation.operation !== 'subscription')
      return [refusal('BAD_REQUEST', 'Only subscriptions run over WebSocket; send queries and mutations by POST.')];
    const name = operation.name?.value ?? null;
    const who = { user: viewer?.userId ?? null, key: viewer?.apiKeyId ?? null };
    app.log.info('subscription', {
      requestId: request.requestId,
      operation: name?.slice(0, maxName) ?? 'subscription',
      ...who,
    });
    return {
      schema,
      document: prepared.document,
      operationName: name,
      variableValues: variables ?? null,
      contextValue: contextFor(app, viewer, request, { connection }),
    };
  }

  async function stream(args: ExecutionArgs): Promise<AsyncGenerator<ExecutionResult, void, void> | ExecutionResult> {
    const ctx = args.contextValue as Ctx & { readonly connection: Connection }; // as `prepare` made it
    const { connection } = ctx;
    const operation = operationOf(args.document, args.operationName);
    if (operation instanceof GraphQLError) return { errors: [operation] };
    try {
      const results = await subscribe(schema, {
        document: args.document,
        operation,
        variables: args.variableValues,
        ctx,
      });
      return Symbol.asyncIterator in results ? confirmed(results, () => confirm(app, connection)) : results;
    } catch (error) {
      return { errors: [asGraphqlError(error)] };
    }
  }

  const shown = ({ extra }: Client, errors: readonly GraphQLError[]) =>
    errors.map((error) => formatError(error, extra.request.requestId, app.log));

  return makeServer<Params, Connection>({
    connectionInitWaitTimeout: initMs,
    onConnect: ({ extra, connectionParams }) => admit(extra, connectionParams),
    onSubscribe: (client, _, payload) => prepare(client, payload),
    subscribe: stream,
    onError: (client, _, __, errors) => shown(client, errors),
    onNext: (client, _, __, ___, { errors, ...result }) =>
      errors ? { ...result, errors: shown(client, errors) } : result,
  });
}

const refusal = (code: ErrorCode, message: string) => new GraphQLError(message, { extensions: { code } });
