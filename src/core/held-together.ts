import { LRUCache } from 'lru-cache';
import type { Database } from '../platform/database/database.js';
import { type App, perApp } from './context.js';
import { gathered } from './gather.js';
import type { Roles } from './roles.js';
import { ruleSql, type ViewerParam, viewerValue } from './rule.js';
import type { KeyedShape } from './shape.js';
import { notGoneSql } from './sql.js';
import { distinct, mostTogether, textOf } from './together.js';
import { visibility } from './visibility.js';

/** One viewer's question for a row. */
export interface Holding<Row extends object> {
  readonly key: string;
  readonly columns: readonly (keyof Row & string)[];
  readonly viewer: Roles;
}

/**
 * The row with this key as the viewer may see it, or null. All who ask in one moment, whoever they are and whatever they want of it, take one
 * statement: it reads each row once, and says who sees it. There may be more columns than were asked for.
 */
export const heldTogether = <Row extends object>(
  app: App,
  shape: KeyedShape<Row>,
  by: string,
  holding: Holding<Row>,
): Promise<Row | null> => gates(app).of(shape, by)(holding);

const gates = perApp(({ database }) => {
  const byShape = new WeakMap<object, Map<string, unknown>>();
  return {
    of<Row extends object>(shape: KeyedShape<Row>, by: string): (holding: Holding<Row>) => Promise<Row | null> {
      let byKey = byShape.get(shape);
      if (!byKey) byShape.set(shape, (byKey = new Map()));
      const known = byKey.get(by) as ((holding: Holding<Row>) => Promise<Row | null>) | undefined;
      if (known) return known;
      const gate = gateOf(database, shape, by);
      byKey.set(by, gate);
      return gate;
    },
  };
});

type Found = { readonly $key: string; readonly $lanes: readonly number[] };

function gateOf<Row extends object>(database: Database, shape: KeyedShape<Row>, by: string) {
  const statements = new LRUCache<string, string>({ max: 100 });
  const params: ViewerParam[] = [];
  const rule = ruleSql(visibility[shape.model], 't', (param) => {
    if (!params.includes(param)) params.push(param);
    return `a."${param}"`;
  });

  return gathered<Holding<Row>, Row | null>(async (all) => {
    const wanted = new Set(all.flatMap(({ columns }) => columns));
    const columns = shape.columns.filter((column) => wanted.has(column));
    const name = columns.join();
    let text = statements.get(name);
    if (text === undefined) statements.set(name, (text = heldSql(shape, by, columns, rule, params)));
    const asked = all.map(({ key, viewer }) => [key, ...params.map((param) => viewerValue(param, viewer))]);
    const { lanes, laneOf } = distinct(asked, (values) => JSON.stringify(values));
    const keys = [...new Set(all.map(({ key }) => key))];
    const values = [keys, ...[0, ...params].map((_, at) => lanes.map((lane) => textOf(lane[at])))];
    const rows = await database.query<Row & Found>(text, values);
    const found: (Row | undefined)[] = [];
    for (const row of rows) for (const lane of row.$lanes) found[lane - 1] = row;
    // Each has a row of their own: lists and rows along are put into it.
    return laneOf.map((lane) => (found[lane] ? { ...found[lane] } : null));
  }, mostTogether);
}

const typeOf = (param: ViewerParam) => (param === 'me' ? 'text' : param === 'public' ? 'boolean' : 'text[]');

function heldSql<Row extends object>(
  shape: KeyedShape<Row>,
  by: string,
  columns: readonly string[],
  rule: string,
  params: readonly ViewerParam[],
): string {
  const names = ['$key', ...params].map((name) => `"${name}"`).join(', ');
  const typed = params.map((param) => `, "${param}"::${typeOf(param)} as "${param}"`).join('');
  const arrays = ['$key', ...params].map((_, at) => `$${at + 2}::text[]`).join(', ');
  const gone = notGoneSql(shape);
  // One statement sees one moment: nobody gets of a row what was written when they might not see it.
  return `with asked as materialized (select "$lane"::int, "$key"${typed} from unnest(${arrays}) with ordinality u(${names}, "$lane"))
    select ${columns.map((column) => `t."${column}"`).join(', ')}, s."$lanes" from unnest($1::text[]) k(v)
      join "${shape.model}" t on t."${by}" = k.v${by === shape.key ? '' : '::citext'}
      cross join lateral (select array_agg(a."$lane") as "$lanes" from asked a where a."$key" = k.v and ${rule}) s
    where ${[gone, 's."$lanes" is not null'].filter(Boolean).join(' and ')}`;
}
