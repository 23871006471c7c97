import { type ExecutionResult, GraphQLError } from 'graphql';
import type { Outcome } from '../execution/state.js';

/**
 * The results of a subscription, each given out only if `confirm` holds after it was made: what a viewer may no longer have, they do not get.
 * A failure midway is the last result, not the end of the connection.
 */
export function confirmed(
  results: AsyncIterableIterator<Outcome>,
  confirm: () => Promise<boolean>,
): AsyncGenerator<ExecutionResult, void, void> {
  let over = false;
  const end = { done: true, value: undefined } as const;
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      if (over) return end;
      try {
        const next = await results.next();
        if (next.done || (await confirm())) return next;
        await this.return();
        return end;
      } catch (error) {
        await this.return();
        return { done: false, value: { errors: [asGraphqlError(error)] } };
      }
    },
    async return() {
      over = true;
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
