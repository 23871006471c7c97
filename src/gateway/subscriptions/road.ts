import { type ExecutionArgs, type ExecutionResult, GraphQLError, type GraphQLFormattedError } from 'graphql';
import type { Ctx, RequestInfo } from '../../core/context.js';
import { contextFor } from '../../core/operation.js';
import type { ErrorCode } from '../../generated/graphql.js';
import { keptSession } from '../client-session.js';
import { operationOf } from '../documents.js';
import { type EdgeParts, maySeeSchema } from '../edge.js';
import { subscribe } from '../execution/subscribe.js';
import { formatError } from '../format-error.js';
import { type Connection, confirm } from '../socket/connection.js';
import { asGraphqlError, confirmed } from './results.js';

const maxName = 100;

/** What a client asks to follow. */
export interface Asked {
  readonly query: string;
  readonly operationName?: string | null | undefined;
  readonly variables?: Readonly<Record<string, unknown>> | null | undefined;
  /** `sessionId`: the session that the client says it is in. */
  readonly extensions?: Readonly<Record<string, unknown>> | null | undefined;
}

/** What comes of a subscription, as its client gets to see it. */
export interface Told extends Omit<ExecutionResult, 'errors'> {
  readonly errors?: readonly GraphQLFormattedError[];
}

/** The one road of subscriptions, whatever carries them: the limits, documents, errors and credentials of every other operation. */
export interface Road {
  /** A subscription that may begin, or what is wrong with it. `running` counts those of the connection, this one included. */
  prepare(
    connection: Connection,
    asked: Asked,
    running: number,
    request?: RequestInfo,
  ): ExecutionArgs | readonly GraphQLError[];
  /** Begins what was prepared, in the session of its client. Before each result is given out, the connection's credential is asked for again. */
  begin(args: ExecutionArgs): Promise<AsyncGenerator<ExecutionResult, void, void> | ExecutionResult>;
  /** Begins what was prepared and hands over every result, the next once the one before was taken; until the end, or until `signal` is aborted. */
  tell(args: ExecutionArgs, take: (result: Told) => Promise<void>, signal: AbortSignal): Promise<void>;
  shown(errors: readonly GraphQLError[], requestId: string): GraphQLFormattedError[];
}

/** As `prepare` made it. */
type OwnCtx = Ctx & { readonly connection: Connection; readonly inSession: unknown };

/** The road of a gateway. */
export function roadOf({ app, schema, documents, settings, limits }: EdgeParts): Road {
  function prepare(
    connection: Connection,
    { query, operationName, variables, extensions }: Asked,
    running: number,
    request = connection.request,
  ): ExecutionArgs | readonly GraphQLError[] {
    if (running > limits.subscriptions)
      return [refusal('RATE_LIMITED', `A connection has at most ${limits.subscriptions} subscriptions.`)];
    const { viewer } = connection;
    const prepared = documents.prepare(query, maySeeSchema(settings, viewer));
    if ('errors' in prepared) return prepared.errors;
    const operation = operationOf(prepared.document, operationName);
    if (operation instanceof GraphQLError) return [operation];
    if (operation.operation !== 'subscription')
      return [refusal('BAD_REQUEST', 'Only subscriptions run here; send queries and mutations by POST to /graphql.')];
    const name = operation.name?.value ?? null;
    app.log.info('subscription', {
      requestId: request.requestId,
      operation: name?.slice(0, maxName) ?? 'subscription',
      user: viewer?.userId ?? null,
      key: viewer?.apiKeyId ?? null,
    });
    return {
      schema,
      document: prepared.document,
      operationName: name,
      variableValues: variables ?? null,
      contextValue: contextFor(app, viewer, request, { connection, inSession: extensions?.['sessionId'] }),
    };
  }

  async function begin(args: ExecutionArgs): Promise<AsyncGenerator<ExecutionResult, void, void> | ExecutionResult> {
    const ctx = args.contextValue as OwnCtx;
    const operation = operationOf(args.document, args.operationName);
    if (operation instanceof GraphQLError) return { errors: [operation] };
    try {
      await keptSession(ctx, ctx.connection.sessionId, ctx.inSession);
      const results = await subscribe(schema, {
        document: args.document,
        operation,
        variables: args.variableValues,
        ctx,
      });
      return Symbol.asyncIterator in results ? confirmed(results, () => confirm(app, ctx.connection)) : results;
    } catch (error) {
      return { errors: [asGraphqlError(error)] };
    }
  }

  async function tell(args: ExecutionArgs, take: (result: Told) => Promise<void>, signal: AbortSignal): Promise<void> {
    const { requestId } = (args.contextValue as OwnCtx).request;
    const show = ({ errors, ...result }: ExecutionResult): Told =>
      errors ? { ...result, errors: shown(errors, requestId) } : result;
    const results = await begin(args);
    if (!(Symbol.asyncIterator in results)) return signal.aborted ? undefined : take(show(results));
    // It may wait for an event that never comes; what follows it is freed at once.
    const leave = () => {
      results
        .return()
        .catch((error: unknown) => app.log.error('A subscription did not end well.', { requestId, error }));
    };
    if (signal.aborted) return leave();
    signal.addEventListener('abort', leave, { once: true });
    for await (const result of results) {
      if (!signal.aborted) await take(show(result));
    }
  }

  const shown = (errors: readonly GraphQLError[], requestId: string) =>
    errors.map((error) => formatError(error, requestId, app.log));

  return { prepare, begin, tell, shown };
}

const refusal = (code: ErrorCode, message: string) => new GraphQLError(message, { extensions: { code } });
