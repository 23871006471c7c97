import type { ListField } from './list-field.js';
import type { AnyRow, KeyedShape, Reference, Shape } from './shape.js';

/** A field of an operation, as it was planned: once for all that have the same text. */
export interface PlannedField {
  /** Its name in the answer. */
  readonly key: string;
  readonly field: { readonly name: string; readonly extensions: { readonly list?: ListField | undefined } };
  /** What is asked of the value; where it may be of several types, as one of the type of this name. */
  fieldsFor(type: string): readonly PlannedField[];
}

/** Where a resolver stands in an operation. The `info` of our execution fits; of one that tells nothing of a plan, everything is read. */
export interface Selection {
  readonly path: { readonly key: string | number };
  readonly planned?: PlannedField;
  /** The arguments of a field in this execution. */
  argsOf?(field: PlannedField): Readonly<Record<string, unknown>>;
}

/** What a place of an operation reads of a shape. */
export interface Reading<Row extends object> {
  readonly columns: readonly (keyof Row & string)[];
  /** What tells it from other readings, but for its lists. */
  readonly name: string;
  /** The rows that are read along with each row. */
  readonly along: readonly Along[];
  /** The lists that hang on each row. */
  readonly lists: readonly ListPlace[];
}

/** A row of another shape that a row names by its key, as its own resolver will ask for it. */
export interface Along extends Reference {
  readonly reading: Reading<AnyRow>;
}

/** Where an operation asks for a list of each row. */
export interface ListPlace {
  readonly field: ListField;
  readonly planned: PlannedField;
}

const known = new WeakMap<object, Map<object, Map<string, unknown>>>();

/** What is read of a shape at a place of an operation, and the columns `more`; without a place all of it. Worked out once for each place. */
export function readingOf<Row extends object>(
  shape: Shape<Row>,
  planned: PlannedField | undefined,
  more: readonly string[] = [],
): Reading<Row> {
  const place = planned ?? shape;
  let byShape = known.get(place);
  if (!byShape) known.set(place, (byShape = new Map()));
  let byMore = byShape.get(shape);
  if (!byMore) byShape.set(shape, (byMore = new Map()));
  const name = more.length === 1 ? `${more[0]}` : more.join();
  let reading = byMore.get(name) as Reading<Row> | undefined;
  if (!reading) byMore.set(name, (reading = makeReading(shape, planned, more)));
  return reading;
}

/** The reading of a page in this order, whose columns are read where cursors are made of them. */
export const readingOfPage = <Row extends object>(
  shape: Shape<Row>,
  planned: PlannedField | undefined,
  { columns }: { readonly columns: readonly string[] },
): Reading<Row> => readingOf(shape, planned, planned && !asksCursors(planned) ? [] : columns);

/** The reading of a row that its key asks for. The key tells what type a row is of, where an interface is answered. */
export const readingByKey = <Row extends object>(
  shape: KeyedShape<Row>,
  planned: PlannedField | undefined,
): Reading<Row> => readingOf(shape, planned, [shape.key]);

/** The columns that an operation needs of a shape at this place, and `more`. */
export const columnsOf = <Row extends object>(
  shape: Shape<Row>,
  at: Selection | undefined,
  more: readonly string[] = [],
): readonly (keyof Row & string)[] => readingOf(shape, at?.planned, more).columns;

function makeReading<Row extends object>(
  shape: Shape<Row>,
  planned: PlannedField | undefined,
  more: readonly string[],
): Reading<Row> {
  const wanted = new Set<string>(planned ? [...shape.always, ...more] : shape.columns);
  const along: Along[] = [];
  const lists: ListPlace[] = [];
  for (const one of planned ? fieldsOfRows(planned, shape.model) : []) {
    const { name, extensions } = one.field;
    for (const column of shape.fields[name] ?? [name]) wanted.add(column);
    const reference = shape.along?.[name];
    if (reference) along.push({ ...reference, reading: readingByKey(reference.shape, one) });
    if (!extensions.list) continue;
    lists.push({ field: extensions.list, planned: one });
    for (const column of extensions.list.of) wanted.add(column);
  }
  const columns = shape.columns.filter((column) => wanted.has(column));
  const others = along.map(({ column, reading }) => `${column} → ${reading.name}`);
  // Rows that are asked for several lists of one name (as `edges { node }` and as `nodes`) keep none of them.
  const own = lists.filter(({ planned: { key } }) => lists.filter((other) => other.planned.key === key).length === 1);
  return { columns, along, lists: own, name: [`${shape.model}: ${columns.join()}`, ...others].join('; ') };
}

/** Fields between a resolver and the rows it answers. */
const wrappers = new Set(['edges', 'node', 'nodes']);

/** What is asked of the rows of a model at a place. */
const fieldsOfRows = (planned: PlannedField, model: string): readonly PlannedField[] =>
  planned.fieldsFor(model).flatMap((one) => (wrappers.has(one.field.name) ? fieldsOfRows(one, model) : [one]));

const cursors = new WeakMap<object, boolean>();

/** Whether cursors are made at a place that answers a connection. */
function asksCursors(planned: PlannedField): boolean {
  let asked = cursors.get(planned);
  if (asked === undefined) {
    const names = fieldsOfRows(planned, '').map(({ field }) => field.name);
    cursors.set(planned, (asked = names.includes('pageInfo') || names.includes('cursor')));
  }
  return asked;
}
