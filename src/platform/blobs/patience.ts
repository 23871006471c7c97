import { type Readable, Transform } from 'node:stream';

/**
 * Answers what `work` does, or rejects after so many milliseconds, whatever the work makes of its signal: the client of a store takes up again what has
 * failed, with pauses in which it hears nothing.
 */
export function within<T>(ms: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  return endedBy(work, (end) => {
    const timer = setTimeout(() => end(new Error(`The store did not answer within ${ms} ms.`)), ms);
    return () => clearTimeout(timer);
  });
}

/** The same for work that takes a body: it may last, as long as it does not leave for so long what is there to be taken. Ends when the body fails. */
export function whileTaken<T>(
  ms: number,
  body: Readable,
  work: (body: Readable, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  let takenAt = performance.now();
  const taken = new Transform({
    transform(chunk: Buffer, _, done) {
      takenAt = performance.now();
      done(null, chunk);
    },
  });
  const begin = (end: (reason: Error) => void) => {
    body.once('error', end);
    const looking = setInterval(() => {
      // A sender who is slow is not the store's fault.
      const waits = body.readableEnded || taken.readableLength + taken.writableLength > 0;
      if (waits && performance.now() - takenAt > ms) end(new Error(`The store took nothing for ${ms} ms.`));
    }, ms / 20);
    return () => {
      clearInterval(looking);
      body.off('error', end).unpipe(taken);
      taken.destroy();
    };
  };
  return endedBy((signal) => work(body.pipe(taken), signal), begin);
}

/** Runs work that `begin` can end at any time, with an aborted signal; answers how `begin` is undone. */
async function endedBy<T>(
  work: (signal: AbortSignal) => Promise<T>,
  begin: (end: (reason: Error) => void) => () => void,
): Promise<T> {
  const controller = new AbortController();
  let undo = () => {};
  const ended = new Promise<never>((_, reject) => {
    undo = begin((reason) => {
      reject(reason);
      controller.abort();
    });
  });
  try {
    return await Promise.race([work(controller.signal), ended]);
  } finally {
    undo();
  }
}
