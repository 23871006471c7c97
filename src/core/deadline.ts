import { AppError } from './errors.js';

/** Throws GATEWAY_TIMEOUT once an operation's time is over: its caller has been told, and nothing may happen behind their back. */
export function assertInTime(deadline = Number.POSITIVE_INFINITY): void {
  if (performance.now() > deadline)
    throw new AppError('GATEWAY_TIMEOUT', 'It took too long; what was not done by then is left undone.', {
      retryable: true,
    });
}
