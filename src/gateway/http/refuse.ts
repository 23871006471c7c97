import type { App } from '../../core/context.js';
import { AppError } from '../../core/errors.js';
import { knownError, retryAfter, shortened, statusOf } from '../format-error.js';
import { type Exchange, sendJson } from './request.js';

/** How long the rest of a refused body is read and thrown away, so that its sender gets to see the refusal. */
const lingerMs = 5_000;

/** Answers a request that failed as a whole. */
export function refuse(app: App, exchange: Exchange, error: unknown): void {
  const { request, response, requestId } = exchange;
  // Nobody is there any more to be told.
  if (response.destroyed) return;
  const known = knownError(error);
  if (!known) app.log.error('A request failed.', { requestId, path: exchange.path, error });
  const { message, code, details } = known ?? new AppError('INTERNAL_SERVER_ERROR', 'Internal server error');
  exchange.code = code;
  if (response.headersSent) return void response.destroy();
  const status = statusOf(code);
  const after = retryAfter(code, details.retryAfterSeconds);
  if (after !== null) response.setHeader('retry-after', after);
  if (status === 401) response.setHeader('www-authenticate', 'Bearer');
  sendJson(response, status, {
    errors: [{ message: shortened(message), extensions: { code, ...details, requestId } }],
  });
  if (request.complete) return;
  request.resume();
  const late = setTimeout(() => request.destroy(), lingerMs).unref();
  request.once('close', () => clearTimeout(late));
}

/** The refusal of a method that a path does not take; says which it takes. */
export function notAllowed({ response }: Exchange, allow: string): AppError {
  response.setHeader('allow', allow);
  return new AppError('METHOD_NOT_ALLOWED', `Allowed are ${allow}.`);
}
