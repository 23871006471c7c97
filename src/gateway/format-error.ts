import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { AppError } from '../core/errors.js';
import type { ErrorCode } from '../generated/graphql.js';
import { outage } from '../platform/database/outage.js';
import type { Log } from '../platform/log.js';

/** What went wrong below GraphQL's own wrapping. */
export function causeOf(error: unknown): unknown {
  let cause = error;
  while (cause instanceof GraphQLError && cause.originalError) cause = cause.originalError;
  return cause;
}

/** The error as the product names it, when the cause is a dependency that fails in a known way. */
export function knownError(cause: unknown): AppError | null {
  if (cause instanceof AppError) return cause;
  const database = outage(cause);
  if (database === 'down')
    return new AppError('SERVICE_UNAVAILABLE', 'The database cannot be reached; try again.', {
      retryable: true,
      retryAfterSeconds: 1,
    });
  if (database === 'slow') return new AppError('GATEWAY_TIMEOUT', 'The database took too long.', { retryable: true });
  if (database === 'text') return new AppError('BAD_USER_INPUT', 'A value is of a form that nothing here can have.');
  return null;
}

const maxMessage = 300;

/** A message as long as a message may be: those of GraphQL repeat what they were sent. */
export const shortened = (message: string) =>
  message.length > maxMessage ? `${message.slice(0, maxMessage - 1).toWellFormed()}…` : message;

/** What GraphQL adds of names that exist. */
const suggestion = / Did you mean .*$/s;

/** What a caller gets to see of an error: all of an AppError and of GraphQL's own, nothing of any other, whose cause goes to the log. */
export function formatError(error: GraphQLError, requestId: string, log: Log): GraphQLFormattedError {
  const { message, locations, path } = error;
  const shown = (text: string, code: ErrorCode, more: object = {}) => ({
    message: shortened(text),
    ...(locations && { locations }),
    ...(path && { path }),
    extensions: { code, ...more, requestId },
  });
  const cause = causeOf(error);
  const known = knownError(cause);
  if (known) return shown(known.message, known.code, known.details);
  if (cause instanceof GraphQLError)
    return shown(
      message.replace(suggestion, ''),
      (cause.extensions?.['code'] as ErrorCode | undefined) ?? 'BAD_USER_INPUT',
    );
  log.error('An operation failed.', { requestId, path, error: cause });
  return shown('Internal server error', 'INTERNAL_SERVER_ERROR');
}

const statuses: Partial<Record<ErrorCode, number>> = {
  UNAUTHENTICATED: 401,
  RATE_LIMITED: 429,
  SERVICE_UNAVAILABLE: 503,
  OVERLOADED: 503,
  GATEWAY_TIMEOUT: 504,
  INTERNAL_SERVER_ERROR: 500,
  METHOD_NOT_ALLOWED: 405,
  PAYLOAD_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  CONFLICT: 409,
};

/** The value of Retry-After for a refusal; null for those that time does not heal. */
export function retryAfter(code: unknown, seconds: unknown): string | null {
  if (typeof seconds === 'number') return String(Math.ceil(seconds));
  return code === 'SERVICE_UNAVAILABLE' || code === 'OVERLOADED' || code === 'RATE_LIMITED' ? '1' : null;
}

/** The HTTP status of a request that failed as a whole. */
export const statusOf = (code: ErrorCode): number => statuses[code] ?? 400;

/** The statuses by which a failed dependency or a defect shows through, even where the answer has the form of GraphQL. */
export const faultStatus = (code: unknown): number | null => {
  const status = statuses[code as ErrorCode] ?? 0;
  return status === 429 || status >= 500 ? status : null;
};
