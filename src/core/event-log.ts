import type { Database } from '../platform/database/database.js';
import { forgetDeparted } from './departed.js';
import { AppError } from './errors.js';
import type { EventRow } from './events.js';

/**
 * A position in the log: everything at or before it has been read. Order is by transaction, then by sequence, and readers stop
 * before the oldest transaction that still runs; so nothing can commit behind a position once it was given out by a reader.
 */
export interface Position {
  readonly txid: bigint;
  readonly seq: bigint;
}

/** For how long events are kept. */
export const retentionDays = 7;

export const origin: Position = { txid: 0n, seq: 0n };

export const isAfter = (a: Position, b: Position) => a.txid > b.txid || (a.txid === b.txid && a.seq > b.seq);

/** The position right before one: what comes after it begins there. */
export const before = ({ txid, seq }: Position): Position => ({ txid, seq: seq - 1n });

/** The cursor of a position. */
export function cursorOf({ txid, seq }: Position): string {
  return Buffer.from(`${txid}.${seq}`).toString('base64url');
}

const largest = 2n ** 63n;

/** The position after everything that this transaction and those before it said. */
export const endOf = (txid: bigint): Position => ({ txid, seq: largest - 1n });

/** The position of a cursor; BAD_USER_INPUT for anything that is none. */
export function positionOf(cursor: string): Position {
  const [, txid, seq] = /^(\d{1,19})\.(\d{1,19})$/.exec(Buffer.from(cursor, 'base64url').toString()) ?? [];
  if (txid === undefined || seq === undefined || BigInt(txid) >= largest || BigInt(seq) >= largest) {
    throw new AppError('BAD_USER_INPUT', 'after: not an event cursor.', {
      fields: [{ path: 'after', message: 'not an event cursor' }],
    });
  }
  return { txid: BigInt(txid), seq: BigInt(seq) };
}

/** An event and where it stands. */
export interface Logged {
  readonly position: Position;
  readonly event: EventRow;
}

interface LogRow extends Omit<EventRow, 'cursor'> {
  readonly txid: string;
  readonly seq: string;
  readonly stable: boolean;
}

const columns = `txid::text as txid, seq::text as seq, type, "spaceId", "organizationId", "resourceType", "resourceId", "actorId", related, "createdAt"`;

// Named by its table: the bare names are the columns that are answered, as text, where 10 comes before 9.
const byPosition = `"Event".txid, "Event".seq`;

// A transaction at or after the oldest running one may still be followed, in this order, by one that commits later.
const stable = `txid < pg_snapshot_xmin(pg_current_snapshot())`;

function logged({ txid, seq, stable: _, ...event }: LogRow): Logged {
  const position = { txid: BigInt(txid), seq: BigInt(seq) };
  return { position, event: { ...event, cursor: cursorOf(position) } };
}

/** What there is after a position. */
export interface Reading {
  readonly events: readonly Logged[];
  /** What has committed too, behind a transaction that still runs: it cannot be given out yet. */
  readonly ahead: readonly Logged[];
  /** There may be more. */
  readonly full: boolean;
}

/** Up to `limit` events of every space after `from`. */
export async function readLog({ query }: Pick<Database, 'query'>, from: Position, limit: number): Promise<Reading> {
  const rows = await query<LogRow>(
    `select ${columns}, ${stable} as stable from "Event" where (txid, seq) > ($1::text::xid8, $2::bigint) order by ${byPosition} limit $3`,
    [from.txid, from.seq, limit],
  );
  const found = rows.findIndex((row) => !row.stable);
  const given = found < 0 ? rows.length : found;
  return {
    events: rows.slice(0, given).map(logged),
    ahead: rows.slice(given).map(logged),
    full: rows.length === limit,
  };
}

/** Up to `limit` events of a space after `from`, up to `to` when it is given; `types` picks. */
export async function readSpaceLog(
  database: Database,
  spaceId: string,
  from: Position,
  to: Position | null,
  types: readonly string[] | null,
  limit: number,
): Promise<Logged[]> {
  const rows = await database.query<LogRow>(
    `select ${columns}, true as stable from "Event" where "spaceId" = $1 and (txid, seq) > ($2::text::xid8, $3::bigint) and ${stable}
      and ($4::text is null or (txid, seq) <= ($4::text::xid8, $5::bigint)) and ($6::text[] is null or type = any($6)) order by ${byPosition} limit $7`,
    [spaceId, from.txid, from.seq, to?.txid ?? null, to?.seq ?? null, types, limit],
  );
  return rows.map(logged);
}

/** The last position that can be given out now. */
export async function lastPosition(database: Database): Promise<Position> {
  const [row] = await database.query<{ txid: string }>(
    `select pg_snapshot_xmin(pg_current_snapshot())::text as txid`,
    [],
  );
  if (!row) throw new Error('The database answered no snapshot.');
  return endOf(BigInt(row.txid) - 1n);
}

/** Throws CURSOR_EXPIRED when events after this position have been dropped: whoever goes on from it would miss them. */
export async function assertKept(database: Database, { txid, seq }: Position): Promise<void> {
  const [expired] = await database.query(
    `select id from "EventHorizon" where (txid, seq) > ($1::text::xid8, $2::bigint)`,
    [txid, seq],
  );
  if (expired)
    throw new AppError('CURSOR_EXPIRED', `Events after this cursor are gone; they are kept for ${retentionDays} days.`);
}

/** Drops whole days of events that nobody can ask for any more, and what only they named. */
export async function dropOldEvents(database: Database, now: Date): Promise<void> {
  const before = new Date(now.getTime() - retentionDays * 24 * 60 * 60 * 1_000);
  await database.query('select canopy_drop_events($1)', [before]);
  await forgetDeparted(database, before);
}
