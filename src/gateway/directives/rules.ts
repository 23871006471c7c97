import {
  type DirectiveNode,
  type GraphQLNamedType,
  type GraphQLObjectType,
  getNamedType,
  isObjectType,
  valueFromASTUntyped,
} from 'graphql';
import type { OrganizationRole, SpaceRole } from '../../generated/graphql.js';

/** What a field asks of the viewer, from the directives of everything on the way to it: all of it must hold. */
export interface FieldRule {
  readonly authenticated: boolean;
  /** For each directive an OR of ANDs. */
  readonly scopes: readonly (readonly (readonly string[])[])[];
  readonly space: SpaceRole | null;
  readonly organization: OrganizationRole | null;
}

/** A rule that asks for nothing. */
export const free: FieldRule = { authenticated: false, scopes: [], space: null, organization: null };

/** Whether a rule asks for nothing. */
export const isFree = (rule: FieldRule) =>
  !rule.authenticated && rule.scopes.length === 0 && !rule.space && !rule.organization;

interface Annotated {
  readonly astNode?: { readonly directives?: readonly DirectiveNode[] | undefined } | null | undefined;
  readonly extensionASTNodes?: readonly { readonly directives?: readonly DirectiveNode[] | undefined }[];
}

function directivesOf(...places: readonly (Annotated | undefined)[]): DirectiveNode[] {
  return places.flatMap((place) =>
    [place?.astNode, ...(place?.extensionASTNodes ?? [])].flatMap((node) => node?.directives ?? []),
  );
}

export const isPublic = (field: Annotated) => directivesOf(field).some(({ name }) => name.value === 'public');

function argument(directive: DirectiveNode, name: string): unknown {
  const value = directive.arguments?.find((one) => one.name.value === name)?.value;
  return value ? valueFromASTUntyped(value) : null;
}

function ruleOf(directives: readonly DirectiveNode[]): FieldRule {
  const named = (name: string) => directives.filter((directive) => directive.name.value === name);
  const roles = named('requiresRole');
  return {
    authenticated: named('authenticated').length > 0 || roles.length > 0,
    scopes: named('requiresScopes').map((directive) => argument(directive, 'scopes') as string[][]),
    space: roles.map((directive) => argument(directive, 'space') as SpaceRole | null).find(Boolean) ?? null,
    organization:
      roles.map((directive) => argument(directive, 'organization') as OrganizationRole | null).find(Boolean) ?? null,
  };
}

/** What it takes to hold a value of a type: its own directives and those of its interfaces. */
export function typeRule(type: GraphQLNamedType): FieldRule {
  const interfaces = 'getInterfaces' in type ? type.getInterfaces() : [];
  return ruleOf(directivesOf(type, ...interfaces));
}

/** What it takes to read a field: its own directives, those of the same field in interfaces, and those of what it answers. */
export function fieldRule(parent: GraphQLObjectType, name: string): FieldRule {
  const field = parent.getFields()[name];
  if (!field) return free;
  const inherited = parent.getInterfaces().map((type) => type.getFields()[name]);
  return both(ruleOf(directivesOf(field, ...inherited)), answerRule(getNamedType(field.type)));
}

/** A connection is no way around what its nodes ask: its cursors and counts tell of them too. */
function answerRule(type: GraphQLNamedType): FieldRule {
  const nodes = isObjectType(type) && type.name.endsWith('Connection') ? type.getFields()['nodes'] : undefined;
  return nodes ? both(typeRule(type), typeRule(getNamedType(nodes.type))) : typeRule(type);
}

function both(a: FieldRule, b: FieldRule): FieldRule {
  return {
    authenticated: a.authenticated || b.authenticated,
    scopes: [...a.scopes, ...b.scopes],
    space: a.space ?? b.space,
    organization: a.organization ?? b.organization,
  };
}
