import type { App } from '../../core/context.js';
import { AppError } from '../../core/errors.js';
import { NoSuchUpload } from '../../platform/blobs/blobs.js';

/** Seconds after which a store that failed is worth another try. */
const retryAfterSeconds = 5;

/** What work with the blobs answers. Their trouble is SERVICE_UNAVAILABLE, and in the log; an upload that has ended is NOT_FOUND. */
export async function fromStore<T>({ log }: App, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof AppError) throw error;
    if (error instanceof NoSuchUpload) throw new AppError('NOT_FOUND', 'Not found.');
    log.error('The blobs do not answer.', { error });
    throw new AppError('SERVICE_UNAVAILABLE', 'Files cannot be reached; try again.', {
      retryable: true,
      retryAfterSeconds,
    });
  }
}
