import { setImmediate } from 'node:timers/promises';
import { perApp } from './context.js';

/** Whether this process is about to end: who follows something in it is told, and goes on elsewhere. */
export const leaving = perApp(() => {
  const listeners = new Set<() => void>();
  let isNow = false;
  let quiet = () => {};
  return {
    get isNow() {
      return isNow;
    },
    /** How many listen. */
    get listeners() {
      return listeners.size;
    },
    /** Calls `told` when it begins, unless it has; the answer forgets it. */
    listen(told: () => void): () => void {
      listeners.add(told);
      return () => {
        listeners.delete(told);
        if (listeners.size === 0) quiet();
      };
    },
    /** Begins; resolves once everybody who listened has gone, and said so. */
    async begin(): Promise<void> {
      isNow = true;
      for (const told of [...listeners]) told();
      if (listeners.size > 0) await new Promise<void>((resolve) => (quiet = resolve));
      // What they say on leaving goes out at the end of this turn.
      await setImmediate();
    },
  };
});
