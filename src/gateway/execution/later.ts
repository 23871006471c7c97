/** A value, or a promise of it where something has to be waited for: most of an answer is there at once. */
export type Later<T> = T | Promise<T>;

export function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}

// What waits has functions of its own: with a closure in them, those for every value would allocate for every value.
export const fillIn = (answer: Record<string, unknown>, key: string, value: Promise<unknown>): Promise<void> =>
  value.then((known) => void (answer[key] = known));

export const onceFilled = (
  answer: Record<string, unknown>,
  waiting: readonly Promise<void>[],
): Promise<Record<string, unknown>> => Promise.all(waiting).then(() => answer);

/** Fails once all that was begun has come to its end: nothing may fail later with nobody there to hear it. */
export function endWith(error: unknown, waiting: readonly unknown[] | null): Promise<never> {
  if (!waiting) throw error;
  return Promise.allSettled(waiting).then(() => {
    throw error;
  });
}
