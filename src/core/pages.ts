import DataLoader from 'dataloader';
import type { JsonText } from '../platform/database/database.js';
import { keepAlong } from './along.js';
import type { Ctx } from './context.js';
import {
  type Joined,
  joinedAt,
  joinedKey,
  joinedName,
  joinedSql,
  joinedValues,
  keepJoined,
  rowsJoined,
} from './joined.js';
import { instantsInJson, jsonRowsSql, rowsOfJson } from './json-rows.js';
import type { Listed, ListField } from './list-field.js';
import { loaderNamed, statementNamed } from './loaders.js';
import { countLimit, type Page, type PageArgs, pageOf, type Window, windowOf } from './page.js';
import { type Reading, readingOfPage, type Selection } from './reading.js';
import { fromSql, nameOf, pageSql, partsOf, type Related, rulesSql } from './related.js';
import { roles } from './roles.js';
import { orderName, parentsSql, parentValues, placeholders, viewersSql, windowSql } from './sql.js';
import { ask } from './together.js';

/**
 * A field that is one page of a list. The columns `of` of the row are the list's first keys; the arguments may pick the list and give
 * the rest of its keys and filters. The page is read in the statement of the row where that is possible, and by `loadPage` where it is not.
 */
export function listField<Row extends object, Of extends string, Args extends PageArgs>(
  of: readonly Of[],
  list: Related<Row> | ((args: Args) => Listed<Row>),
) {
  const always = typeof list === 'function' ? null : { list, values: [] };
  const listed = (args: Args): Listed<Row> =>
    typeof list === 'function' ? list(args) : (always ?? { list, values: [] });
  const resolve = (row: Readonly<Record<Of, string>>, args: Args, ctx: Ctx, info: Selection) => {
    const { list: related, values } = listed(args);
    const parent = [...of.map((column) => row[column]), ...values];
    const rows = rowsJoined<Row>(row, info);
    return rows ? pageOfRows(ctx, related, parent, args, rows) : loadPage(ctx, related, parent, args, info);
  };
  const field: ListField = { of, listed, holds: () => true };
  return { resolve, extensions: { list: field } };
}

/**
 * One page of a parent's list, as the viewer may see it; `parent` gives the values of the list's keys, then of its filters. The pages of all parents of one
 * moment take one statement, and so do their counts.
 */
export async function loadPage<Row extends object>(
  ctx: Ctx,
  related: Related<Row>,
  parent: readonly string[],
  args: PageArgs,
  at?: Selection,
): Promise<Page<Row>> {
  const { shape, order } = related;
  const parentKey = JSON.stringify(parent);
  const window = windowOf(args, order, titleOf(related, parentKey), related.largest);
  const reading = readingOfPage(shape, at?.planned, order);
  const lists = joinedAt(ctx, reading, at, window.size);
  const name = `${nameOf(related)} by ${orderName(order)}: ${reading.name} ${JSON.stringify(window)}${joinedKey(lists)}`;
  const pages = loaderNamed<Row[]>(
    ctx,
    name,
    () => new DataLoader((parents) => pagesOf(ctx, { related, reading, window, lists }, parents)),
  );
  return pageOfWindow(ctx, related, parentKey, window, await pages.load(parentKey));
}

const titleOf = <Row extends object>(related: Related<Row>, parentKey: string) => `${nameOf(related)} ${parentKey}`;

function pageOfRows<Row extends object>(
  ctx: Ctx,
  related: Related<Row>,
  parent: readonly string[],
  args: PageArgs,
  rows: readonly Row[],
): Page<Row> {
  const parentKey = JSON.stringify(parent);
  const window = windowOf(args, related.order, titleOf(related, parentKey), related.largest);
  return pageOfWindow(ctx, related, parentKey, window, rows);
}

function pageOfWindow<Row extends object>(
  ctx: Ctx,
  related: Related<Row>,
  parentKey: string,
  window: Window,
  rows: readonly Row[],
): Page<Row> {
  return pageOf(rows, window, related.order, titleOf(related, parentKey), () =>
    loaderNamed(ctx, `count ${nameOf(related)}`, () => new DataLoader((all) => countsOf(ctx, related, all))).load(
      parentKey,
    ),
  );
}

interface Pages<Row extends object> {
  readonly related: Related<Row>;
  readonly reading: Reading<Row>;
  readonly window: Window;
  readonly lists: readonly Joined[];
}

async function pagesOf<Row extends object>(
  ctx: Ctx,
  { related, reading, window, lists }: Pages<Row>,
  parents: readonly string[],
) {
  const instants = instantsInJson(related.shape, reading);
  const parts = partsOf(related);
  const taken = windowSql(related.order, window);
  const own = [window.size + 1, ...taken.values, ...joinedValues(lists)];
  const name = `page ${nameOf(related)} ${reading.name} ${taken.name}${joinedName(lists)}`;
  const statement = statementNamed(name, () =>
    viewersSql(parts.length + own.length, (visible) => {
      const placeholder = placeholders(parts.length + 1);
      const limit = placeholder();
      const bounds = taken.make(placeholder);
      const more = joinedSql(lists, 'r', visible, placeholder);
      const page = pageSql({ related, reading, bounds, limit, visible, more });
      return `select p.i::int as "$i", r.* from ${parentsSql(parts)} cross join lateral (${instants ? jsonRowsSql(page) : page}) r`;
    }),
  );
  const values = [...parentValues(parts, parents), ...own, ...statement.values(await roles(ctx))];
  const pages: Row[][] = parents.map(() => []);
  if (instants) {
    const found = await ask<{ $i: number; rows: JsonText | null }>(ctx, statement.text, values);
    for (const { $i, rows } of found) pages[$i - 1] = rowsOfJson<Row>(rows, instants);
  } else {
    const rows = await ask<Row & { $i: number }>(ctx, statement.text, values);
    for (const row of rows) pages[row.$i - 1]?.push(row);
  }
  for (const page of pages) {
    keepAlong(ctx, reading.along, page);
    keepJoined(ctx, lists, page);
  }
  return pages;
}

async function countsOf<Row extends object>(
  ctx: Ctx,
  related: Related<Row>,
  parents: readonly string[],
): Promise<number[]> {
  const parts = partsOf(related);
  const statement = statementNamed(`count ${nameOf(related)}`, () =>
    viewersSql(parts.length, (visible) => {
      const rules = rulesSql(related, visible).join(' and ');
      return `select c.n::int as n from ${parentsSql(parts)} cross join lateral (
        select count(*) as n from (select from ${fromSql(related)} where ${rules} limit ${countLimit}) x) c order by p.i`;
    }),
  );
  const values = [...parentValues(parts, parents), ...statement.values(await roles(ctx))];
  const rows = await ask<{ n: number }>(ctx, statement.text, values);
  return rows.map(({ n }) => n);
}
