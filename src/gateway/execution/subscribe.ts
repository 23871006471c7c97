import { GraphQLError, type GraphQLSchema } from 'graphql';
import type { Ctx } from '../../core/context.js';
import { answersAhead, isFollowed } from './ahead.js';
import { execute } from './execute.js';
import type { Plan } from './plan.js';
import { plan, type Request } from './run.js';
import { beginExecution, infoOf, located, type Outcome } from './state.js';

/** What a subscription answers, event after event; or why there is none. */
export async function subscribe(
  schema: GraphQLSchema,
  { document, operation, variables, ctx: asked }: Request,
): Promise<AsyncIterableIterator<Outcome> | Outcome> {
  const ctx: Ctx = Object.create(asked, { follows: { value: true } });
  const planned = plan(schema, document, operation, variables);
  if ('errors' in planned) return planned;
  const events = await eventsOf(planned.plan, ctx, planned.variables);
  if ('errors' in events) return events;
  const answer = (event: unknown) => execute(planned.plan, ctx, planned.variables, { event });
  return isFollowed(events) ? answersAhead(events, answer) : answers(events, answer);
}

/** Ends as soon as it is told to, also while it waits for an event. */
function answers(
  events: AsyncIterator<unknown>,
  answer: (event: unknown) => Outcome | Promise<Outcome>,
): AsyncIterableIterator<Outcome> {
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      const { done, value: event } = await events.next();
      return done ? { done, value: undefined } : { done: false, value: await answer(event) };
    },
    async return() {
      await events.return?.();
      return { done: true, value: undefined };
    },
  };
}

/** What a subscription will tell of, as its one field says; or why it cannot. */
async function eventsOf(
  plan: Plan,
  context: unknown,
  variables: Record<string, unknown>,
): Promise<AsyncIterator<unknown> | { readonly errors: readonly GraphQLError[] }> {
  const execution = beginExecution(plan, context, variables);
  const [field] = plan.fields;
  if (!field?.field.subscribe) return { errors: [new GraphQLError('A subscription asks for one field.')] };
  try {
    const args = execution.argsOf(field);
    const events: unknown = await field.field.subscribe(undefined, args, context, infoOf(execution, field));
    if (isIterable(events)) return events[Symbol.asyncIterator]();
    throw new Error(`${field.field.name} has to give an async iterable.`);
  } catch (error) {
    return { errors: [located(error, field, { up: null, key: field.key })] };
  }
}

const isIterable = (value: unknown): value is AsyncIterable<unknown> =>
  typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
