import type { EventRow as LoggedEvent } from '../../core/events.js';

/** One row of the event log, as it leaves the database. */
export type EventRow = LoggedEvent;

/** The word that replay is over. */
export interface CaughtUpRow {
  readonly caughtUp: true;
  readonly cursor: string;
}
