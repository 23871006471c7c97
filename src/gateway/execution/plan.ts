import {
  type ASTNode,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLAbstractType,
  GraphQLError,
  type GraphQLField,
  type GraphQLLeafType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getArgumentValues,
  getNamedType,
  isAbstractType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  SchemaMetaFieldDef,
  type SelectionNode,
  type SelectionSetNode,
  TypeMetaFieldDef,
  TypeNameMetaFieldDef,
  visit,
} from 'graphql';

/** How a value of a type is brought into the answer: the type, without the questions that it would be asked for every value. */
export type Completion = { readonly nonNull: boolean } & (
  | { readonly kind: 'leaf'; readonly type: GraphQLLeafType }
  | { readonly kind: 'list'; readonly item: Completion }
  | { readonly kind: 'object'; readonly type: GraphQLObjectType }
  | { readonly kind: 'abstract'; readonly type: GraphQLAbstractType }
);

/** One field of an answer, worked out once for all objects and all executions that have it. */
export interface FieldPlan {
  /** Its place among all fields of the plan: where an execution keeps what it knows of it. */
  readonly index: number;
  readonly key: string;
  readonly parent: GraphQLObjectType;
  readonly field: GraphQLField<unknown, unknown>;
  readonly completion: Completion;
  readonly nodes: readonly FieldNode[];
  /** The arguments, when no variable is in them. */
  readonly fixedArgs: Record<string, unknown> | null;
  /** The fields of an object that it answers, by type. */
  fieldsOf(type: GraphQLObjectType): readonly FieldPlan[];
  /** The same by name; where another type is answered, what it is asked for, and where an abstract one, all that its objects are. */
  fieldsFor(type: string): readonly FieldPlan[];
}

/** An operation as it is executed. */
export interface Plan {
  readonly schema: GraphQLSchema;
  readonly operation: OperationDefinitionNode;
  readonly fragments: Readonly<Record<string, FragmentDefinitionNode>>;
  readonly root: GraphQLObjectType;
  readonly fields: readonly FieldPlan[];
}

type Variables = Readonly<Record<string, unknown>>;

/** The plan of an operation under the values of those variables that `@skip` and `@include` ask. What is asked of objects is worked out once there are some; `grown` hears how many fields there are then. */
export function planOf(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Variables,
  grown: (fields: number) => void = () => {},
): Plan {
  const root = schema.getRootType(operation.operation);
  if (!root) throw new Error(`There is no ${operation.operation} in the schema.`);
  const fragments = Object.fromEntries(
    document.definitions.filter((one) => one.kind === Kind.FRAGMENT_DEFINITION).map((one) => [one.name.value, one]),
  );
  let count = 0;

  function fieldsOf(type: GraphQLObjectType, sets: readonly SelectionSetNode[]): FieldPlan[] {
    const byKey = new Map<string, FieldNode[]>();
    const spread = new Set<string>();
    const collect = (selection: SelectionNode): void => {
      if (!isIncluded(selection, variables)) return;
      if (selection.kind === Kind.FIELD) {
        const key = selection.alias?.value ?? selection.name.value;
        const known = byKey.get(key);
        if (known) known.push(selection);
        else byKey.set(key, [selection]);
      } else if (selection.kind === Kind.INLINE_FRAGMENT) {
        if (applies(selection.typeCondition?.name.value, type)) selection.selectionSet.selections.forEach(collect);
      } else if (!spread.has(selection.name.value)) {
        spread.add(selection.name.value);
        const fragment = fragments[selection.name.value];
        if (fragment && applies(fragment.typeCondition.name.value, type))
          fragment.selectionSet.selections.forEach(collect);
      }
    };
    for (const set of sets) set.selections.forEach(collect);
    if (byKey.has('__proto__'))
      throw new GraphQLError('__proto__ cannot be an alias.', { nodes: byKey.get('__proto__') ?? null });
    return [...byKey].map(([key, nodes]) => fieldPlan(type, key, nodes));
  }

  function applies(condition: string | undefined, type: GraphQLObjectType): boolean {
    if (condition === undefined || condition === type.name) return true;
    return type.getInterfaces().some(({ name }) => name === condition) || isMember(schema, condition, type);
  }

  function fieldPlan(parent: GraphQLObjectType, key: string, nodes: readonly FieldNode[]): FieldPlan {
    const [node] = nodes;
    const field = node && definitionOf(schema, parent, node.name.value);
    if (!field) throw new Error(`There is no ${parent.name}.${key}; a plan is made of valid documents only.`);
    const sets = nodes.flatMap(({ selectionSet }) => selectionSet ?? []);
    const byType = new Map<GraphQLObjectType, FieldPlan[]>();
    const children = (type: GraphQLObjectType) => {
      let fields = byType.get(type);
      if (!fields) {
        byType.set(type, (fields = fieldsOf(type, sets)));
        grown(count);
      }
      return fields;
    };
    const answered = typesOf(schema, field.type);
    return {
      index: count++,
      key,
      parent,
      field,
      completion: completionOf(field.type),
      nodes,
      fixedArgs: usesVariables(node) ? null : getArgumentValues(field, node),
      fieldsOf: children,
      fieldsFor(name) {
        const meant = answered.filter((type) => type.name === name);
        return (meant.length > 0 ? meant : answered).flatMap(children);
      },
    };
  }

  return { schema, operation, fragments, root, fields: fieldsOf(root, [operation.selectionSet]) };
}

/** The types that an object of a field may be of. */
function typesOf(schema: GraphQLSchema, type: GraphQLOutputType): readonly GraphQLObjectType[] {
  const named = getNamedType(type);
  if (isAbstractType(named)) return schema.getPossibleTypes(named);
  return isObjectType(named) ? [named] : [];
}

function completionOf(type: GraphQLOutputType): Completion {
  const nonNull = isNonNullType(type);
  const inner = nonNull ? type.ofType : type;
  if (isListType(inner)) return { nonNull, kind: 'list', item: completionOf(inner.ofType) };
  if (isLeafType(inner)) return { nonNull, kind: 'leaf', type: inner };
  return isAbstractType(inner) ? { nonNull, kind: 'abstract', type: inner } : { nonNull, kind: 'object', type: inner };
}

function isMember(schema: GraphQLSchema, condition: string, type: GraphQLObjectType): boolean {
  const abstract = schema.getType(condition);
  return abstract !== undefined && 'getTypes' in abstract && abstract.getTypes().includes(type);
}

function definitionOf(
  schema: GraphQLSchema,
  parent: GraphQLObjectType,
  name: string,
): GraphQLField<unknown, unknown> | undefined {
  if (name === TypeNameMetaFieldDef.name) return TypeNameMetaFieldDef;
  if (parent === schema.getQueryType() && name === SchemaMetaFieldDef.name) return SchemaMetaFieldDef;
  if (parent === schema.getQueryType() && name === TypeMetaFieldDef.name) return TypeMetaFieldDef;
  return parent.getFields()[name];
}

function isIncluded({ directives = [] }: SelectionNode, variables: Variables): boolean {
  for (const { name, arguments: args = [] } of directives) {
    if (name.value !== 'skip' && name.value !== 'include') continue;
    const value = args[0]?.value;
    const holds =
      value?.kind === Kind.VARIABLE ? variables[value.name.value] : value?.kind === Kind.BOOLEAN && value.value;
    // A variable with a default may be null all the same, and then the directive has no answer.
    if (typeof holds !== 'boolean')
      throw new GraphQLError('Argument "if" of non-null type "Boolean!" must not be null.', { nodes: value ?? null });
    if (holds === (name.value === 'skip')) return false;
  }
  return true;
}

function usesVariables({ arguments: args = [] }: FieldNode): boolean {
  let found = false;
  const enter = ({ kind }: ASTNode) => {
    found ||= kind === Kind.VARIABLE;
  };
  for (const argument of args) visit(argument.value, { enter });
  return found;
}

/** The variables that decide which fields an operation has; for each combination of their values there is a plan. */
export function decidingVariables(document: DocumentNode): readonly string[] {
  const names = new Set<string>();
  visit(document, {
    Directive({ name, arguments: args = [] }) {
      const value = args[0]?.value;
      if ((name.value === 'skip' || name.value === 'include') && value?.kind === Kind.VARIABLE)
        names.add(value.name.value);
    },
  });
  return [...names];
}
