import { type Ctx, perEpoch } from './context.js';
import type { Along, Reading } from './reading.js';
import { notGoneSql, type VisibleSql } from './sql.js';

/** Rows by their keys; null where the viewer sees none. */
type Rows = Map<string, object | null>;

const kept = perEpoch(() => new Map<string, Rows>());

/** A row that this operation has read along with another one; undefined when it has not. */
export const rowAlong = <Row extends object>(ctx: Ctx, { name }: Reading<Row>, key: string): Row | null | undefined =>
  kept(ctx).get(name)?.get(key) as Row | null | undefined;

/** What a column of the rows along is called beside the row's own. */
export const nameAlong = (at: number, column: string): string => `$${at}.${column}`;

/**
 * The SQL that reads rows along with those of `from`: what to select, and what to join. Each row is looked up by itself (`limit`), which keeps the
 * order of `from` and never reads a table whole.
 */
export function alongSql(along: readonly Along[], from: string, visible: VisibleSql): { select: string; join: string } {
  let select = '';
  let join = '';
  for (const [at, { column, shape, reading }] of along.entries()) {
    const rules = [`a."${shape.key}" = ${from}."${column}"`, notGoneSql(shape, 'a'), visible(shape.model, 'a')];
    const columns = reading.columns.map((one) => `a."${one}"`).join(', ');
    select += reading.columns.map((one) => `, a${at}."${one}" as "${nameAlong(at, one)}"`).join('');
    join += ` left join lateral (select ${columns} from "${shape.model}" a where ${rules.filter(Boolean).join(' and ')} limit 1) a${at} on true`;
  }
  return { select, join };
}

/** Keeps what was read along with these rows, for the resolvers that will ask for it. */
export function keepAlong(ctx: Ctx, along: readonly Along[], rows: readonly object[]): void {
  for (const [at, { column, shape, reading }] of along.entries()) {
    const all = kept(ctx);
    let byKey = all.get(reading.name);
    if (!byKey) all.set(reading.name, (byKey = new Map()));
    const columns = reading.columns.map((one) => [one, nameAlong(at, one)] as const);
    const key = nameAlong(at, shape.key);
    for (const row of rows as readonly Readonly<Record<string, unknown>>[]) {
      const value = row[column];
      if (typeof value !== 'string' || byKey.has(value)) continue;
      byKey.set(value, row[key] === null ? null : pick(row, columns));
    }
  }
}

function pick(row: Readonly<Record<string, unknown>>, columns: readonly (readonly [string, string])[]): object {
  const picked: Record<string, unknown> = {};
  for (const [column, from] of columns) picked[column] = row[from];
  return picked;
}
