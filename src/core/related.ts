import { alongSql } from './along.js';
import type { Order } from './page.js';
import type { Reading } from './reading.js';
import type { Shape } from './shape.js';
import { notGoneSql, type VisibleSql } from './sql.js';

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

const names = new WeakMap<object, string>();

/** What tells a list from every other; most lists are constants, named once. */
export function nameOf<Row extends object>(related: Related<Row>): string {
  let name = names.get(related);
  if (name === undefined) {
    const { shape, keys, where = '', filters = [], from = '' } = related;
    name = [`${shape.model} of ${keys.join()} ${where}`, ...filters, from].filter(Boolean).join(' ');
    names.set(related, name);
  }
  return name;
}

/** The values of one parent, `p.k0`, `p.k1` and so on in SQL: its keys, then what its filters compare with. */
export const partsOf = <Row extends object>({ keys, filters = [] }: Related<Row>): readonly string[] => [
  ...keys,
  ...filters,
];

export const fromSql = <Row extends object>({ shape, from }: Related<Row>): string => from ?? `"${shape.model}" t`;

/** What rows of `t` must pass to be in the list of `p`, as the viewer sees it. */
export const rulesSql = <Row extends object>(
  { shape, keys, filters = [], where }: Related<Row>,
  visible: VisibleSql,
): string[] =>
  [
    ...keys.map((key, at) => `t."${key}" = p.k${at}`),
    ...filters.map((filter, at) => filter.replace('$', `p.k${keys.length + at}`)),
    visible(shape.model, 't'),
    where ?? '',
    notGoneSql(shape),
  ].filter(Boolean);

/** One page of a list as SQL. */
export interface PageSql<Row extends object> {
  readonly related: Related<Row>;
  readonly reading: Reading<Row>;
  /** Further rules, and what the rows are read by. */
  readonly bounds: { readonly rules: readonly string[]; readonly by: string };
  /** The placeholder of the most rows that it has. */
  readonly limit: string;
  readonly visible: VisibleSql;
  /** What else to select and join for rows called `r`. */
  readonly more: { readonly select: string; readonly join: string };
}

/** The rows of one page of the list of `p`, with those along. */
export function pageSql<Row extends object>({ related, reading, bounds, limit, visible, more }: PageSql<Row>): string {
  const columns = reading.columns.map((column) => `t."${column}"`).join(', ');
  const rules = [...rulesSql(related, visible), ...bounds.rules].join(' and ');
  const page = `select ${columns} from ${fromSql(related)} where ${rules} order by ${bounds.by} limit ${limit}::int`;
  const { select, join } = alongSql(reading.along, 'r', visible);
  return `select r.*${select}${more.select} from (${page}) r${join}${more.join}`;
}
