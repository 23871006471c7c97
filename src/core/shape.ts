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
  /** Fields whose resolver loads one row by its key, and the column that holds the key: such rows are read along, in the same statement. */
  readonly along?: Readonly<Record<string, Reference>>;
  /** Set where pages may be read as JSON: what its columns are there that are not the same in JSON. One that is `never` read so is left to the driver. */
  readonly inJson?: Readonly<Record<string, 'instant' | 'never'>>;
}

type Special = Date | bigint | Uint8Array;

/** The columns that JSON has another form for, or whose type does not tell. */
type OtherInJson<Row extends object> = {
  [Column in keyof Row & string]: unknown extends Row[Column]
    ? Column
    : Extract<Row[Column], Special> extends never
      ? never
      : Column;
}[keyof Row & string];

/** A row of another shape that a row names by its key. */
export interface Reference {
  readonly column: string;
  readonly shape: KeyedShape<Record<string, unknown>>;
}

/** A shape whose rows one column tells apart: `load` looks them up by it. */
export interface KeyedShape<Row extends object> extends Shape<Row> {
  readonly key: keyof Row & string;
}

/** All that JSON has another form for must be named. */
interface Complete<Row extends object> {
  readonly inJson?: { readonly [Column in OtherInJson<Row>]: 'instant' | 'never' };
}

/** A shape whose columns must all be columns of its row type. */
export function shape<Row extends object>(spec: KeyedShape<Row> & Complete<Row>): KeyedShape<Row>;
export function shape<Row extends object>(spec: Shape<Row> & Complete<Row>): Shape<Row>;
export function shape<Row extends object>(spec: Shape<Row>): Shape<Row> {
  return spec;
}

interface FieldSelection {
  readonly selectionSet?: SelectionSet | undefined;
}

interface SelectionSet {
  readonly selections: readonly (FieldSelection & {
    readonly kind: string;
    readonly alias?: { readonly value: string } | undefined;
    readonly name?: { readonly value: string } | undefined;
  })[];
}

/** Where a resolver stands in an operation. GraphQL's own `info` fits. */
export interface Selection {
  readonly fieldNodes: readonly FieldSelection[];
  readonly fragments: Readonly<Record<string, { readonly selectionSet: SelectionSet }>>;
}

/** What a place of an operation reads of a shape. */
export interface Reading<Row extends object> {
  readonly columns: readonly (keyof Row & string)[];
  /** What tells it from other readings. */
  readonly name: string;
  /** The rows that are read along with each row. */
  readonly along: readonly Along[];
}

/** A row of another shape that a row names by its key, as its own resolver will ask for it. */
export interface Along extends Reference {
  readonly reading: Reading<Record<string, unknown>>;
}

/** Fields between a resolver and the rows it answers. */
const wrappers = new Set(['edges', 'node', 'nodes']);

const known = new WeakMap<object, Map<object, Map<string, unknown>>>();

/**
 * What is read of a shape at a place of an operation, and the columns `more`; without a place all of it. Worked out once for each place of a planned
 * operation.
 */
export function readingOf<Row extends object>(
  shape: Shape<Row>,
  at: Selection | undefined,
  more: readonly string[] = [],
): Reading<Row> {
  const place = at?.fieldNodes ?? shape;
  let byShape = known.get(place);
  if (!byShape) known.set(place, (byShape = new Map()));
  let byMore = byShape.get(shape);
  if (!byMore) byShape.set(shape, (byMore = new Map()));
  const name = more.length === 1 ? `${more[0]}` : more.join();
  let reading = byMore.get(name) as Reading<Row> | undefined;
  if (!reading) byMore.set(name, (reading = makeReading(shape, at, more)));
  return reading;
}

/** The reading of a page in this order, whose columns are read where cursors are made of them. */
export const readingOfPage = <Row extends object>(
  shape: Shape<Row>,
  at: Selection | undefined,
  { columns }: { readonly columns: readonly string[] },
): Reading<Row> => readingOf(shape, at, at && !asksCursors(at) ? [] : columns);

/** The reading of a row that its key asks for. The key tells what type a row is of, where an interface is answered. */
export const readingByKey = <Row extends object>(shape: KeyedShape<Row>, at: Selection | undefined): Reading<Row> =>
  readingOf(shape, at, [shape.key]);

/** The columns that an operation needs of a shape at this place, and `more`. */
export const columnsOf = <Row extends object>(
  shape: Shape<Row>,
  at: Selection | undefined,
  more: readonly string[] = [],
): readonly (keyof Row & string)[] => readingOf(shape, at, more).columns;

function makeReading<Row extends object>(
  shape: Shape<Row>,
  at: Selection | undefined,
  more: readonly string[],
): Reading<Row> {
  const nodes = at ? nodesAt(at) : [];
  const wanted = new Set<string>(at ? [...shape.always, ...more] : shape.columns);
  const along: Along[] = [];
  for (const [key, fieldNodes] of nodes) {
    const field = key.slice(key.indexOf(' ') + 1);
    for (const column of shape.fields[field] ?? [field]) wanted.add(column);
    const reference = shape.along?.[field];
    if (at && reference)
      along.push({ ...reference, reading: readingByKey(reference.shape, { fieldNodes, fragments: at.fragments }) });
  }
  const columns = shape.columns.filter((column) => wanted.has(column));
  const others = along.map(({ column, reading }) => `${column} → ${reading.name}`);
  return { columns, along, name: [`${shape.model}: ${columns.join()}`, ...others].join('; ') };
}

const cursors = new WeakMap<object, boolean>();

/** Whether cursors are made at a place that answers a connection. */
function asksCursors(at: Selection): boolean {
  let asked = cursors.get(at.fieldNodes);
  if (asked === undefined) {
    const keys = [...nodesAt(at).keys()];
    cursors.set(at.fieldNodes, (asked = keys.some((key) => key.endsWith(' pageInfo') || key.endsWith(' cursor'))));
  }
  return asked;
}

/** The nodes of each field of the rows at a place, by the field's key in the answer and its name. */
function nodesAt(at: Selection): Map<string, FieldSelection[]> {
  const found = new Map<string, FieldSelection[]>();
  const visit = (set: SelectionSet | undefined) => {
    for (const node of set?.selections ?? []) {
      const field = node.name?.value ?? '';
      if (node.kind === 'FragmentSpread') visit(at.fragments[field]?.selectionSet);
      else if (node.kind === 'InlineFragment' || wrappers.has(field)) visit(node.selectionSet);
      else {
        const key = `${node.alias?.value ?? field} ${field}`;
        const nodes = found.get(key);
        if (nodes) nodes.push(node);
        else found.set(key, [node]);
      }
    }
  };
  for (const node of at.fieldNodes) visit(node.selectionSet);
  return found;
}
