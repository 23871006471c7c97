import type { ErrorCode } from '../generated/graphql.js';
import { outage } from '../platform/database/outage.js';
import { AppError } from './errors.js';

/** What of a failure behind the requests may be told: never a word of an exception that was not meant to be seen. */
export interface Failure {
  readonly code: ErrorCode;
  /** At most 2,000 characters. */
  readonly message: string;
}

const longest = 2_000;

export function failureOf(error: unknown): Failure {
  if (error instanceof AppError) return { code: error.code, message: error.message.slice(0, longest) };
  if (outage(error)) return { code: 'SERVICE_UNAVAILABLE', message: 'Something it depends on was down.' };
  return { code: 'INTERNAL_SERVER_ERROR', message: 'It failed inside Canopy.' };
}
