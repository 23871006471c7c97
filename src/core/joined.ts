import { keepAlong } from './along.js';
import type { Ctx } from './context.js';
import { isSoundText } from './json.js';
import { instantsInJson, jsonRowsSql, rowsOfJson } from './json-rows.js';
import type { ListField } from './list-field.js';
import { type Window, windowOf } from './page.js';
import { type ListPlace, type PlannedField, type Reading, readingOfPage, type Selection } from './reading.js';
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

/** What one statement reads at most: planning takes its time for each list, and all rows of an answer are in memory at once. */
const limits = { lists: 32, rows: 100_000 } as const;

/** How many more lists a statement has room for. */
interface Room {
  lists: number;
}

/** The lists that are read in the statement of the rows at a place, up to `rows` of them. All others their own fields read, with a statement for each. */
export function joinedAt(
  ctx: Ctx,
  { lists }: Reading<never>,
  at: Selection | undefined,
  rows = 1,
  room: Room = { lists: limits.lists },
): readonly Joined[] {
  return lists.length === 0 || !at ? none : lists.flatMap((place) => joinedList(ctx, place, at, rows, room) ?? []);
}

function joinedList(
  ctx: Ctx,
  { field, planned }: ListPlace,
  at: Selection,
  parents: number,
  room: Room,
): Joined | undefined {
  const asked = room.lists > 0 && field.holds(ctx) ? askedOf(field, planned, at) : undefined;
  if (!asked) return undefined;
  const { list: related, values, window } = asked;
  const rows = parents * window.size;
  const reading = readingOfPage(related.shape, planned, related.order);
  const instants = instantsInJson(related.shape, reading);
  if (!instants || rows > limits.rows) return undefined;
  room.lists -= 1;
  return {
    key: planned.key,
    of: field.of,
    related,
    reading,
    instants,
    window,
    values,
    lists: joinedAt(ctx, reading, at, rows, room),
  };
}

/** The list that a field asks for; nothing where something is wrong with its arguments, which the field itself will say where it stands. */
function askedOf(field: ListField, planned: PlannedField, at: Selection) {
  try {
    const args = at.argsOf?.(planned);
    // A cursor is bound to its parent, which is not known before the row is.
    if (!args || args['after'] != null || args['before'] != null) return undefined;
    const { list, values } = field.listed(args);
    const window = windowOf(args, list.order, '', list.largest);
    return values.every(isSoundText) ? { list, values, window } : undefined;
  } catch {
    return undefined;
  }
}

/** What tells the statement with these lists from others. */
export function joinedName(lists: readonly Joined[]): string {
  let name = '';
  for (const { of, related, reading, window, lists: below } of lists)
    name += ` with ${nameOf(related)} = ${of.join()} ${windowSql(related.order, window).name}: ${reading.name} (${joinedName(below)})`;
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
