import {
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  getVariableValues,
  type OperationDefinitionNode,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import type { Ctx } from '../../core/context.js';
import { AppError } from '../../core/errors.js';
import { execute } from './execute.js';
import { decidingVariables, type Plan, planOf } from './plan.js';
import type { Outcome } from './state.js';

/** What is executed: a prepared document, the operation in it, and who asks. */
export interface Request {
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
  readonly variables: Readonly<Record<string, unknown>> | null | undefined;
  readonly ctx: Ctx;
}

const maxVariableErrors = 5;
const deadlineMs = { query: 10_000, mutation: 15_000, subscription: 10_000 } as const;

interface Plans {
  readonly deciding: readonly string[];
  readonly byValues: Map<string, Plan>;
}

const plans = new WeakMap<OperationDefinitionNode, Plans>();

interface Remembered {
  readonly fields: number;
  forget(): void;
}

/** How many fields all plans have that are remembered: each takes some 600 bytes, and a short text can have thousands. */
export const maxPlannedFields = 100_000;

const lastUsed = new LRUCache<Plan, Remembered>({
  maxSize: maxPlannedFields,
  sizeCalculation: ({ fields }) => fields + 1,
  dispose: ({ forget }) => forget(),
  noDisposeOnSet: true,
});

/** Executes within the deadline of the operation; past it the caller hears GATEWAY_TIMEOUT, nothing more is changed, and the database's own bounds end the work. */
export async function run(schema: GraphQLSchema, { document, operation, variables, ctx }: Request): Promise<Outcome> {
  const planned = plan(schema, document, operation, variables);
  if ('errors' in planned) return planned;
  const ms = deadlineMs[operation.operation];
  const deadline = performance.now() + ms;
  // Only what changes something need stop by itself.
  const context: Ctx = operation.operation === 'mutation' ? Object.create(ctx, { deadline: { value: deadline } }) : ctx;
  const outcome = execute(planned.plan, context, planned.variables, { deadline });
  return outcome instanceof Promise ? within(outcome, ms) : outcome;
}

/** An operation with its plan and the values of its variables. */
interface Planned {
  readonly plan: Plan;
  readonly variables: Record<string, unknown>;
}

/** The plan of an operation, or what is wrong with its variables. */
export function plan(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  given: Request['variables'],
): Planned | { readonly errors: readonly GraphQLError[] } {
  const { errors, coerced } = getVariableValues(schema, operation.variableDefinitions ?? [], given ?? {}, {
    maxErrors: maxVariableErrors,
  });
  if (errors) return { errors };
  const plan = remembered(schema, document, operation, coerced);
  return plan instanceof GraphQLError ? { errors: [plan] } : { plan, variables: coerced };
}

/** Plans live as long as the document's place in the cache, and among all plans there is room. */
function remembered(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Record<string, unknown>,
): Plan | GraphQLError {
  let known = plans.get(operation);
  if (!known) plans.set(operation, (known = { deciding: decidingVariables(document), byValues: new Map() }));
  const values = known.deciding.map((name) => String(variables[name])).join();
  let plan = known.byValues.get(values);
  if (!plan) {
    // Many switches make many plans; what is rarely asked need not be kept.
    if (known.byValues.size >= 64) known.byValues.clear();
    const made = make(schema, document, operation, variables, () => known.byValues.delete(values));
    if (made instanceof GraphQLError) return made;
    known.byValues.set(values, (plan = made));
  }
  lastUsed.get(plan);
  return plan;
}

function make(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Record<string, unknown>,
  forget: () => void,
): Plan | GraphQLError {
  try {
    const plan = planOf(schema, document, operation, variables, (fields) => lastUsed.set(plan, { fields, forget }));
    lastUsed.set(plan, { fields: plan.fields.length, forget });
    return plan;
  } catch (error) {
    if (error instanceof GraphQLError) return error;
    throw error;
  }
}

function within<T>(promise: Promise<T>, ms: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = () =>
      reject(
        new AppError('GATEWAY_TIMEOUT', `The operation took longer than ${ms / 1000} seconds.`, { retryable: true }),
      );
    const timer = setTimeout(late, ms);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
