/**
 * Hands what is asked in one moment over together, and in the same order takes the answers. What comes while that is under way waits for the next
 * time, so there is one at a time, however many ask. When several fail together for what one of them asks, each is asked about alone.
 */
export function gathered<Question, Answer>(
  answer: (questions: readonly Question[]) => Promise<readonly Answer[]>,
  most: number,
): (question: Question) => Promise<Answer> {
  interface Asked {
    readonly question: Question;
    readonly resolve: (answer: Answer | PromiseLike<Answer>) => void;
    readonly reject: (error: unknown) => void;
  }
  let waiting: Asked[] = [];
  let isBusy = false;

  async function settle(asked: readonly Asked[]): Promise<void> {
    try {
      const answers = await answer(asked.map(({ question }) => question));
      for (const [at, { resolve }] of asked.entries()) resolve(answers[at] as Answer);
    } catch (error) {
      if (asked.length > 1 && isOfOne(error)) for (const one of asked) await settle([one]);
      else for (const { reject } of asked) reject(error);
    }
  }

  async function work(): Promise<void> {
    while (waiting.length > 0) {
      const now = waiting.slice(0, most);
      waiting = waiting.slice(most);
      await settle(now);
    }
    isBusy = false;
  }

  return (question) =>
    new Promise((resolve, reject) => {
      waiting.push({ question, resolve, reject });
      if (isBusy) return;
      isBusy = true;
      // Whoever is woken by the same event asks within this turn of the event loop.
      setImmediate(work);
    });
}

/** Whether a statement failed for a value that it was given, or for how much there was to do (classes of SQLSTATE). */
const isOfOne = (error: unknown) =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' && /^(22|57014)/.test(error.code);
