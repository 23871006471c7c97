import {
  type GraphQLNamedType,
  type GraphQLObjectType,
  getNamedType,
  isAbstractType,
  isLeafType,
  isNonNullType,
  isObjectType,
} from 'graphql';
import { schema } from '../support/world.js';

type Field = ReturnType<GraphQLObjectType['getFields']>[string];

const asksNothing = ({ args }: Field) =>
  args.every(({ type, defaultValue }) => !isNonNullType(type) || defaultValue !== undefined);
const isNode = (type: GraphQLObjectType) => type.getInterfaces().some(({ name }) => name === 'Node');
const isConnection = ({ name }: GraphQLNamedType) => name.endsWith('Connection');

/** Fields of a type that lead on to other things. */
const edgesOf = (type: GraphQLObjectType) =>
  Object.values(type.getFields()).filter((field) => asksNothing(field) && !isLeafType(getNamedType(field.type)));

const leavesOf = (type: GraphQLObjectType) =>
  Object.values(type.getFields()).filter((field) => asksNothing(field) && isLeafType(getNamedType(field.type)));

/** Of nodes the id: each begins ways of its own. Of others what can be asked of all of them at once. */
function abstractOf(types: readonly GraphQLObjectType[]): string {
  if (types.some(isNode)) return '__typename ... on Node { id }';
  const forms = new Map<string, Set<string>>();
  for (const { name, type } of types.flatMap(leavesOf)) forms.set(name, (forms.get(name) ?? new Set()).add(`${type}`));
  const asked = (type: GraphQLObjectType) => leavesOf(type).filter(({ name }) => forms.get(name)?.size === 1);
  return types
    .map(
      (type) =>
        `... on ${type} { __typename ${asked(type)
          .map(({ name }) => name)
          .join(' ')} }`,
    )
    .join(' ');
}

/** Everything that a type answers by itself, and `depth` edges further. */
function selectionOf(type: GraphQLNamedType, depth: number): string {
  if (isAbstractType(type)) return abstractOf(schema.getPossibleTypes(type));
  if (!isObjectType(type)) return '';
  if (isConnection(type)) {
    const node = type.getFields()['nodes'];
    const inner = node ? selectionOf(getNamedType(node.type), depth) : '__typename';
    return `${'totalCount' in type.getFields() ? 'totalCount' : ''} pageInfo { endCursor } edges { cursor } nodes { ${inner} }`;
  }
  const further = depth > 0 ? edgesOf(type).map((field) => edge(field, depth - 1)) : [];
  return ['__typename', ...leavesOf(type).map(({ name }) => name), ...further].join(' ');
}

const edge = ({ name, type }: Field, depth: number) => `${name} { ${selectionOf(getNamedType(type), depth)} }`;

/** One way of the schema: an edge of a type, or a root field. */
export interface Edge {
  readonly name: string;
  readonly document: string;
  /** The type whose things it begins with; null for a root field. */
  readonly from: string | null;
}

/** Every edge of every type that `node(id:)` answers, and that type itself. */
export function edges(depth: number): Edge[] {
  const types = Object.values(schema.getTypeMap()).filter(isObjectType).filter(isNode);
  return types.flatMap((type) => {
    const ways = [{ name: type.name, selection: selectionOf(type, 0) }].concat(
      edgesOf(type).map((field) => ({ name: `${type.name}.${field.name}`, selection: edge(field, depth) })),
    );
    return ways.map(({ name, selection }) => ({
      name,
      from: type.name,
      document: `query ($id: ID!) { node(id: $id) { __typename ... on ${type.name} { ${selection} } } }`,
    }));
  });
}

/** Every edge of a type, by a root field that answers it. */
export const edgesThrough = (root: string, typeName: string, depth: number): Edge[] => {
  const type = schema.getType(typeName);
  const ways = isObjectType(type) ? edgesOf(type) : [];
  return ways.map((field) => ({
    name: `${root} { ${field.name} }`,
    from: null,
    document: `{ ${root} { ${edge(field, depth)} } }`,
  }));
};

/** Every field of Query, with the arguments that `args` says. */
export function rootEdges(args: Readonly<Record<string, string>>, depth: number): Edge[] {
  const fields = Object.values(schema.getQueryType()?.getFields() ?? {}).filter(({ name }) => name in args);
  return fields.map(({ name, type }) => ({
    name: `Query.${name}`,
    from: null,
    document: `{ ${name}${args[name]} { ${selectionOf(getNamedType(type), depth)} } }`,
  }));
}
