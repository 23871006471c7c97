import type { Query } from '../platform/database/database.js';
import type { ActionName, Scope } from './actions.js';
import { type AuditEntry, type AuditSubject, auditEntry, insertAuditSql } from './audit.js';
import type { Ctx } from './context.js';
import { AppError } from './errors.js';
import { cursorOf, endOf } from './event-log.js';
import type { Emitted, EventType, Related } from './events.js';
import { claim, remember } from './idempotency.js';
import { type JobName, type JobOptions, type JobSpec, type Jobs, job, jobsJson } from './jobs.js';
import { reactionsTo } from './reactions.js';
import { statementOf } from './sql.js';

/** What a change may do: write rows, and say what happened. */
export interface Tx {
  /** One statement of SQL, whose `${}` are parameters; answers its rows. */
  sql<Row extends object>(text: TemplateStringsArray, ...values: readonly unknown[]): Promise<Row[]>;
  /** Appends an event and its audit entry when the change commits. */
  emit(type: EventType, resourceType: string, resourceId: string, related?: Related, audit?: AuditSubject): void;
  /** Adds a job, there once the change commits. */
  job<Name extends JobName>(name: Name, payload: Jobs[Name], options?: JobOptions): void;
  /** Appends an audit entry only: for reads within a change. */
  audit(name: ActionName, subject: AuditSubject): void;
  /** The same change, whose events and audit entries belong to another place than the one it was allowed in. */
  in(place: Scope): Tx;
  /** The same moment all through the transaction. */
  readonly now: Date;
  /** Who does it; null for an organization's key and for the system. */
  readonly actorId: string | null;
}

/** What a change answered, and from where in the event log a follower misses nothing that came after it; null when it said nothing. */
export interface Written<T> {
  readonly value: T;
  readonly eventCursor: string | null;
  /** The answer is that of an earlier call with the same idempotency key. */
  readonly repeated: boolean;
}

/** A change, where it was allowed, and who does it. */
export interface Change<T> {
  readonly name: ActionName;
  readonly scope: Scope;
  readonly actorId: string | null;
  run(tx: Tx): Promise<T>;
}

/** Runs a change within a transaction: its rows, its events, its audit entries and its answer under the idempotency key stand or fall together. */
export async function runChange<T>(ctx: Ctx, query: Query, change: Change<T>, emitted: Emitted[]): Promise<Written<T>> {
  const { app, idempotency } = ctx;
  const { name, scope, actorId } = change;
  if (idempotency) {
    const earlier = await claim(query, ctx, idempotency);
    if (earlier) return { ...(earlier.value as Written<T>), repeated: true };
  }
  const audited: AuditEntry[] = [];
  const jobs: JobSpec[] = [];
  const now = app.now();
  const txIn = (place: Scope): Tx => ({
    sql: (strings, ...parts) => {
      const { text, values } = statementOf(strings, parts);
      return query(text, values);
    },
    emit: (type, resourceType, resourceId, related = {}, audit = {}) => {
      emitted.push({ type, resourceType, resourceId, related, ...idsOf(place) });
      audited.push(
        auditEntry(ctx, name, place, null, { resourceType, resourceId, path: related.path ?? null, ...audit }),
      );
    },
    job: (name, payload, options) => jobs.push(job(name, payload, options)),
    audit: (action, subject) => audited.push(auditEntry(ctx, action, place, null, subject)),
    in: txIn,
    now,
    actorId,
  });
  const value = await change.run(txIn(scope));
  const eventCursor = await seal(query, change, now, { emitted, audited, jobs: [...jobs, ...reactionsTo(emitted)] });
  const written = { value, eventCursor, repeated: false };
  if (idempotency) await remember(query, ctx, idempotency, written);
  return written;
}

const idsOf = (place: Scope) => ({
  spaceId: 'space' in place ? place.space : null,
  organizationId: 'organization' in place ? place.organization : null,
});

interface Sealed {
  readonly txid: string;
  /** The oldest transaction that still runs. */
  readonly oldest: string;
  readonly seq: string | null;
  /** The status of whoever does it. */
  readonly actor: string | null;
}

/** What a change leaves besides its rows. */
interface Said {
  readonly emitted: readonly Emitted[];
  readonly audited: readonly AuditEntry[];
  readonly jobs: readonly JobSpec[];
}

/** Appends the events, the audit entries and the jobs, in one statement. */
async function seal(
  query: Query,
  { name, actorId }: Pick<Change<unknown>, 'name' | 'actorId'>,
  now: Date,
  { emitted, audited, jobs }: Said,
): Promise<string | null> {
  if (audited.length === 0) throw new Error('A change must say what happened.');
  const values = [JSON.stringify(emitted), actorId, now, JSON.stringify(audited)];
  const [row] =
    jobs.length === 0
      ? await query<Sealed>(sealSql, values)
      : await query<Sealed>(sealWithJobsSql, [...values, jobsJson(jobs)]);
  // Whoever has closed their account since this operation began does nothing more.
  if (row?.actor && row.actor !== 'ACTIVE' && name !== 'account.delete')
    throw new AppError('UNAUTHENTICATED', 'Sign in first.');
  if (!row?.seq) return null;
  // While an older transaction runs, its events may still come to stand before ours: then the position is before both.
  if (row.oldest !== row.txid) return cursorOf(endOf(BigInt(row.oldest) - 1n));
  return cursorOf({ txid: BigInt(row.txid), seq: BigInt(row.seq) });
}

const sealing = (more: string) => `with logged as (
    insert into "Event" (type, "spaceId", "organizationId", "resourceType", "resourceId", "actorId", related, "createdAt")
    select e.type, e."spaceId", e."organizationId", e."resourceType", e."resourceId", $2, e.related, $3
    from json_to_recordset($1::json) as e (type text, "spaceId" text, "organizationId" text, "resourceType" text, "resourceId" text, related jsonb)
    returning seq
  ), audited as (${insertAuditSql('$4')})
  select pg_current_xact_id()::text as txid, pg_snapshot_xmin(pg_current_snapshot())::text as oldest, max(seq)::text as seq,
    (select status from "User" where id = $2) as actor${more} from logged`;

const sealSql = sealing('');
const sealWithJobsSql = sealing(', canopy_add_jobs($5::json)');
