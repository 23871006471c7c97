import type { Ctx } from './context.js';
import { AppError } from './errors.js';
import { leaving } from './leaving.js';

/**
 * Lets `return()` take effect while `items` waits; a bare generator would hold on until its next event. When the process is about to end, it ends
 * with SERVICE_UNAVAILABLE and the cursor of what was given out last, by `reached`, from which a follower misses nothing elsewhere.
 */
export function closable<T>(
  { app }: Ctx,
  items: AsyncGenerator<T>,
  closing: AbortController,
  reached: () => string | null,
): AsyncIterableIterator<T> {
  let isClosed = false;
  const forget = leaving(app).listen(() => closing.abort());
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      let isOver = true;
      try {
        const item = leaving(app).isNow ? await items.return(undefined) : await items.next();
        isOver = item.done === true;
        if (isOver && !isClosed && leaving(app).isNow) throw goingAway(reached());
        return item;
      } finally {
        if (isOver) forget();
      }
    },
    async return() {
      isClosed = true;
      forget();
      closing.abort();
      return items.return(undefined);
    },
  };
}

const goingAway = (resumeFrom: string | null) =>
  new AppError('SERVICE_UNAVAILABLE', 'The server is shutting down; resume elsewhere.', {
    retryable: true,
    resumeFrom,
  });
