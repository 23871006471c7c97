import type { Prisma } from '../generated/prisma/client.js';

/** A model as it leaves the database, declared once as data; loaders, pages and filters are made from it. */
export interface Shape<Row extends object> {
  readonly model: Prisma.ModelName;
  /** Every column that may leave the database. */
  readonly columns: readonly (keyof Row & string)[];
  /** Columns behind each SDL field that is not simply the column of the same name. */
  readonly fields: Readonly<Record<string, readonly (keyof Row & string)[]>>;
  /** Columns that are always read: the key, and what resolvers decide by. */
  readonly always: readonly (keyof Row & string)[];
  /** Rows with this column set are gone. */
  readonly gone?: string;
}

/** A shape whose rows one column tells apart: `load` looks them up by it. */
export interface KeyedShape<Row extends object> extends Shape<Row> {
  readonly key: keyof Row & string;
}

/** A shape whose columns must all be columns of its row type. */
export function shape<Row extends object>(spec: KeyedShape<Row>): KeyedShape<Row>;
export function shape<Row extends object>(spec: Shape<Row>): Shape<Row>;
export function shape<Row extends object>(spec: Shape<Row>): Shape<Row> {
  return spec;
}

interface SelectionSet {
  readonly selections: readonly {
    readonly kind: string;
    readonly name?: { readonly value: string };
    readonly selectionSet?: SelectionSet;
  }[];
}

/** Where a resolver stands in an operation. GraphQL's own `info` fits. */
export interface Selection {
  readonly fieldNodes: readonly { readonly selectionSet?: SelectionSet }[];
  readonly fragments: Readonly<Record<string, { readonly selectionSet: SelectionSet }>>;
}

/** Fields between a resolver and the rows it answers. */
const wrappers = new Set(['edges', 'node', 'nodes']);

const known = new WeakMap<object, Map<string, readonly string[]>>();

/**
 * The columns that an operation needs of a shape at this place, and `more`; without a place all of them. Worked out once for each place of a
 * cached document.
 */
export function columnsOf<Row extends object>(
  shape: Shape<Row>,
  at: Selection | undefined,
  more: readonly string[] = [],
): readonly (keyof Row & string)[] {
  if (!at) return shape.columns;
  const [only, ...others] = at.fieldNodes;
  if (!only || others.length > 0) return collect(shape, at, more);
  let byShape = known.get(only);
  if (!byShape) known.set(only, (byShape = new Map()));
  const name = `${shape.model} ${more.join()}`;
  let columns = byShape.get(name);
  if (!columns) byShape.set(name, (columns = collect(shape, at, more)));
  return columns as readonly (keyof Row & string)[];
}

function collect<Row extends object>(
  shape: Shape<Row>,
  at: Selection,
  more: readonly string[],
): readonly (keyof Row & string)[] {
  const wanted = new Set<string>([...shape.always, ...more]);
  const visit = (set: SelectionSet | undefined) => {
    for (const { kind, name, selectionSet } of set?.selections ?? []) {
      const field = name?.value ?? '';
      if (kind === 'FragmentSpread') visit(at.fragments[field]?.selectionSet);
      else if (kind === 'InlineFragment' || wrappers.has(field)) visit(selectionSet);
      else for (const column of shape.fields[field] ?? [field]) wanted.add(column);
    }
  };
  for (const node of at.fieldNodes) visit(node.selectionSet);
  return shape.columns.filter((column) => wanted.has(column));
}
