import {
  type GraphQLAbstractType,
  type GraphQLError,
  type GraphQLLeafType,
  type GraphQLObjectType,
  isObjectType,
} from 'graphql';
import { assertInTime } from '../../core/deadline.js';
import { JsonText } from '../../platform/database/database.js';
import { endWith, fillIn, isPromise, type Later, onceFilled } from './later.js';
import type { Completion, FieldPlan, Plan } from './plan.js';
import {
  assertSize,
  beginExecution,
  type Execution,
  infoOf,
  isTooLarge,
  located,
  type Outcome,
  type Place,
} from './state.js';

type Answer = Record<string, unknown>;

/** Executes a plan as the specification says: the fields of a mutation one after the other, none begun past the deadline, all others together. `event` is what a subscription answers about. */
export function execute(
  plan: Plan,
  context: unknown,
  variables: Record<string, unknown>,
  { deadline, event }: { readonly deadline?: number; readonly event?: unknown } = {},
): Later<Outcome> {
  const execution = beginExecution(plan, context, variables);
  const finish = (data: Answer | null): Outcome =>
    execution.errors.length > 0 ? { data, errors: execution.errors } : { data };
  const fail = (error: unknown): Outcome => {
    execution.errors.push(error as GraphQLError);
    return finish(null);
  };
  try {
    const data =
      plan.operation.operation === 'mutation'
        ? inTurn(execution, deadline)
        : answerObject(execution, plan.fields, event, null);
    return isPromise(data) ? data.then(finish, fail) : finish(data);
  } catch (error) {
    return fail(error);
  }
}

async function inTurn(execution: Execution, deadline: number | undefined): Promise<Answer> {
  const answer: Answer = {};
  for (const field of execution.plan.fields) {
    try {
      assertInTime(deadline);
    } catch (error) {
      throw located(error, field, { up: null, key: field.key });
    }
    answer[field.key] = await answerField(execution, field, undefined, null);
  }
  return answer;
}

function answerObject(
  execution: Execution,
  fields: readonly FieldPlan[],
  source: unknown,
  place: Place | null,
): Later<Answer> {
  execution.objects += 1;
  assertSize(execution);
  const answer: Answer = {};
  let waiting: Promise<void>[] | null = null;
  try {
    for (const field of fields) {
      const value = answerField(execution, field, source, place);
      answer[field.key] = value;
      if (isPromise(value)) (waiting ??= []).push(fillIn(answer, field.key, value));
    }
  } catch (error) {
    return endWith(error, waiting);
  }
  return waiting ? onceFilled(answer, waiting) : answer;
}

/** The value of one field. An error of a field that may be null ends here; any other ends the object around it. */
function answerField(execution: Execution, plan: FieldPlan, source: unknown, place: Place | null): unknown {
  const { completion, key } = plan;
  try {
    const value = resolve(execution, plan, source);
    if (isPromise(value)) return completeLater(execution, plan, completion, value, place, key);
    const completed = complete(execution, plan, completion, value, place, key);
    return isPromise(completed) ? failLater(execution, plan, completion, completed, place, key) : completed;
  } catch (error) {
    return fail(execution, plan, completion, error, place, key);
  }
}

function completeLater(
  execution: Execution,
  plan: FieldPlan,
  completion: Completion,
  value: Promise<unknown>,
  up: Place | null,
  key: string | number,
): Promise<unknown> {
  const completed = value.then((known) => complete(execution, plan, completion, known, up, key));
  return failLater(execution, plan, completion, completed, up, key);
}

const failLater = (
  execution: Execution,
  plan: FieldPlan,
  completion: Completion,
  completed: Promise<unknown>,
  up: Place | null,
  key: string | number,
): Promise<unknown> => completed.catch((error: unknown) => fail(execution, plan, completion, error, up, key));

/** What an error leaves of a value: null where it may be null; otherwise nothing, and the value around it fails. */
function fail(
  execution: Execution,
  plan: FieldPlan,
  { nonNull }: Completion,
  error: unknown,
  up: Place | null,
  key: string | number,
): null {
  const found = located(error, plan, { up, key });
  if (nonNull || isTooLarge(execution)) throw found;
  execution.errors.push(found);
  return null;
}

function resolve(execution: Execution, plan: FieldPlan, source: unknown): unknown {
  const { resolve: run, name } = plan.field;
  if (run) return run(source, execution.argsOf(plan), execution.context, infoOf(execution, plan));
  const value = (source as Record<string, unknown> | null | undefined)?.[name];
  return typeof value === 'function'
    ? value.call(source, execution.argsOf(plan), execution.context, infoOf(execution, plan))
    : value;
}

function complete(
  execution: Execution,
  plan: FieldPlan,
  completion: Completion,
  value: unknown,
  up: Place | null,
  key: string | number,
): unknown {
  if (value === null || value === undefined) {
    if (!completion.nonNull) return null;
    throw new Error(`Cannot return null for non-nullable field ${plan.parent.name}.${plan.field.name}.`);
  }
  switch (completion.kind) {
    case 'leaf':
      if (value instanceof JsonText) addText(execution, value.text);
      else if (typeof value === 'string' && value.length > shortText) addText(execution, value);
      return serialize(completion.type, value);
    case 'list':
      return completeList(execution, plan, completion.item, value, { up, key });
    case 'object':
      if (value instanceof Error) throw value;
      return answerObject(execution, plan.fieldsOf(completion.type), value, { up, key });
    case 'abstract':
      if (value instanceof Error) throw value;
      return answerObject(execution, plan.fieldsOf(concrete(execution, plan, completion.type, value)), value, {
        up,
        key,
      });
  }
}

/** Of what is shorter, the number of objects is bound enough. */
const shortText = 256;

function addText(execution: Execution, text: string): void {
  execution.bytes += text.length;
  assertSize(execution);
}

function serialize(type: GraphQLLeafType, value: unknown): unknown {
  if (value instanceof Error) throw value;
  const serialized = type.serialize(value);
  if (serialized === null || serialized === undefined)
    throw new Error(`Expected \`${type.name}.serialize\` to return non-nullable value.`);
  return serialized;
}

function concrete(execution: Execution, plan: FieldPlan, type: GraphQLAbstractType, value: unknown): GraphQLObjectType {
  const { schema } = execution.plan;
  const named = value as { __typename?: unknown };
  const name = type.resolveType
    ? type.resolveType(value, execution.context, infoOf(execution, plan), type)
    : named.__typename;
  const found = typeof name === 'string' ? schema.getType(name) : undefined;
  if (isObjectType(found) && schema.isSubType(type, found)) return found;
  throw new Error(
    `Abstract type "${type.name}" was resolved to a type "${name}" that does not exist inside the schema.`,
  );
}

function completeList(
  execution: Execution,
  plan: FieldPlan,
  item: Completion,
  value: unknown,
  place: Place,
): Later<unknown[]> {
  if (value instanceof Error) throw value;
  if (typeof value !== 'object' || value === null || !(Symbol.iterator in value)) {
    throw new Error(`Expected Iterable, but did not find one for field "${plan.parent.name}.${plan.field.name}".`);
  }
  const items: unknown[] = [];
  let isWaiting = false;
  try {
    for (const one of value as Iterable<unknown>) {
      const completed = completeItem(execution, plan, item, one, place, items.length);
      isWaiting ||= isPromise(completed);
      items.push(completed);
    }
  } catch (error) {
    return endWith(error, isWaiting ? items : null);
  }
  return isWaiting ? Promise.all(items) : items;
}

function completeItem(
  execution: Execution,
  plan: FieldPlan,
  item: Completion,
  value: unknown,
  place: Place,
  index: number,
): unknown {
  try {
    if (isPromise(value)) return completeLater(execution, plan, item, value, place, index);
    const completed = complete(execution, plan, item, value, place, index);
    return isPromise(completed) ? failLater(execution, plan, item, completed, place, index) : completed;
  } catch (error) {
    return fail(execution, plan, item, error, place, index);
  }
}
