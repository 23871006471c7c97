import {
  defaultFieldResolver,
  type GraphQLAbstractType,
  type GraphQLField,
  type GraphQLFieldResolver,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isObjectType,
  Kind,
  type SelectionSetNode,
} from 'graphql';
import { fieldEntry } from '../../core/audit.js';
import type { Ctx } from '../../core/context.js';
import { AppError, notFound } from '../../core/errors.js';
import { typeOfId } from '../../core/ids.js';
import { organizationRoleHolds, roles, spaceRoleHolds } from '../../core/roles.js';
import { type FieldRule, fieldRule, free, isFree, isPublic, typeRule } from './rules.js';

type AnyResolver = GraphQLFieldResolver<unknown, Ctx, Record<string, unknown>>;

/**
 * Puts the auth directives in force. Closed by default: a root field without `@public` needs a viewer. Only fields that carry a rule are
 * wrapped; a type's rule is asked where a field answers it, and for interfaces and unions once the type is known. The place
 * of a role is not known there: such a schema is refused.
 */
export function enforceAuth(schema: GraphQLSchema): GraphQLSchema {
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
  for (const type of Object.values(schema.getTypeMap())) {
    if (type.name.startsWith('__')) continue;
    if (isAbstractType(type)) assertNoRoles(schema, type);
    if (isObjectType(type)) {
      for (const field of Object.values(type.getFields())) {
        const rule = fieldRule(type, field.name);
        const closed = roots.includes(type) && !isPublic(field);
        const needed = closed ? { ...rule, authenticated: true } : rule;
        const named = getNamedType(field.type);
        if (isAbstractType(named) && !field.subscribe)
          field.resolve = typeGuarded(schema, named, (field.resolve ?? defaultFieldResolver) as AnyResolver);
        if (type === schema.getMutationType() && isObjectType(named))
          field.resolve = beforehand(named, (field.resolve ?? defaultFieldResolver) as AnyResolver);
        if (isFree(needed)) continue;
        if (field.subscribe) field.subscribe = guarded(needed, field.subscribe as AnyResolver);
        else {
          field.resolve = guarded(needed, (field.resolve ?? defaultFieldResolver) as AnyResolver);
          guardList(field, needed);
        }
      }
    }
  }
  return schema;
}

function assertNoRoles(schema: GraphQLSchema, abstract: GraphQLAbstractType): void {
  for (const type of schema.getPossibleTypes(abstract)) {
    const { space, organization } = typeRule(type);
    if (space || organization)
      throw new Error(`@requiresRole cannot stand on ${type.name}, which may be a ${abstract.name}: put it on fields.`);
  }
}

function guarded(rule: FieldRule, run: AnyResolver): AnyResolver {
  if (!rule.space && !rule.organization) {
    return (source, args, ctx, info) => {
      try {
        assertHolds(rule, ctx);
      } catch (error) {
        throw audited(error, args, ctx, info);
      }
      return run(source, args, ctx, info);
    };
  }
  return async (source, args, ctx, info) => {
    try {
      assertHolds(rule, ctx);
      await assertRole(rule, ctx, { ...args, ...(source as object | undefined) });
    } catch (error) {
      throw audited(error, args, ctx, info);
    }
    return run(source, args, ctx, info);
  };
}

// An info is made once for a field of an operation, whatever number of rows it is of.
const refused = new WeakSet<GraphQLResolveInfo>();

/** What a mutation's answer is asked for must be allowed before anything is changed. */
function beforehand(payload: GraphQLObjectType, run: AnyResolver): AnyResolver {
  const rules = new Map(Object.keys(payload.getFields()).map((name) => [name, fieldRule(payload, name)]));
  return (source, args, ctx, info) => {
    const visit = (set: SelectionSetNode | undefined) => {
      for (const selection of set?.selections ?? []) {
        if (selection.kind === Kind.FIELD) assertHolds(rules.get(selection.name.value) ?? free, ctx);
        else
          visit(
            selection.kind === Kind.INLINE_FRAGMENT
              ? selection.selectionSet
              : info.fragments[selection.name.value]?.selectionSet,
          );
      }
    };
    for (const node of info.fieldNodes) visit(node.selectionSet);
    return run(source, args, ctx, info);
  };
}

/** Writes down that someone known was refused, in the log of the space that the arguments name: once for a field of an operation. */
function audited(error: unknown, args: Record<string, unknown>, ctx: Ctx, info: GraphQLResolveInfo): unknown {
  if (!(error instanceof AppError) || !ctx.viewer || refused.has(info)) return error;
  const { spaceId } = { ...args, ...(args['input'] as object | undefined) } as { spaceId?: unknown };
  if (typeof spaceId !== 'string' || typeOfId(spaceId) !== 'Space') return error;
  refused.add(info);
  const operation = info.operation.operation === 'mutation' ? 'WRITE' : 'READ';
  ctx.app.readAudit.add(fieldEntry(ctx, `${info.parentType.name}.${info.fieldName}`, operation, spaceId, error.code));
  return error;
}

/** Throws unless the viewer may hold what the rule guards. */
function assertHolds(rule: FieldRule, ctx: Ctx): void {
  if (rule.authenticated && !ctx.viewer) throw new AppError('UNAUTHENTICATED', 'Sign in first.');
  const missing = missingScopes(rule, ctx);
  if (!missing) return;
  throw new AppError(
    'FORBIDDEN',
    `The API key needs the scope ${missing.map((all) => all.join(' and ')).join(', or ')}.`,
  );
}

function missingScopes({ scopes }: FieldRule, { viewer }: Ctx): FieldRule['scopes'][number] | undefined {
  const held = viewer?.scopes;
  return held
    ? scopes.find((alternatives) => !alternatives.some((all) => all.every((scope) => held.has(scope))))
    : undefined;
}

/** What a field does not answer is not read along with its rows either; roles are asked too late to know. */
function guardList(field: GraphQLField<unknown, Ctx>, rule: FieldRule): void {
  const { list, ...others } = field.extensions;
  if (!list) return;
  const hasRoles = rule.space || rule.organization;
  field.extensions = hasRoles ? others : { ...others, list: { ...list, holds: (ctx) => holds(rule, ctx) } };
}

const holds = (rule: FieldRule, ctx: Ctx): boolean =>
  (!rule.authenticated || !!ctx.viewer) && !missingScopes(rule, ctx);

/** Where the parent lives: the space or organization that it is, that it names, or that an argument names. */
interface Place {
  readonly id?: unknown;
  readonly spaceId?: unknown;
  readonly organizationId?: unknown;
}

async function assertRole(rule: FieldRule, ctx: Ctx, place: Place): Promise<void> {
  const held = await roles(ctx);
  if (rule.space) {
    const role = held.spaces.get(String(place.spaceId ?? place.id)) ?? null;
    if (!role) throw notFound();
    if (!spaceRoleHolds(role, rule.space))
      throw new AppError('FORBIDDEN', `It needs the role ${rule.space} in the space; the viewer is ${role}.`);
  }
  if (rule.organization) {
    const role = held.organizations.get(String(place.organizationId ?? place.id)) ?? null;
    if (!role) throw notFound();
    if (!organizationRoleHolds(role, rule.organization)) {
      throw new AppError(
        'FORBIDDEN',
        `It needs the role ${rule.organization} in the organization; the viewer is ${role}.`,
      );
    }
  }
}

/**
 * A field that answers an interface or union hands a value on only to those who may hold its type. Asked here and not in `resolveType`, so that a
 * refusal is this field's error, of the one item that it is about.
 */
function typeGuarded(schema: GraphQLSchema, abstract: GraphQLAbstractType, run: AnyResolver): AnyResolver {
  const rules = new Map(schema.getPossibleTypes(abstract).map((type) => [type.name, typeRule(type)]));
  // No function is made for each value: a page of links answers two for each of them.
  const check = (value: unknown, ctx: Ctx, info: GraphQLResolveInfo): unknown => {
    if (value instanceof Promise) return value.then((known) => check(known, ctx, info));
    if (Array.isArray(value)) return value.map((one) => check(one, ctx, info));
    if (value === null || value === undefined) return value;
    const name = abstract.resolveType?.(value, ctx, info, abstract);
    const rule = typeof name === 'string' ? rules.get(name) : undefined;
    if (rule) assertHolds(rule, ctx);
    return value;
  };
  return (source, args, ctx, info) => check(run(source, args, ctx, info), ctx, info);
}
