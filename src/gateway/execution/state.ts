import { GraphQLError, type GraphQLResolveInfo, getArgumentValues, locatedError } from 'graphql';
import { AppError } from '../../core/errors.js';
import type { Selection } from '../../core/reading.js';
import type { FieldPlan, Plan } from './plan.js';

/** What came out: data, errors as they were thrown (not yet fit to be shown), or both. */
export interface Outcome {
  readonly data?: Record<string, unknown> | null;
  readonly errors?: readonly GraphQLError[];
}

/** Where a value stands in the answer, from the inside out. */
export interface Place {
  readonly up: Place | null;
  readonly key: string | number;
}

/** What a resolver is told of where it stands. */
export type Info = GraphQLResolveInfo & Required<Selection>;

/** One execution of a plan. What is the same for all objects, arguments and infos, is made once. */
export interface Execution {
  readonly plan: Plan;
  readonly context: unknown;
  readonly variables: Record<string, unknown>;
  readonly errors: GraphQLError[];
  readonly args: Record<string, unknown>[];
  /** The arguments of a field. */
  argsOf(plan: FieldPlan): Record<string, unknown>;
  readonly infos: Info[];
  /** How many objects, and bytes of long text and stored JSON, the answer has so far. */
  objects: number;
  bytes: number;
}

/** Bounds on an answer, however it came to be asked for: past them the operation fails as a whole. */
export const answerLimits = { objects: 100_000, bytes: 32 * 1024 * 1024 } as const;

export const isTooLarge = ({ objects, bytes }: Execution) =>
  objects > answerLimits.objects || bytes > answerLimits.bytes;

/** Throws once the answer is too large to go on. */
export function assertSize(execution: Execution): void {
  if (!isTooLarge(execution)) return;
  const { objects, bytes } = answerLimits;
  throw new AppError(
    'COST_ESTIMATED_TOO_EXPENSIVE',
    `An answer has at most ${objects} objects and ${bytes} bytes of text and stored JSON; ask for less at a time.`,
  );
}

/** A new execution of a plan. */
export function beginExecution(plan: Plan, context: unknown, variables: Record<string, unknown>): Execution {
  const argsOf = (field: FieldPlan) => argumentsOf(execution, field);
  const execution: Execution = {
    plan,
    context,
    variables,
    errors: [],
    args: [],
    argsOf,
    infos: [],
    objects: 0,
    bytes: 0,
  };
  return execution;
}

/** The arguments of a field, worked out once for an execution. */
function argumentsOf(execution: Execution, plan: FieldPlan): Record<string, unknown> {
  if (plan.fixedArgs) return plan.fixedArgs;
  const node = plan.nodes[0];
  if (!node) throw new Error('A field without a place in the document.');
  return (execution.args[plan.index] ??= getArgumentValues(plan.field, node, execution.variables));
}

/** What a resolver is told of where it stands, made once for an execution. */
export function infoOf(execution: Execution, plan: FieldPlan): Info {
  const { schema, operation, fragments } = execution.plan;
  return (execution.infos[plan.index] ??= {
    fieldName: plan.field.name,
    fieldNodes: plan.nodes,
    returnType: plan.field.type,
    parentType: plan.parent,
    // The field's own name: which object of a list it is of, nobody here asks.
    path: { prev: undefined, key: plan.key, typename: plan.parent.name },
    schema,
    fragments,
    rootValue: undefined,
    operation,
    variableValues: execution.variables,
    planned: plan,
    argsOf: execution.argsOf,
  });
}

/** The error with its path and its place in the document; one that has them already stays as it is. */
export function located(error: unknown, plan: FieldPlan, place: Place): GraphQLError {
  if (error instanceof GraphQLError && error.path) return error;
  const path: (string | number)[] = [];
  for (let at: Place | null = place; at; at = at.up) path.unshift(at.key);
  return locatedError(error, plan.nodes, path);
}
