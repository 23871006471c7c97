import type { ErrorCode } from '../generated/graphql.js';

/** What may travel with an error besides its code and message. */
export interface ErrorDetails {
  /** For BAD_USER_INPUT: which argument broke which rule. For CONFLICT: which is taken. */
  readonly fields?: readonly { readonly path: string; readonly message: string }[];
  /** For CONFLICT: the version that stands. */
  readonly currentVersion?: number;
  /** For RATE_LIMITED, SERVICE_UNAVAILABLE: seconds until the next try can succeed. */
  readonly retryAfterSeconds?: number;
  /** Whether the same call may succeed later without a change. */
  readonly retryable?: boolean;
  /** For SERVICE_UNAVAILABLE that ends a subscription: what to send as `after` elsewhere; null: what was sent at first. */
  readonly resumeFrom?: string | null;
  /** For a batch: which operation failed. */
  readonly index?: number;
  /** For a batch: what became of each operation. */
  readonly results?: readonly object[];
}

/** An error the caller is meant to see. Anything else that is thrown becomes INTERNAL_SERVER_ERROR. */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message);
    this.code = code;
    this.details = details;
  }
}

/** BAD_USER_INPUT for one argument. */
export function badInput(path: string, message: string): AppError {
  return new AppError('BAD_USER_INPUT', `${path}: ${message}`, { fields: [{ path, message }] });
}

/** What a viewer gets for a thing that does not exist, and for one they may not know of: the same. */
export function notFound(): AppError {
  return new AppError('NOT_FOUND', 'Not found.');
}

/** CONFLICT for a change of a version that has moved on; `what` begins the sentence. */
export function staleVersion(what: string, currentVersion: number): AppError {
  return new AppError('CONFLICT', `${what} is at version ${currentVersion}.`, { currentVersion });
}

/** CONFLICT for a change that would leave a space or an organization without an OWNER. */
export function lastOwner(): AppError {
  return new AppError('CONFLICT', 'The last OWNER stays; give the role to someone else first.');
}
