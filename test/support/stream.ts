import { setTimeout as sleep } from 'node:timers/promises';

/** An answer over HTTP that goes on, read piece by piece. */
export type TestStream = Awaited<ReturnType<typeof streamFrom>>;

const patienceMs = 15_000;

/** Asks for one and reads what it says; stops where it does not begin. */
export async function streamFrom(url: string, init: RequestInit = {}) {
  const control = new AbortController();
  const response = await fetch(url, { ...init, signal: control.signal });
  let text = '';
  let isOver = false;
  const over = read().finally(() => {
    isOver = true;
  });

  async function read(): Promise<'ended' | 'broken'> {
    const decoder = new TextDecoder();
    try {
      for await (const chunk of response.body ?? []) {
        text += decoder.decode(chunk, { stream: true });
      }
      return 'ended';
    } catch {
      return 'broken';
    }
  }

  return {
    response,
    /** All that was said so far. */
    text: () => text,
    /** Waits until something that fits has been said; answers it. */
    async says(fits: RegExp): Promise<RegExpExecArray> {
      const until = Date.now() + patienceMs;
      for (;;) {
        const found = fits.exec(text);
        if (found) return found;
        if (isOver || Date.now() > until) throw new Error(`That was not said, but: ${text.slice(-2_000)}`);
        await Promise.race([over, sleep(20)]);
      }
    },
    /** How the server ended it. */
    over,
    /** Goes away. */
    leave: () => control.abort(),
  };
}
