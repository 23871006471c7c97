/** Stops asking a service that fails. */
export interface Breaker {
  /**
   * Calls, unless the service failed five times without an answer between: then it rests for ten seconds, in which callers fail at once, and again after
   * every failure until it answers.
   */
  call<T>(work: () => Promise<T>): Promise<T>;
}

const restMs = 10_000;
const most = 5;

/** `failure` makes the error that callers see, of what the service answered; of null while it rests. */
export function breaker(failure: (cause: unknown) => Error, now: () => number = () => performance.now()): Breaker {
  let failures = 0;
  let restsUntil = Number.NEGATIVE_INFINITY;
  return {
    async call(work) {
      if (now() < restsUntil) throw failure(null);
      try {
        const value = await work();
        failures = 0;
        return value;
      } catch (cause) {
        failures += 1;
        if (failures >= most) restsUntil = now() + restMs;
        throw failure(cause);
      }
    },
  };
}
