/** Waits between tries: longer after each failure, and never the same for two clients, so that those whom one server lost do not come back all at once. */
export interface BackOff {
  /** Resolves when it is time to try again, or when `signal` is aborted. All who wait at the same time wait for the same moment. */
  wait(signal: AbortSignal): Promise<void>;
  /** All is well: the next pause is the shortest again. */
  reset(): void;
}

/** How long the first pause is, and the longest, in milliseconds; each is drawn between its half and its whole. */
export interface Pauses {
  readonly leastMs: number;
  readonly mostMs: number;
}

export function backOff({ leastMs, mostMs }: Pauses, random: () => number = Math.random): BackOff {
  let failures = 0;
  let pause: Promise<void> | null = null;
  return {
    wait(signal) {
      pause ??= sleep(Math.min(leastMs * 2 ** failures++, mostMs) * (0.5 + random() / 2)).finally(() => {
        pause = null;
      });
      return unlessAborted(pause, signal);
    },
    reset() {
      failures = 0;
    },
  };
}

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

function unlessAborted(pause: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const go = () => {
      signal.removeEventListener('abort', go);
      resolve();
    };
    signal.addEventListener('abort', go);
    void pause.then(go);
    if (signal.aborted) go();
  });
}
