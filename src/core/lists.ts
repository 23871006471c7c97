import { alongSql, keepAlong } from './along.js';
import type { Ctx } from './context.js';
import { joinedAt, joinedName, joinedSql, joinedValues, keepJoined } from './joined.js';
import { statementNamed } from './loaders.js';
import { countLimit, type Order, type Page, type PageArgs, pageOf, type Window, windowOf } from './page.js';
import { readingOfPage, type Selection } from './reading.js';
import { roles } from './roles.js';
import type { Shape } from './shape.js';
import { notGoneSql, placeholders, viewerSql, viewersSql, windowSql } from './sql.js';
import { ask } from './together.js';

/** A list that does not hang on one parent's key: rows of a shape that pass some SQL. */
export interface List<Row extends object> {
  readonly shape: Shape<Row>;
  /** Names the SQL: lists of one name differ in their values only. */
  readonly name: string;
  /** SQL over `t`, with `$1`… for `values`. */
  readonly where: string;
  readonly values: readonly unknown[];
  /** The values with which `from` is all of the list, where `values` cut it to the page. */
  readonly whole?: readonly unknown[];
  readonly order: Order;
  readonly largest?: number;
  /** Where the rows come from, `t` included; the table itself when left out. May use `values`. */
  readonly from?: string;
  /** The only space that rows can be of, when that is known: a shorter question to the database. */
  readonly within?: string;
}

/** One page of the list as the viewer may see it, in one statement; a second one counts when asked for. */
export async function loadList<Row extends object>(
  ctx: Ctx,
  list: List<Row>,
  args: PageArgs,
  at?: Selection,
): Promise<Page<Row>> {
  const title = `${list.name} ${JSON.stringify(list.values)}`;
  return readList(ctx, list, windowOf(args, list.order, title, list.largest), title, at);
}

/** The same for a window that has been worked out already; `title` is what its cursors are bound to. */
export async function readList<Row extends object>(
  ctx: Ctx,
  list: List<Row>,
  window: Window,
  title: string,
  at?: Selection,
): Promise<Page<Row>> {
  const { shape, order } = list;
  const reading = readingOfPage(shape, at?.planned, order);
  const { columns, along } = reading;
  const lists = joinedAt(ctx, reading, at, window.size);
  const taken = windowSql(order, window);
  const own = [...list.values, window.size + 1, ...taken.values, ...joinedValues(lists)];
  const statement = statementNamed(`list ${list.name} ${reading.name} ${taken.name}${joinedName(lists)}`, () =>
    viewersSql(own.length, (visible) => {
      const placeholder = placeholders(list.values.length + 1);
      const limit = placeholder();
      const { rules: bounds, by } = taken.make(placeholder);
      const rules = [list.where, visible(shape.model, 't'), notGoneSql(shape), ...bounds].filter(Boolean).join(' and ');
      const names = columns.map((column) => `t."${column}"`).join(', ');
      const page = `select ${names} from ${list.from ?? `"${shape.model}" t`} where ${rules} order by ${by} limit ${limit}::int`;
      if (along.length + lists.length === 0) return page;
      const others = alongSql(along, 'r', visible);
      const pages = joinedSql(lists, 'r', visible, placeholder);
      return `select r.*${others.select}${pages.select} from (${page}) r${others.join}${pages.join}`;
    }),
  );
  // Who the rows name may be known from another space.
  const within = along.length + lists.length === 0 ? list.within : undefined;
  const viewer = statement.values(await roles(ctx), within);
  const rows = await ask<Row>(ctx, statement.text, [...own, ...viewer]);
  keepAlong(ctx, along, rows);
  keepJoined(ctx, lists, rows);
  return pageOf(rows, window, order, title, () => countList(ctx, list));
}

/** How many rows the list has, at most 10,000. */
async function countList<Row extends object>(ctx: Ctx, list: List<Row>): Promise<number> {
  const { shape, whole = list.values } = list;
  const statement = statementNamed(`count ${list.name}`, () =>
    viewerSql(shape.model, whole.length, (visible) => {
      const rules = [list.where, visible, notGoneSql(shape)].filter(Boolean).join(' and ');
      return `select count(*)::int as n from (select from ${list.from ?? `"${shape.model}" t`} where ${rules} limit ${countLimit}) x`;
    }),
  );
  const viewer = statement.values(await roles(ctx), list.within);
  const [row] = await ask<{ n: number }>(ctx, statement.text, [...whole, ...viewer]);
  return row?.n ?? 0;
}
