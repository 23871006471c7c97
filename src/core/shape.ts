import type { Prisma } from '../generated/prisma/client.js';

/** A row of whatever shape. */
export type AnyRow = Record<string, unknown>;

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
  /** Columns that are not the same when they are read as JSON, as pages are. */
  readonly inJson: Readonly<Record<string, InJson>>;
}

/** What is `never` read as JSON is left to the driver; an `int8` is a number in JSON, and text from the driver. */
type InJson = 'instant' | 'int8' | 'never';

/** A large whole number: text from the driver, a number where the row was read as JSON. */
export type Int8 = string | number;

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
  readonly shape: KeyedShape<AnyRow>;
}

/** A shape whose rows one column tells apart: `load` looks them up by it. */
export interface KeyedShape<Row extends object> extends Shape<Row> {
  readonly key: keyof Row & string;
}

/** All that JSON has another form for must be named. */
interface Complete<Row extends object> {
  readonly inJson: { readonly [Column in OtherInJson<Row>]: InJson };
}

/** A shape whose columns must all be columns of its row type. */
export function shape<Row extends object>(spec: KeyedShape<Row> & Complete<Row>): KeyedShape<Row>;
export function shape<Row extends object>(spec: Shape<Row> & Complete<Row>): Shape<Row>;
export function shape<Row extends object>(spec: Shape<Row>): Shape<Row> {
  return spec;
}
