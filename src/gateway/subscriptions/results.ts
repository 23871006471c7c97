import { type ExecutionResult, GraphQLError } from 'graphql';
import { AppError } from '../../core/errors.js';
import type { Outcome } from '../execution/state.js';

/**
 * The results of a subscription, each given out only if `confirm` holds after it was made: what a viewer may no longer have, they do not get.
 * A failure midway is the last result, not the end of the connection. Where that says where to resume, nothing follows: a client that is told of
 * the end would not begin again.
 */
export function confirmed(
  results: AsyncIterableIterator<Outcome>,
  confirm: () => Promise<boolean>,
): AsyncGenerator<ExecutionResult, void, void> {
  let over = false;
  let release = () => {};
  let held = Promise.resolve();
  const end = { done: true, value: undefined } as const;
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      if (over) {
        await held;
        return end;
      }
      try {
        const next = await results.next();
        if (next.done || (await confirm())) return next;
        await this.return();
        return end;
      } catch (error) {
        await this.return();
        if (error instanceof AppError && error.details.resumeFrom !== undefined)
          held = new Promise((resolve) => (release = resolve));
        return { done: false, value: { errors: [asGraphqlError(error)] } };
      }
    },
    async return() {
      over = true;
      release();
      await results.return?.();
      return end;
    },
    async throw(error) {
      await this.return();
      throw error;
    },
    async [Symbol.asyncDispose]() {
      await this.return();
    },
  };
}

/** As GraphQL wraps what a resolver throws. */
export function asGraphqlError(error: unknown): GraphQLError {
  if (error instanceof GraphQLError) return error;
  return new GraphQLError('The subscription failed.', {
    originalError: error instanceof Error ? error : new Error(String(error)),
  });
}
