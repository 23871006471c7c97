import {
  type ASTVisitor,
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  getNamedType,
  Kind,
  NoSchemaIntrospectionCustomRule,
  type OperationDefinitionNode,
  parse,
  specifiedRules,
  TypeInfo,
  type ValidationContext,
  type ValidationRule,
  validate,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import { brokenLimit, documentLimits } from './limits/document.js';

/** A document that has been parsed, measured and validated, once for its text. */
export interface Prepared {
  readonly document: DocumentNode;
  /** Whether stored JSON may be in its answer. */
  readonly answersJson: boolean;
}

/** What a document is refused with. */
export interface Refused {
  readonly errors: readonly GraphQLError[];
}

/** Remembers every document by its text. The same for HTTP, WebSocket and the REST façade. */
export interface Documents {
  /** `introspection` says whether the caller may see the schema. */
  prepare(text: string, introspection: boolean): Prepared | Refused;
}

/** How many errors a request is told that is refused as a whole. */
export const maxErrors = 5;
const maxBytes = 64 * 1024 * 1024;

interface Known extends Prepared {
  /** What a caller is told who may not see the schema; empty when the document does not ask for it. */
  readonly hidden: readonly GraphQLError[];
}

export function documents(schema: GraphQLSchema): Documents {
  const byText = new LRUCache<string, Known | Refused>({
    max: 2_000,
    maxSize: maxBytes,
    // What is parsed takes some twenty times its text.
    sizeCalculation: (_, text) => text.length * 20 + 1,
  });

  function make(text: string): Known | Refused {
    if (text.length > documentLimits.characters) {
      const message = `A document has at most ${documentLimits.characters} characters; send values as variables.`;
      return { errors: [new GraphQLError(message, { extensions: { code: 'GRAPHQL_PARSE_FAILED' } })] };
    }
    let document: DocumentNode;
    try {
      document = parse(text, { maxTokens: documentLimits.tokens });
    } catch (error) {
      if (!(error instanceof GraphQLError)) throw error;
      return { errors: [coded(error, 'GRAPHQL_PARSE_FAILED')] };
    }
    const broken = brokenLimit(document);
    if (broken) return { errors: [broken] };
    const errors = validated(document, [...specifiedRules, IdempotentRule]);
    if (errors.length > 0) return { errors };
    const hidden = validated(document, [NoSchemaIntrospectionCustomRule]);
    return { document, answersJson: asksForJson(schema, document), hidden };
  }

  function validated(document: DocumentNode, rules: readonly ValidationRule[]): readonly GraphQLError[] {
    const errors = validate(schema, document, rules, { maxErrors, hideSuggestions: true });
    return errors.slice(0, maxErrors).map((error) => coded(error, 'GRAPHQL_VALIDATION_FAILED'));
  }

  return {
    prepare(text, introspection) {
      let known = byText.get(text);
      if (!known) {
        known = make(text);
        // Of a text that is too long not even the refusal is kept.
        if (text.length <= documentLimits.characters) byText.set(text, known);
      }
      if ('errors' in known) return known;
      return introspection || known.hidden.length === 0 ? known : { errors: known.hidden };
    },
  };
}

/** `@idempotent` anywhere but on a mutation would promise what is not kept. */
function IdempotentRule(context: ValidationContext): ASTVisitor {
  return {
    Field(node) {
      const misplaced = node.directives?.find(({ name }) => name.value === 'idempotent');
      if (misplaced && context.getParentType() !== context.getSchema().getMutationType())
        context.reportError(
          new GraphQLError('@idempotent stands on the fields of a mutation only.', { nodes: misplaced }),
        );
    },
  };
}

function asksForJson(schema: GraphQLSchema, document: DocumentNode): boolean {
  const types = new TypeInfo(schema);
  let found = false;
  const look = () => {
    found ||= getNamedType(types.getType())?.name === 'JSON';
  };
  visit(document, visitWithTypeInfo(types, { Field: look }));
  return found;
}

function coded(error: GraphQLError, code: string): GraphQLError {
  return new GraphQLError(error.message, {
    nodes: error.nodes ?? null,
    source: error.source ?? null,
    positions: error.positions ?? null,
    extensions: { code },
  });
}

/** The operation that a request means, or why there is none. */
export function operationOf(
  document: DocumentNode,
  name: string | null | undefined,
): OperationDefinitionNode | GraphQLError {
  const operations = document.definitions.filter((definition) => definition.kind === Kind.OPERATION_DEFINITION);
  const [first, ...more] = name == null ? operations : operations.filter((operation) => operation.name?.value === name);
  if (first && more.length === 0) return first;
  const message = name == null ? 'Say which operation by operationName.' : 'There is no operation of that name.';
  return new GraphQLError(message, { extensions: { code: 'OPERATION_RESOLUTION_FAILURE' } });
}
