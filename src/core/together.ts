import { LRUCache } from 'lru-cache';
import type { Database } from '../platform/database/database.js';
import { type App, type Ctx, perApp } from './context.js';
import { gathered } from './gather.js';

/** How many viewers are answered by one statement at most. */
export const mostTogether = 1_000;

/**
 * Runs a statement that is made for one viewer. What follows events asks together with all who ask the same of that moment in this process: one
 * statement answers them all, each by their own values.
 */
export const ask = <Row extends object>(ctx: Ctx, text: string, values: readonly unknown[]): Promise<Row[]> =>
  ctx.follows ? askTogether<Row>(ctx.app, text, values) : ctx.app.database.query<Row>(text, values);

/** The same, always together. */
export const askTogether = <Row extends object>(app: App, text: string, values: readonly unknown[]): Promise<Row[]> =>
  gates(app).of(text)(values) as Promise<Row[]>;

type Values = readonly unknown[];
type Rows = object[];

const gates = perApp(({ database }) => {
  const byText = new LRUCache<string, (values: Values) => Promise<Rows>>({ max: 500 });
  return {
    of(text: string): (values: Values) => Promise<Rows> {
      let gate = byText.get(text);
      if (!gate) byText.set(text, (gate = gateOf(database, text)));
      return gate;
    },
  };
});

function gateOf(database: Database, text: string) {
  const combined = combine(text);
  const alone = (values: Values): Promise<Rows> => database.query(text, values);

  return gathered<Values, Rows>(async (all) => {
    const { lanes, laneOf } = distinct(all, (values) => JSON.stringify(values));
    const [first] = lanes;
    if (first && lanes.length === 1) {
      const rows = await alone(first);
      return all.map(() => rows.map((row) => ({ ...row })));
    }
    if (!combined) {
      const answers = await Promise.all(lanes.map(alone));
      return laneOf.map((lane) => (answers[lane] ?? []).map((row) => ({ ...row })));
    }
    const columns = (lanes[0] ?? []).map((_, at) => lanes.map((values) => textOf(values[at])));
    const found = await database.query<{ $lane: number }>(combined, columns);
    const rows: object[][] = lanes.map(() => []);
    for (const { $lane, ...row } of found) rows[$lane - 1]?.push(row);
    return laneOf.map((lane) => (rows[lane] ?? []).map((row) => ({ ...row })));
  }, mostTogether);
}

/** What differs among questions, and which of it each of them is. */
export function distinct<Question>(questions: readonly Question[], nameOf: (question: Question) => string) {
  const places = new Map<string, number>();
  const lanes: Question[] = [];
  const laneOf = questions.map((question) => {
    const name = nameOf(question);
    let place = places.get(name);
    if (place === undefined) places.set(name, (place = lanes.push(question) - 1));
    return place;
  });
  return { lanes, laneOf };
}

/**
 * The statement for many at once: each of its parameters is an array with the value of every one of them, as text. Null where it does not say of which type
 * a parameter is.
 */
export function combine(text: string): string | null {
  const types: (string | undefined)[] = [];
  // Names of columns in our statements may begin with a dollar too; they stand in quotes.
  const inner = text.replaceAll(/(?<!")\$(\d+)(::\w+(?:\[\])?)?/g, (_, number: string, type?: string) => {
    types[Number(number) - 1] ??= type;
    return `"$one"."$${number}"${type ?? ''}`;
  });
  if (types.length === 0 || Array.from(types).includes(undefined)) return null;
  const names = types.map((_, at) => `"$${at + 1}"`);
  const typed = types.map((type, at) => `${names[at]}${type} as ${names[at]}`).join(', ');
  const arrays = types.map((_, at) => `$${at + 1}::text[]`).join(', ');
  // Read once as what they are (`offset 0`), and not again wherever they stand.
  return `select "$one"."$lane"::int as "$lane", "$answer".* from (select "$lane", ${typed}
      from unnest(${arrays}) with ordinality "$all"(${names.join(', ')}, "$lane") offset 0) "$one"
    cross join lateral (${inner}) "$answer"`;
}

/** A value as Postgres reads it from text. */
export function textOf(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (Array.isArray(value)) return `{${value.map(elementOf).join()}}`;
  return value instanceof Date ? value.toISOString() : String(value);
}

function elementOf(value: unknown): string {
  const text = textOf(value);
  return text === null ? 'null' : `"${text.replaceAll(/["\\]/g, '\\$&')}"`;
}
