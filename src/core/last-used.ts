import { type App, perApp } from './context.js';

const flushMs = 1_000;
const maxWaiting = 10_000;

/** When things were last used: noted in memory, written down in batches off the path of the answer, never a reason to fail one. */
export interface Uses {
  note(id: string): void;
  /** Writes down what waits; to be called when the process stops. */
  flush(): Promise<void>;
}

/** The uses of `what`; `text` writes them down, of ids as `$1` and their instants as `$2`. */
export const usesOf = (what: string, text: string): ((app: App) => Uses) =>
  perApp(({ database, log, now }) => {
    const noted = new Map<string, string>();
    let timer: NodeJS.Timeout | null = null;

    async function flush(): Promise<void> {
      if (timer) clearTimeout(timer);
      timer = null;
      if (noted.size === 0) return;
      const values = [[...noted.keys()], [...noted.values()]];
      noted.clear();
      try {
        await database.query(text, values);
      } catch (error) {
        // The next use is noted again.
        log.warn(`Times of last use of ${what} could not be written.`, { error });
      }
    }

    return {
      note(id) {
        if (noted.size >= maxWaiting) return;
        noted.set(id, now().toISOString());
        timer ??= setTimeout(flush, flushMs).unref();
      },
      flush,
    };
  });
