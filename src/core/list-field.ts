import type { Ctx } from './context.js';
import type { PageArgs } from './page.js';
import type { Related } from './related.js';
import type { AnyRow } from './shape.js';

/** The list that the arguments of a field ask for, and what its keys and filters compare with besides the row's own columns. */
export interface Listed<Row extends object> {
  readonly list: Related<Row>;
  readonly values: readonly string[];
}

/** A field whose value is one page of a list that hangs on its row, as data: it can be read in the statement of the row. */
export interface ListField {
  /** The columns of the row that are the first keys of the list. */
  readonly of: readonly string[];
  /** Throws what is wrong with the arguments. */
  listed(args: PageArgs): Listed<AnyRow>;
  /** Whether the viewer may hold what the field answers at all. */
  holds(ctx: Ctx): boolean;
}
