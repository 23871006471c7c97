import type { EventRow as LoggedEvent } from '../../core/events.js';
import type { Lag } from '../../core/follow.js';

/** One row of the event log, as it leaves the database. */
export type EventRow = LoggedEvent;

/** The word that events were left out. */
export type LaggedRow = Lag;

/** The word that replay is over. */
export interface CaughtUpRow {
  readonly caughtUp: true;
  readonly cursor: string;
}
