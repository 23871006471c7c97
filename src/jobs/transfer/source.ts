import type { ScopeName } from '../../core/actions.js';
import type { Ctx } from '../../core/context.js';
import { load } from '../../core/loaders.js';
import type { Page, PageArgs } from '../../core/page.js';
import { userShape } from '../../domains/identity/user.js';
import type { RunnerParameters } from '../../domains/tasks/runners.js';
import type { Prisma } from '../../generated/prisma/client.js';
import type { Item } from './format.js';

/** What is exported, for whom. */
export interface Exporting {
  readonly ctx: Ctx;
  readonly spaceId: string;
  readonly signal: AbortSignal;
  readonly parameters: RunnerParameters<'space.export'>;
  /** Counts what cannot be exported. */
  leftOut(kind: string): void;
  /** Hears of a thing that is not exported. */
  leave(id: string): void;
  /** Whether a thing is not exported, for those that hang on it. */
  leaves(id: string): boolean;
}

/** One kind of what a space holds, on its way out. */
export interface Source {
  readonly kind: string;
  /** What its ids say it is. */
  readonly type: Prisma.ModelName;
  /** A key needs one of them, or what is of this kind is left out. */
  readonly scopes: readonly ScopeName[];
  /** How many things there are, counted up to 10,000. */
  total(exporting: Exporting): Promise<number>;
  /** Every thing that the viewer may see, each before what names it where that is of the same kind. */
  items(exporting: Exporting): AsyncGenerator<Item>;
}

/** How the rows of a kind are read, and what becomes of each. */
interface Reading<Row extends { readonly id: string }, One extends Item>
  extends Pick<Source, 'kind' | 'type' | 'scopes'> {
  page(exporting: Exporting, args: PageArgs): Promise<Page<Row>>;
  /** Null for a row that is left out, with all that hangs on it. The rows of a page are asked for together. */
  item(exporting: Exporting, row: Row): Promise<One | null> | One | null;
  /** What comes right behind it. */
  parts?(exporting: Exporting, row: Row, item: One): AsyncGenerator<Item>;
}

/** A kind whose rows are read by pages, of which one is held at a time. */
export function source<Row extends { readonly id: string }, One extends Item>(reading: Reading<Row, One>): Source {
  const { kind, type, scopes, page, item, parts } = reading;
  return {
    kind,
    type,
    scopes,
    total: async (exporting) => (await page(exporting, { first: 1 })).total(),
    async *items(exporting) {
      for await (const rows of pagesOf(exporting, (args) => page(exporting, args))) {
        const items = await Promise.all(rows.map((row) => item(exporting, row)));
        for (const [at, row] of rows.entries()) {
          const one = items[at];
          if (!one) {
            exporting.leave(row.id);
            continue;
          }
          yield one;
          if (parts) yield* parts(exporting, row, one);
        }
      }
    },
  };
}

const pageSize = 50;

/** The pages of a list from its beginning, each read when the one before is done with. */
export async function* pagesOf<Row extends object>(
  { ctx, signal }: Exporting,
  read: (args: PageArgs) => Promise<Page<Row>>,
): AsyncGenerator<readonly Row[]> {
  let after: string | null = null;
  do {
    signal.throwIfAborted();
    ctx.epoch.current = {};
    const page: Page<Row> = await read({ first: pageSize, after });
    yield page.rows;
    const last = page.rows.at(-1);
    after = page.hasNextPage && last ? page.cursorOf(last) : null;
  } while (after !== null);
}

const named = { ...userShape, columns: ['id', 'handle'] as const };

/** The handle of a person whom the viewer may see, or null. */
export async function handleOf({ ctx }: Exporting, userId: string | null): Promise<string | null> {
  return userId === null ? null : ((await load(ctx, named, userId))?.handle ?? null);
}
