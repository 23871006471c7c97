/** Stops asking a service that fails. */
export interface Breaker {
  /** Calls, unless the service failed five times within ten seconds: then it rests for as long, and callers fail at once. */
  call<T>(work: () => Promise<T>): Promise<T>;
}

const windowMs = 10_000;
const most = 5;

/** `failure` makes the error that callers see, of what the service answered; of null while it rests. */
export function breaker(failure: (cause: unknown) => Error, now: () => number = () => performance.now()): Breaker {
  let failures: number[] = [];
  let restsUntil = Number.NEGATIVE_INFINITY;
  return {
    async call(work) {
      if (now() < restsUntil) throw failure(null);
      try {
        const value = await work();
        failures = [];
        return value;
      } catch (cause) {
        failures = [...failures.filter((at) => at > now() - windowMs), now()];
        if (failures.length >= most) restsUntil = now() + windowMs;
        throw failure(cause);
      }
    },
  };
}
