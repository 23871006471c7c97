import { type DocumentNode, type FragmentDefinitionNode, GraphQLError, Kind, type SelectionSetNode } from 'graphql';
import type { ErrorCode } from '../../generated/graphql.js';

/** Bounds on a document, counted with every fragment spread where it stands. */
export const documentLimits = {
  characters: 65_536,
  tokens: 2_000,
  aliases: 30,
  depth: 12,
  rootFields: 20,
  directives: 50,
  selections: 10_000,
} as const;

interface Size {
  aliases: number;
  depth: number;
  fields: number;
  directives: number;
  selections: number;
}

const ceiling = 1_000_000;
const add = (a: number, b: number) => Math.min(a + b, ceiling);

/** The bound that a document breaks, as an error with its code; null when it keeps all of them. */
export function brokenLimit(document: DocumentNode): GraphQLError | null {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  }
  // Each fragment is measured once, however often it is spread: work grows with the text, not with what it expands to.
  const measured = new Map<string, Size>();
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.OPERATION_DEFINITION) continue;
    const size = measure(definition.selectionSet, fragments, measured);
    size.directives = add(size.directives, definition.directives?.length ?? 0);
    const found = check(size);
    if (found) return found;
  }
  return null;
}

function check({ aliases, depth, fields, directives, selections }: Size): GraphQLError | null {
  if (selections > documentLimits.selections)
    return limit('MAX_SELECTIONS_LIMIT', 'selections', documentLimits.selections);
  if (depth > documentLimits.depth) return limit('MAX_DEPTH_LIMIT', 'levels', documentLimits.depth);
  if (aliases > documentLimits.aliases) return limit('MAX_ALIASES_LIMIT', 'aliases', documentLimits.aliases);
  if (fields > documentLimits.rootFields)
    return limit('MAX_ROOT_FIELDS_LIMIT', 'root fields', documentLimits.rootFields);
  if (directives > documentLimits.directives)
    return limit('MAX_DIRECTIVES_LIMIT', 'directives', documentLimits.directives);
  return null;
}

function limit(code: ErrorCode, what: string, most: number): GraphQLError {
  return new GraphQLError(`The operation has more than ${most} ${what}.`, { extensions: { code } });
}

/** What a selection set amounts to; `fields` are those of its own level. */
function measure(
  set: SelectionSetNode,
  fragments: Map<string, FragmentDefinitionNode>,
  measured: Map<string, Size>,
): Size {
  const size: Size = { aliases: 0, depth: 1, fields: 0, directives: 0, selections: 0 };
  for (const selection of set.selections) {
    size.directives = add(size.directives, selection.directives?.length ?? 0);
    if (selection.kind === Kind.FIELD) {
      size.fields = add(size.fields, 1);
      size.selections = add(size.selections, 1);
      if (selection.alias) size.aliases = add(size.aliases, 1);
      if (!selection.selectionSet) continue;
      const inner = measure(selection.selectionSet, fragments, measured);
      // Introspection nests deeper than any product query, over a schema whose size is known.
      include(
        size,
        selection.name.value.startsWith('__')
          ? { ...inner, depth: 1, fields: 0 }
          : { ...inner, depth: inner.depth + 1, fields: 0 },
      );
    } else {
      include(
        size,
        selection.kind === Kind.INLINE_FRAGMENT
          ? measure(selection.selectionSet, fragments, measured)
          : ofFragment(selection.name.value, fragments, measured),
      );
    }
  }
  return size;
}

function ofFragment(name: string, fragments: Map<string, FragmentDefinitionNode>, measured: Map<string, Size>): Size {
  const known = measured.get(name);
  if (known) return known;
  const empty: Size = { aliases: 0, depth: 0, fields: 0, directives: 0, selections: 0 };
  // Set first: a fragment that spreads itself ends here, and validation refuses it by name.
  measured.set(name, empty);
  const fragment = fragments.get(name);
  if (!fragment) return empty;
  const size = measure(fragment.selectionSet, fragments, measured);
  measured.set(name, size);
  return size;
}

function include(size: Size, inner: Size): void {
  size.aliases = add(size.aliases, inner.aliases);
  size.depth = Math.max(size.depth, inner.depth);
  size.fields = add(size.fields, inner.fields);
  size.directives = add(size.directives, inner.directives);
  size.selections = add(size.selections, inner.selections);
}
