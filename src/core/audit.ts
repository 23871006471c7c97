import type { AuditOperation, ErrorCode } from '../generated/graphql.js';
import type { Database } from '../platform/database/database.js';
import type { Log } from '../platform/log.js';
import { type Action, type ActionName, actions, type Scope } from './actions.js';
import type { Ctx } from './context.js';
import { typeOfId } from './ids.js';

/** One row of the audit log, as it is written. */
export interface AuditEntry {
  readonly at: string;
  readonly operation: AuditOperation;
  readonly action: string;
  readonly spaceId: string | null;
  readonly organizationId: string | null;
  readonly path: string | null;
  readonly resourceType: string | null;
  readonly resourceId: string | null;
  readonly userId: string | null;
  readonly apiKeyId: string | null;
  readonly sessionId: string | null;
  readonly success: boolean;
  readonly errorCode: string | null;
  readonly requestId: string;
  readonly ip: string | null;
  readonly metadata: object;
}

/** What an entry says of the thing itself. */
export type AuditSubject = Partial<
  Pick<AuditEntry, 'operation' | 'path' | 'resourceType' | 'resourceId' | 'sessionId' | 'metadata'>
>;

/** The `insert` of the entries in the JSON array that is the parameter `placeholder`. */
export const insertAuditSql = (placeholder: string) => `insert into "AuditEvent"
  (at, operation, action, "spaceId", "organizationId", path, "resourceType", "resourceId", "userId", "apiKeyId", "sessionId", success, "errorCode", "requestId", ip, metadata)
  select at, operation, action, "spaceId", "organizationId", path, "resourceType", "resourceId", "userId", "apiKeyId", "sessionId", success, "errorCode", "requestId", ip, metadata
  from json_to_recordset(${placeholder}::json) as a (at timestamptz, operation "AuditOperation", action text, "spaceId" text, "organizationId" text, path text,
    "resourceType" text, "resourceId" text, "userId" text, "apiKeyId" text, "sessionId" text, success boolean, "errorCode" text, "requestId" text, ip text, metadata jsonb)`;

// A refused action may name anything as its place; text of any length is not for the log.
const idOrNull = (id: string) => (typeOfId(id) ? id : null);

/** The entry of an action in this operation: it succeeded, unless `errorCode` says why not. */
export function auditEntry(
  ctx: Ctx,
  name: ActionName,
  scope: Scope,
  errorCode: ErrorCode | null,
  subject: AuditSubject = {},
): AuditEntry {
  const action: Action = actions[name];
  return { ...entry(ctx, name, action.audit, scope, errorCode), ...subject };
}

/** The entry of a field of the schema that a directive refused, before it could become an action. */
export function fieldEntry(
  ctx: Ctx,
  field: string,
  operation: AuditOperation,
  spaceId: string,
  errorCode: ErrorCode,
): AuditEntry {
  return entry(ctx, field, operation, { space: spaceId }, errorCode);
}

function entry(
  ctx: Ctx,
  action: string,
  operation: AuditOperation,
  scope: Scope,
  errorCode: ErrorCode | null,
): AuditEntry {
  return {
    at: ctx.app.now().toISOString(),
    operation,
    action,
    spaceId: 'space' in scope ? idOrNull(scope.space) : null,
    organizationId: 'organization' in scope ? idOrNull(scope.organization) : null,
    path: null,
    resourceType: null,
    resourceId: null,
    userId: ctx.viewer?.userId ?? null,
    apiKeyId: ctx.viewer?.apiKeyId ?? null,
    sessionId: ctx.viewer?.sessionId ?? null,
    success: errorCode === null,
    errorCode,
    requestId: ctx.request.requestId,
    ip: ctx.request.ip,
    metadata: {},
  };
}

/** Writes down at once that an action was refused or failed. When that cannot be written either, the log has it. */
export async function recordFailure(
  ctx: Ctx,
  name: ActionName,
  scope: Scope,
  code: ErrorCode,
  subject?: AuditSubject,
): Promise<void> {
  const entry = auditEntry(ctx, name, scope, code, subject);
  try {
    await ctx.app.database.query(insertAuditSql('$1'), [JSON.stringify([entry])]);
  } catch (error) {
    // The caller is owed the refusal itself, not a word about our log.
    ctx.app.log.error('An audit entry could not be written.', { entry, error });
  }
}

/** Reads are written down in batches, off the path of the answer: within `flushMs`, and when the process stops. */
export interface ReadAudit {
  add(entry: AuditEntry): void;
  flush(): Promise<void>;
}

const flushMs = 250;
const maxBatch = 1_000;
const maxWaiting = 50_000;
/** SQLSTATEs that are an entry's own fault, whenever it is tried: its data, a constraint, a limit of size. */
const unstorable = /^(22|23|54)/;

export function readAudit(database: Database, log: Log): ReadAudit {
  let waiting: AuditEntry[] = [];
  let timer: NodeJS.Timeout | null = null;
  let flushing: Promise<void> = Promise.resolve();

  async function writeAll() {
    let size = maxBatch;
    while (waiting.length > 0) {
      const entries = waiting.slice(0, size);
      try {
        await database.query(insertAuditSql('$1'), [JSON.stringify(entries)]);
      } catch (error) {
        if (!unstorable.test(`${(error as { code?: unknown }).code}`)) {
          log.error('Audited reads wait for the database.', { waiting: waiting.length, error });
          return schedule();
        }
        // One entry that cannot be stored must not hold up the others: half as many at a time, until it stands alone.
        if (entries.length > 1) {
          size = Math.ceil(entries.length / 2);
          continue;
        }
        log.error('An audited read cannot be stored.', { entry: entries[0], error });
        size = maxBatch;
      }
      waiting = waiting.slice(entries.length);
    }
  }

  function schedule() {
    timer ??= setTimeout(() => {
      timer = null;
      flushing = flushing.then(writeAll);
    }, flushMs);
  }

  return {
    add(entry) {
      if (waiting.length >= maxWaiting) {
        log.error('An audited read was dropped: too many wait for the database.', { entry });
        return;
      }
      waiting.push(entry);
      schedule();
    },
    async flush() {
      if (timer) clearTimeout(timer);
      timer = null;
      flushing = flushing.then(writeAll);
      await flushing;
    },
  };
}
