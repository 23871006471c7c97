import { JsonText } from '../platform/database/database.js';
import { nameAlong } from './along.js';
import type { Reading } from './reading.js';
import type { Shape } from './shape.js';

const known = new WeakMap<object, readonly string[] | null>();

/** The instants in the rows of a reading, when its rows can be read as JSON; null when they cannot. */
export function instantsInJson<Row extends object>(shape: Shape<Row>, reading: Reading<Row>): readonly string[] | null {
  let instants = known.get(reading);
  if (instants === undefined) known.set(reading, (instants = findInstants(shape, reading)));
  return instants;
}

function findInstants<Row extends object>(shape: Shape<Row>, { columns, along }: Reading<Row>): string[] | null {
  const all = [
    { shape, columns, name: (column: string) => column },
    ...along.map(({ shape, reading }, at) => ({
      shape,
      columns: reading.columns,
      name: (column: string) => nameAlong(at, column),
    })),
  ];
  const found: string[] = [];
  for (const { shape, columns, name } of all) {
    for (const column of columns) {
      if (shape.inJson[column] === 'never') return null;
      if (shape.inJson[column] === 'instant') found.push(name(column));
    }
  }
  return found;
}

/**
 * SQL that answers all rows of a query in one value, `rows`. The engine parses one JSON text several times faster than the driver does the fields of
 * as many rows.
 */
export const jsonRowsSql = (query: string): string => `select json_agg(x) as rows from (${query}) x`;

/** The rows in such a value, or in one that another of them held; null stands for none. */
export function rowsOfJson<Row extends object>(
  json: JsonText | readonly object[] | null,
  instants: readonly string[],
): Row[] {
  if (json === null) return [];
  const rows = (json instanceof JsonText ? json.toJSON() : json) as Record<string, unknown>[];
  for (const name of instants) {
    for (const row of rows) {
      const value = row[name];
      if (typeof value === 'string') row[name] = new Date(value);
    }
  }
  return rows as Row[];
}
