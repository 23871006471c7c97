import DataLoader from 'dataloader';
import { LRUCache } from 'lru-cache';
import { alongSql, keepAlong, rowAlong } from './along.js';
import { type Ctx, perEpoch } from './context.js';
import { notFound } from './errors.js';
import { heldTogether } from './held-together.js';
import { type Joined, joinedAt, joinedKey, joinedName, joinedSql, joinedValues, keepJoined } from './joined.js';
import { type Reading, readingByKey, type Selection } from './reading.js';
import { roles } from './roles.js';
import type { KeyedShape } from './shape.js';
import { notGoneSql, placeholders, type Statement, viewersSql } from './sql.js';

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
 * each only the columns that `at` selects (all of them when it is left out). One that was read along with the row that names it is there at once.
 */
export function load<Row extends object>(
  ctx: Ctx,
  shape: KeyedShape<Row>,
  id: string,
  at?: Selection,
): Row | null | Promise<Row | null> {
  const row = rowAlong(ctx, readingByKey(shape, at?.planned), id);
  return row === undefined ? loadBy(ctx, shape, shape.key, id, at) : row;
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

/** The same by another unique column. */
export function loadBy<Row extends object>(
  ctx: Ctx,
  shape: KeyedShape<Row>,
  by: string,
  value: string,
  at?: Selection,
): Promise<Row | null> {
  const reading = readingByKey(shape, at?.planned);
  if (ctx.follows) return loadTogether(ctx, shape, by, value, reading);
  const lists = joinedAt(ctx, reading, at);
  return loaderNamed<Row | null>(
    ctx,
    `by ${by} ${reading.name}${joinedKey(lists)}`,
    () => new DataLoader(rowsBy(ctx, shape, by, reading, lists), { maxBatchSize: 500 }),
  ).load(value);
}

/** The same for what follows events: the row is read once for all who hear of it, and what hangs on it by whoever asks for that. */
function loadTogether<Row extends object>(
  ctx: Ctx,
  shape: KeyedShape<Row>,
  by: string,
  value: string,
  { columns, name }: Reading<Row>,
): Promise<Row | null> {
  return loaderNamed<Row | null>(
    ctx,
    `together by ${by} ${name}`,
    () =>
      new DataLoader(async (keys) => {
        const viewer = await roles(ctx);
        return Promise.all(keys.map((key) => heldTogether(ctx.app, shape, by, { key, columns, viewer })));
      }),
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
  { columns, along, name }: Reading<Row>,
  lists: readonly Joined[],
) {
  return async (keys: readonly string[]): Promise<(Row | null)[]> => {
    const own = joinedValues(lists);
    const statement = statementNamed(`by ${by} ${name}${joinedName(lists)}`, () =>
      viewersSql(1 + own.length, (visible) => {
        const list = columns.map((column) => `t."${column}"`).join(', ');
        const others = alongSql(along, 't', visible);
        const pages = joinedSql(lists, 't', visible, placeholders(2));
        const rules = [notGoneSql(shape), visible(shape.model, 't')].filter(Boolean).join(' and ');
        // Citext columns compare without case, so what was asked for is answered by its place, not by the value found.
        return `select k.i::int as "$i", ${list}${others.select}${pages.select} from unnest($1::text[]) with ordinality k(v, i)
          join "${shape.model}" t on t."${by}" = k.v${by === shape.key ? '' : '::citext'}${others.join}${pages.join} where ${rules}`;
      }),
    );
    const values = [keys, ...own, ...statement.values(await roles(ctx))];
    const rows = await ctx.app.database.query<Row & { $i: number }>(statement.text, values);
    const found: (Row | null)[] = keys.map(() => null);
    for (const row of rows) found[row.$i - 1] = row;
    keepAlong(ctx, along, rows);
    // Last, because a list that is called `i` in the answer is kept where the row's own place was.
    keepJoined(ctx, lists, rows);
    return found;
  };
}
