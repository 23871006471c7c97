import { createHash } from 'node:crypto';
import { AppError, badInput } from './errors.js';

/** The four arguments of every connection. */
export interface PageArgs {
  readonly first?: number | null | undefined;
  readonly after?: string | null | undefined;
  readonly last?: number | null | undefined;
  readonly before?: string | null | undefined;
}

/** One page of rows in the order of its list, and what a connection tells about it. */
export interface Page<Row extends object = object> {
  readonly rows: readonly Row[];
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
  cursorOf(row: Row): string;
  /** Where the next page begins, when that is not the last row's cursor. */
  readonly endCursor?: string | null;
  /** How many rows the whole list has, counted when asked for, at most 10,000. */
  readonly total: () => Promise<number>;
}

/** One row of a page with its place. */
export interface Edge<Row extends object = object> {
  readonly page: Page<Row>;
  readonly row: Row;
}

/** A list's order: columns, of which the last is unique; all in one direction. */
export interface Order {
  readonly columns: readonly string[];
  readonly direction: 'asc' | 'desc';
}

/** Which rows of a list a page takes: `limit` rows (one more than the page shows) on the far side of a cursor. */
export interface Window {
  readonly size: number;
  readonly backwards: boolean;
  /** Values of the order's columns that rows must come strictly after (before, for `before`). */
  readonly after: readonly unknown[] | null;
  readonly before: readonly unknown[] | null;
}

const defaultSize = 20;
export const countLimit = 10_000;

/** Checks the arguments. `list` names the list with its filters: a cursor of another list is BAD_USER_INPUT. */
export function windowOf(args: PageArgs, order: Order, list: string, largest = 100): Window {
  const { first, last } = args;
  if (first != null && last != null) throw badInput('last', 'cannot be combined with first');
  const size = first ?? last ?? defaultSize;
  if (!Number.isInteger(size) || size < 1 || size > largest) {
    throw badInput(last == null ? 'first' : 'last', `must be between 1 and ${largest}`);
  }
  return {
    size,
    backwards: last != null,
    after: args.after == null ? null : decodeCursor(args.after, 'after', order, list),
    before: args.before == null ? null : decodeCursor(args.before, 'before', order, list),
  };
}

/** Makes a page of the up to `size + 1` rows that were found, in the order they were read (from the end when backwards). */
export function pageOf<Row extends object>(
  found: readonly Row[],
  window: Window,
  order: Order,
  list: string,
  total: () => Promise<number>,
): FoundPage<Row> {
  const more = found.length > window.size;
  const rows = more ? found.slice(0, window.size) : [...found];
  if (window.backwards) rows.reverse();
  return new FoundPage(rows, window, more, order, list, total);
}

// A class, because an answer may have thousands of them: functions of its own for each would be most of its cost.
class FoundPage<Row extends object> implements Page<Row> {
  readonly rows: readonly Row[];
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
  readonly #order: Order;
  readonly #list: string;
  readonly total: () => Promise<number>;

  constructor(
    rows: readonly Row[],
    { backwards, after, before }: Window,
    more: boolean,
    order: Order,
    list: string,
    total: () => Promise<number>,
  ) {
    this.rows = rows;
    this.hasNextPage = backwards ? before !== null : more;
    this.hasPreviousPage = backwards ? more : after !== null;
    this.#order = order;
    this.#list = list;
    this.total = total;
  }

  cursorOf(row: Row): string {
    const values = this.#order.columns.map((column) => (row as Record<string, unknown>)[column]);
    return encodeCursor(values, this.#order, this.#list);
  }
}

const tags = new Map<string, string>();

/** A few characters that stand for an order and a filter. */
function tagOf(order: Order, list: string): string {
  const text = `${list} ${order.direction} ${order.columns.join()}`;
  const known = tags.get(text);
  if (known) return known;
  const tag = createHash('sha256').update(text).digest('base64url').slice(0, 8);
  if (tags.size < 1_000) tags.set(text, tag);
  return tag;
}

function encodeCursor(values: readonly unknown[], order: Order, list: string): string {
  return Buffer.from(JSON.stringify([tagOf(order, list), ...values])).toString('base64url');
}

function decodeCursor(cursor: string, argument: string, order: Order, list: string): unknown[] {
  const [tag, ...values] = readJsonArray(cursor);
  const sound =
    values.length === order.columns.length &&
    values.every((value) => typeof value === 'string' || typeof value === 'number');
  if (!sound || tag !== tagOf(order, list)) {
    throw new AppError('BAD_USER_INPUT', `${argument}: not a cursor of this list.`, {
      fields: [{ path: argument, message: 'not a cursor of this list, order and filter' }],
    });
  }
  return values;
}

function readJsonArray(cursor: string): unknown[] {
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    return Array.isArray(value) ? value : [];
  } catch {
    return []; // Not JSON is not a cursor, which the caller says.
  }
}
