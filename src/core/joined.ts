import { keepAlong } from './along.js';
import type { Ctx } from './context.js';
import { AppError } from './errors.js';
import { instantsInJson, jsonRowsSql, rowsOfJson } from './json-rows.js';
import type { Listed } from './list-field.js';
import { type Window, windowOf } from './page.js';
import { type ListPlace, type Reading, readingOfPage, type Selection } from './reading.js';
import { nameOf, pageSql, type Related } from './related.js';
import type { AnyRow } from './shape.js';
import { type VisibleSql, windowSql } from './sql.js';

/** A page of a list that is read in the statement of the rows that it hangs on, as one JSON value of each. */
export interface Joined {
  readonly key: string;
  /** The columns of the row that are the first keys of the list. */
  readonly of: readonly string[];
  readonly related: Related<AnyRow>;
  readonly reading: Reading<AnyRow>;
  readonly instants: readonly string[];
  readonly window: Window;
  /** What its further keys and filters compare with. */
  readonly values: readonly string[];
  readonly lists: readonly Joined[];
}

const none: readonly Joined[] = [];

/** The lists that are read in the statement of the rows at a place. All others their own fields read, with a statement for each. */
export function joinedAt(ctx: Ctx, { lists }: Reading<never>, at: Selection | undefined): readonly Joined[] {
  return lists.length === 0 || !at ? none : lists.flatMap((place) => joinedList(ctx, place, at) ?? []);
}

function joinedList(ctx: Ctx, place: ListPlace, at: Selection): Joined | undefined {
  const { field, planned } = place;
  const args = at.argsOf?.(planned);
  if (!args || !field.holds(ctx)) return undefined;
  // A cursor is bound to its parent, which is not known before the row is.
  if (args['after'] != null || args['before'] != null) return undefined;
  const asked = soundly(() => {
    const listed: Listed<AnyRow> = field.listed(args);
    return { ...listed, window: windowOf(args, listed.list.order, '', listed.list.largest) };
  });
  if (!asked) return undefined;
  const { list: related, values, window } = asked;
  const reading = readingOfPage(related.shape, planned, related.order);
  const instants = instantsInJson(related.shape, reading);
  if (!instants) return undefined;
  return {
    key: planned.key,
    of: field.of,
    related,
    reading,
    instants,
    window,
    values,
    lists: joinedAt(ctx, reading, at),
  };
}

/** What `make` makes; nothing for what is wrong with the arguments, which the field itself will say where it stands. */
function soundly<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch (error) {
    if (error instanceof AppError) return undefined;
    throw error;
  }
}

/** What tells the statement with these lists from others. */
export function joinedName(lists: readonly Joined[]): string {
  let name = '';
  for (const { related, reading, window, lists: below } of lists)
    name += ` with ${nameOf(related)} ${windowSql(related.order, window).name}: ${reading.name} (${joinedName(below)})`;
  return name;
}

/** What tells rows with these lists from others in one operation. */
export function joinedKey(lists: readonly Joined[]): string {
  if (lists.length === 0) return '';
  const keys = (all: readonly Joined[]): unknown[] => all.map(({ key, lists: below }) => [key, keys(below)]);
  return `${joinedName(lists)} ${JSON.stringify([keys(lists), joinedValues(lists)])}`;
}

/** The values of the lists' parameters, in the order in which `joinedSql` asks for their placeholders. */
export const joinedValues = (lists: readonly Joined[]): unknown[] =>
  lists.flatMap(({ window, values, lists: below }) => [window.size + 1, ...values, ...joinedValues(below)]);

const columnOf = (at: number) => `*${at}`;

/** The SQL that reads the lists of the rows called `from`: what to select, and what to join. */
export function joinedSql(
  lists: readonly Joined[],
  from: string,
  visible: VisibleSql,
  placeholder: () => string,
): { select: string; join: string } {
  let select = '';
  let join = '';
  for (const [at, { of, related, reading, window, values, lists: below }] of lists.entries()) {
    const limit = placeholder();
    const parts = [...of.map((column) => `${from}."${column}"`), ...values.map(() => `${placeholder()}::text`)];
    const parent = parts.map((part, k) => `${part} as k${k}`).join(', ');
    const bounds = windowSql(related.order, window).make(placeholder);
    const page = pageSql({
      related,
      reading,
      bounds,
      limit,
      visible,
      more: joinedSql(below, 'r', visible, placeholder),
    });
    select += `, l${at}.rows as "${columnOf(at)}"`;
    join += ` left join lateral (select q.rows from (select ${parent}) p cross join lateral (${jsonRowsSql(page)}) q) l${at} on true`;
  }
  return { select, join };
}

const placeOf = (key: string | number) => `$${key}`;

/** Puts what came with the rows where the lists' fields look for it. */
export function keepJoined(ctx: Ctx, lists: readonly Joined[], rows: readonly object[]): void {
  for (const [at, { key, reading, instants, lists: below }] of lists.entries()) {
    const column = columnOf(at);
    const place = placeOf(key);
    for (const row of rows as Record<string, never>[]) {
      const found: object[] = rowsOfJson(row[column] ?? null, instants);
      Object.assign(row, { [place]: found });
      keepAlong(ctx, reading.along, found);
      keepJoined(ctx, below, found);
    }
  }
}

/** The rows of a list that came with its row; undefined where they did not. */
export const rowsJoined = <Row extends object>(row: object, { path }: Selection): readonly Row[] | undefined =>
  (row as Readonly<Record<string, readonly Row[] | undefined>>)[placeOf(path.key)];
