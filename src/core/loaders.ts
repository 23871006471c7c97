import DataLoader from 'dataloader';
import { LRUCache } from 'lru-cache';
import type { JsonText } from '../platform/database/database.js';
import { alongSql, keepAlong, rowAlong } from './along.js';
import { type Ctx, perEpoch } from './context.js';
import { notFound } from './errors.js';
import { instantsInJson, jsonRowsSql, rowsOfJson } from './json-rows.js';
import { countLimit, type Order, type Page, type PageArgs, pageOf, type Window, windowOf } from './page.js';
import { roles } from './roles.js';
import { type KeyedShape, type Reading, readingByKey, readingOfPage, type Selection, type Shape } from './shape.js';
import { notGoneSql, orderName, parentsSql, parentValues, type Statement, viewerSql, windowSql } from './sql.js';

type AnyLoader = DataLoader<string, unknown>;

const loaders = perEpoch(() => new Map<string, AnyLoader>());

/** The operation's loader of this name; its key must hold all that changes the answer besides the viewer. */
export function loaderNamed<Value>(
  ctx: Ctx,
  name: string,
  make: () => DataLoader<string, Value>,
): DataLoader<string, Value> {
  const all = loaders(ctx);
  const known = all.get(name);
  if (known) return known as DataLoader<string, Value>;
  const loader = make();
  all.set(name, loader as AnyLoader);
  return loader;
}

/**
 * The row with this key as the viewer may see it, or null. All rows asked for in one moment take one statement, and of
 * each only the columns that `at` selects (all of them when it is left out).
 */
export function load<Row extends object>(
  ctx: Ctx,
  shape: KeyedShape<Row>,
  id: string,
  at?: Selection,
): Promise<Row | null> {
  return loadBy(ctx, shape, shape.key, id, at);
}

/** The same for a field that its shape names under `along`: mostly the row has been read with the one that names it, and is there at once. */
export function loadAlong<Row extends object>(
  ctx: Ctx,
  shape: KeyedShape<Row>,
  id: string,
  at: Selection,
): Row | null | Promise<Row | null> {
  const row = rowAlong(ctx, readingByKey(shape, at), id);
  return row === undefined ? load(ctx, shape, id, at) : row;
}

/** The row of an id that has to be there: NOT_FOUND for one that does not exist, has just gone, or is not the viewer's to see. */
export async function loadExisting<Row extends object>(
  ctx: Ctx,
  shape: KeyedShape<Row>,
  id: string,
  at?: Selection,
): Promise<Row> {
  const row = await load(ctx, shape, id, at);
  if (!row) throw notFound();
  return row;
}

/** The same as `load` by another unique column. */
export function loadBy<Row extends object>(
  ctx: Ctx,
  shape: KeyedShape<Row>,
  by: string,
  value: string,
  at?: Selection,
): Promise<Row | null> {
  const reading = readingByKey(shape, at);
  const name = `by ${by} ${reading.name}`;
  return loaderNamed<Row | null>(
    ctx,
    name,
    () => new DataLoader(rowsBy(ctx, shape, by, reading, name), { maxBatchSize: 500 }),
  ).load(value);
}

// Clients choose the columns, and so how many statements there are.
const statements = new LRUCache<string, Statement>({ max: 500 });

/** Statements are text made once for each name, while they are in use. */
export function statementNamed(name: string, make: () => Statement): Statement {
  let statement = statements.get(name);
  if (!statement) statements.set(name, (statement = make()));
  return statement;
}

function rowsBy<Row extends object>(
  ctx: Ctx,
  shape: KeyedShape<Row>,
  by: string,
  { columns, along }: Reading<Row>,
  name: string,
) {
  return async (keys: readonly string[]): Promise<(Row | null)[]> => {
    const statement = statementNamed(name, () =>
      viewerSql(shape.model, 1, (visible, visibleOf) => {
        const list = columns.map((column) => `t."${column}"`).join(', ');
        const { select, join } = alongSql(along, 't', visibleOf);
        const rules = [notGoneSql(shape), visible].filter(Boolean).join(' and ');
        // Citext columns compare without case, so what was asked for is answered by its place, not by the value found.
        return `select k.i::int as "$i", ${list}${select} from unnest($1::text[]) with ordinality k(v, i)
          join "${shape.model}" t on t."${by}" = k.v${by === shape.key ? '' : '::citext'}${join} where ${rules}`;
      }),
    );
    const viewer = statement.values(await roles(ctx));
    const rows = await ctx.app.database.query<Row & { $i: number }>(statement.text, [keys, ...viewer]);
    keepAlong(ctx, along, rows);
    const found: (Row | null)[] = keys.map(() => null);
    for (const row of rows) found[row.$i - 1] = row;
    return found;
  };
}

/** A list of rows that hang on a parent. */
export interface Related<Row extends object> {
  readonly shape: Shape<Row>;
  /** The columns that name the parent. */
  readonly keys: readonly string[];
  readonly order: Order;
  /** SQL over `t` that rows must pass besides, without parameters. */
  readonly where?: string;
  /** SQL over `t` of one more value of the parent each, which stands as `$` in it. */
  readonly filters?: readonly string[];
  /** Where the rows come from, `t` included; the table itself when left out. */
  readonly from?: string;
  readonly largest?: number;
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
  const list = nameOf(related);
  const parentKey = JSON.stringify(parent);
  const title = `${list} ${parentKey}`;
  const window = windowOf(args, order, title, related.largest);
  const reading = readingOfPage(shape, at, order);
  const name = `${list} by ${orderName(order)}: ${reading.name} ${JSON.stringify(window)}`;
  const pages = loaderNamed<Row[]>(
    ctx,
    name,
    () => new DataLoader((parents) => pagesOf(ctx, related, reading, window, parents)),
  );
  const counts = () =>
    loaderNamed<number>(ctx, `count ${list}`, () => new DataLoader((parents) => countsOf(ctx, related, parents)));
  return pageOf(await pages.load(parentKey), window, order, title, () => counts().load(parentKey));
}

const names = new WeakMap<object, string>();

/** What tells a list from every other; most lists are constants, named once. */
function nameOf<Row extends object>(related: Related<Row>): string {
  let name = names.get(related);
  if (name === undefined) {
    const { shape, keys, where = '', filters = [], from = '' } = related;
    name = [`${shape.model} of ${keys.join()} ${where}`, ...filters, from].filter(Boolean).join(' ');
    names.set(related, name);
  }
  return name;
}

/** The values of one parent: its keys, then what its filters compare with. */
const partsOf = <Row extends object>({ keys, filters = [] }: Related<Row>) => [...keys, ...filters];

const fromSql = <Row extends object>({ shape, from }: Related<Row>) => from ?? `"${shape.model}" t`;

const rulesSql = <Row extends object>({ shape, keys, filters = [], where }: Related<Row>, visible: string) =>
  [
    ...keys.map((key, at) => `t."${key}" = p.k${at}`),
    ...filters.map((filter, at) => filter.replace('$', `p.k${keys.length + at}`)),
    visible,
    where,
    notGoneSql(shape),
  ].filter(Boolean);

async function pagesOf<Row extends object>(
  ctx: Ctx,
  related: Related<Row>,
  reading: Reading<Row>,
  window: Window,
  parents: readonly string[],
) {
  const { shape, order } = related;
  const { columns, along, name } = reading;
  const instants = instantsInJson(shape, reading);
  const parts = partsOf(related);
  const taken = windowSql(order, window);
  const own = parts.length + 1 + taken.values.length;
  const statement = statementNamed(`page ${nameOf(related)} ${name} ${taken.name}`, () =>
    viewerSql(shape.model, own, (visible, visibleOf) => {
      const { rules: bounds, by } = taken.make(parts.length + 2);
      const rules = [...rulesSql(related, visible), ...bounds];
      const { select, join } = alongSql(along, 'r', visibleOf);
      const page = `select r.*${select} from (select ${columns.map((column) => `t."${column}"`).join(', ')} from ${fromSql(related)}
        where ${rules.join(' and ')} order by ${by} limit $${parts.length + 1}) r${join}`;
      return `select p.i::int as "$i", r.* from ${parentsSql(parts)} cross join lateral (${instants ? jsonRowsSql(page) : page}) r`;
    }),
  );
  const viewer = statement.values(await roles(ctx));
  const values = [...parentValues(parts, parents), window.size + 1, ...taken.values, ...viewer];
  const pages: Row[][] = parents.map(() => []);
  if (instants) {
    const found = await ctx.app.database.query<{ $i: number; rows: JsonText | null }>(statement.text, values);
    for (const { $i, rows } of found) pages[$i - 1] = rowsOfJson<Row>(rows, instants);
  } else {
    const rows = await ctx.app.database.query<Row & { $i: number }>(statement.text, values);
    for (const row of rows) pages[row.$i - 1]?.push(row);
  }
  for (const page of pages) keepAlong(ctx, along, page);
  return pages;
}

async function countsOf<Row extends object>(
  ctx: Ctx,
  related: Related<Row>,
  parents: readonly string[],
): Promise<number[]> {
  const parts = partsOf(related);
  const statement = statementNamed(`count ${nameOf(related)}`, () =>
    viewerSql(related.shape.model, parts.length, (visible) => {
      const rules = rulesSql(related, visible).join(' and ');
      return `select c.n::int as n from ${parentsSql(parts)} cross join lateral (
        select count(*) as n from (select from ${fromSql(related)} where ${rules} limit ${countLimit}) x) c order by p.i`;
    }),
  );
  const viewer = statement.values(await roles(ctx));
  const values = [...parentValues(parts, parents), ...viewer];
  const rows = await ctx.app.database.query<{ n: number }>(statement.text, values);
  return rows.map(({ n }) => n);
}
