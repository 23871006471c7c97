import type { Followed } from '../../core/follow.js';
import type { Outcome } from './state.js';

/** How many of the events that somebody missed are answered before they are read: what they need of the database is then asked for together. */
const mostAhead = 32;
/** What has waited longer for its reader is answered again. */
const freshMs = 100;

interface Answered {
  readonly event: unknown;
  readonly outcome: Outcome;
  readonly at: number;
}

export const isFollowed = (events: AsyncIterator<unknown>): events is Followed<unknown> => 'stillHeard' in events;

/** What a subscription answers, in the order of its events. One that was missed is not waited for before the next is begun. */
export function answersAhead(
  events: Followed<unknown>,
  answer: (event: unknown) => Outcome | Promise<Outcome>,
): AsyncIterableIterator<Outcome> {
  const ahead: Promise<Answered | null>[] = [];
  const waiting: (() => void)[] = [];
  let isPulling = false;
  let isOver = false;

  async function answered(event: unknown): Promise<Answered> {
    const outcome = await answer(event);
    return { event, outcome, at: performance.now() };
  }

  function put(one: Promise<Answered | null>): void {
    // Heard of when its turn comes, if it still does.
    one.catch(() => null);
    ahead.push(one);
    wake();
  }

  function wake(): void {
    for (const one of waiting.splice(0)) one();
  }

  async function pull(): Promise<void> {
    if (isPulling) return;
    isPulling = true;
    try {
      while (!isOver && ahead.length < (events.isBehind() ? mostAhead : 1)) {
        const { done, value } = await events.next();
        // Told to end meanwhile, it says nothing more.
        if (done || isOver) isOver = true;
        else put(answered(value));
      }
    } catch (error) {
      isOver = true;
      put(Promise.reject(error));
    }
    isPulling = false;
    wake();
  }

  /** The answer, when it is of this moment or still to be given; null when the viewer may not hear of it any more. */
  async function fresh({ event, outcome, at }: Answered): Promise<Outcome | null> {
    if (!(await events.stillHeard(event))) return null;
    return performance.now() - at < freshMs ? outcome : answer(event);
  }

  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      for (;;) {
        pull();
        while (ahead.length === 0 && !isOver) await new Promise<void>((resolve) => waiting.push(resolve));
        const one = await ahead.shift();
        if (!one) return { done: true, value: undefined };
        const value = await fresh(one);
        if (value) return { done: false, value };
      }
    },
    async return() {
      isOver = true;
      ahead.length = 0;
      wake();
      await events.return?.();
      return { done: true, value: undefined };
    },
  };
}
