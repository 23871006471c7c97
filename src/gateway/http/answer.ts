import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import type { Ctx } from '../../core/context.js';
import { maxErrors } from '../documents.js';
import type { Outcome } from '../execution/state.js';
import { faultStatus, formatError, retryAfter } from '../format-error.js';
import type { Exchange } from './request.js';

/** An answer as it goes over HTTP. */
export interface Answer {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly body: {
    readonly data?: Outcome['data'];
    readonly errors?: readonly GraphQLFormattedError[];
    readonly extensions?: Readonly<Record<string, unknown>>;
  };
}

/** What came out of an operation as the caller gets to see it. With the `modern` media type, the status tells of a request that was refused as a whole. */
export function answerOf({ data, errors }: Outcome, ctx: Ctx, exchange: Exchange, modern: boolean): Answer {
  const extensions = ctx.degraded.size > 0 ? { extensions: { degraded: [...ctx.degraded] } } : null;
  if (!errors || errors.length === 0)
    return { status: 200, retryAfter: null, body: extensions ? { data, ...extensions } : { data } };
  const whole = data == null;
  // Refused as a whole, a request may have any number of wrong variables.
  const told = whole ? errors.slice(0, maxErrors) : errors;
  const shown = told.map((error) => formatError(error, ctx.request.requestId, ctx.app.log));
  const code = shown[0]?.extensions?.['code'];
  exchange.code = code as Exchange['code'];
  const fault = whole || Object.values(data).every((value) => value === null) ? faultStatus(code) : null;
  return {
    status: fault ?? (data === undefined && modern ? 400 : 200),
    retryAfter: retryAfter(code, shown[0]?.extensions?.['retryAfterSeconds']),
    body: { ...(data !== undefined && { data }), errors: shown, ...extensions },
  };
}

/** What is thrown beside all fields is an error of the whole operation. */
export function failed(error: unknown): Outcome {
  if (error instanceof GraphQLError) return { errors: [error] };
  const originalError = error instanceof Error ? error : new Error(String(error));
  return { errors: [new GraphQLError(originalError.message, { originalError })] };
}
