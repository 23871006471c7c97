import type { Prisma } from '../generated/prisma/client.js';
import type { Order, Window } from './page.js';
import type { Roles } from './roles.js';
import { type Rule, ruleSql, type ViewerParam, viewerValue } from './rule.js';
import { visibility } from './visibility.js';

/** Text that is made once, and the viewer's part of its values. */
export interface Statement {
  readonly text: string;
  /** The values of the viewer's parameters, which come after the statement's own. */
  values(roles: Roles, within?: string): unknown[];
}

/** The SQL that holds for those rows of a model, called `alias`, which the viewer may see. */
export type VisibleSql = (model: Prisma.ModelName, alias: string) => string;

/**
 * A statement over rows of `model` (called `t`) whose `visible` SQL holds for what the viewer may see; `visibleOf` is the same for rows of others in it.
 * `own` parameters come before the viewer's.
 */
export const viewerSql = (
  model: Prisma.ModelName,
  own: number,
  make: (visible: string, visibleOf: VisibleSql) => string,
): Statement => viewersSql(own, (visible) => make(visible(model, 't'), visible));

/** The same over rows of several models: `visible` gives the rule of each, for rows called `alias`. */
export const viewersSql = (own: number, make: (visible: VisibleSql) => string): Statement =>
  rulesSql(own, (sql) => make((model, alias) => sql(visibility[model], alias)));

/** The same by any rules: `sql` says one over rows called `alias`. */
export function rulesSql(own: number, make: (sql: (rule: Rule, alias: string) => string) => string): Statement {
  const params: ViewerParam[] = [];
  const bind = (param: ViewerParam) => {
    if (!params.includes(param)) params.push(param);
    return `$${own + 1 + params.indexOf(param)}`;
  };
  const text = make((rule, alias) => ruleSql(rule, alias, bind));
  return { text, values: (roles, within) => params.map((param) => viewerValue(param, roles, within)) };
}

/** Parents as the first parameters of a statement: one array for each of their values. */
export function parentsSql(parts: readonly string[]): string {
  const arrays = parts.map((_, at) => `$${at + 1}::text[]`).join(', ');
  return `unnest(${arrays}) with ordinality p(${parts.map((_, at) => `k${at}`).join(', ')}, i)`;
}

/** Their values, of parents that are each written as a JSON array. */
export function parentValues(parts: readonly string[], parents: readonly string[]): string[][] {
  const tuples = parents.map((parent) => JSON.parse(parent) as string[]);
  return parts.map((_, at) => tuples.map((tuple) => tuple[at] ?? ''));
}

/** Gives `$first`, `$first + 1`, … */
export function placeholders(first: number): () => string {
  let next = first;
  return () => `$${next++}`;
}

/** Leaves out rows of `t`, or of another alias, that are gone; empty for a shape whose rows never are. */
export const notGoneSql = ({ gone }: { readonly gone?: string }, alias = 't') =>
  gone ? `${alias}."${gone}" is null` : '';

/** What tells the statements of one order from those of another. */
export const orderName = ({ columns, direction }: Order) => `${columns.join()} ${direction}`;

/** What a window takes of a list in this order: the name of the statements that do so, their values, and, for those made anew, their SQL. */
export function windowSql(order: Order, { after, before, backwards }: Window) {
  const sides = `${backwards ? 'backwards' : 'forwards'} ${after ? 'after' : ''} ${before ? 'before' : ''}`;
  return {
    name: `${sides} by ${orderName(order)}`,
    values: [...(after ?? []), ...(before ?? [])],
    /** The rules that rows of `t` must pass, and what they are read by. */
    make(placeholder: () => string): { rules: string[]; by: string } {
      const { beyond, by } = orderSql(order, backwards);
      const rules = [
        ...(after ? [beyond('after', placeholder)] : []),
        ...(before ? [beyond('before', placeholder)] : []),
      ];
      return { rules, by };
    },
  };
}

/** An order as SQL over `t`, read from its end when `backwards`. */
function orderSql(order: Order, backwards: boolean) {
  const columns = order.columns.map((column) => `t."${column}"`);
  const ascending = order.direction === 'asc';
  const read = ascending === !backwards ? 'asc' : 'desc';
  return {
    by: columns.map((column) => `${column} ${read}`).join(', '),
    /** Strictly beyond a cursor's values. */
    beyond(side: 'after' | 'before', placeholder: () => string): string {
      const larger = (side === 'after') === ascending;
      return `(${columns.join(', ')}) ${larger ? '>' : '<'} (${columns.map(placeholder).join(', ')})`;
    },
  };
}

/** A constant piece of SQL inside a statement. */
export class SqlText {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** A constant piece of SQL inside the statements of `tx.sql`. Never made of input. */
export const sqlText = (text: string): SqlText => new SqlText(text);

/** A template as text and values: constant pieces stand in the text, everything else is a parameter. */
export function statementOf(
  strings: TemplateStringsArray,
  parts: readonly unknown[],
): { text: string; values: unknown[] } {
  const values: unknown[] = [];
  let text = strings[0] ?? '';
  for (const [at, part] of parts.entries()) {
    text += part instanceof SqlText ? part.text : `$${values.push(part)}`;
    text += strings[at + 1] ?? '';
  }
  return { text, values };
}

/** The columns of a shape, for the select list or the `returning` of a change. */
export const columnsSql = ({ columns }: { readonly columns: readonly string[] }): SqlText =>
  sqlText(columns.map((column) => `"${column}"`).join(', '));
