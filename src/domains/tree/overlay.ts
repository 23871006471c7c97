import { AppError, staleVersion } from '../../core/errors.js';
import { newId } from '../../core/ids.js';
import { sqlText } from '../../core/sql.js';
import type { Tx } from '../../core/write.js';
import { defaultContentType, type TreeNodeRow } from './node.js';
import { depthOf, isAtOrBelow, nameOf, parentOf, reserved } from './path.js';
import type { Target } from './store.js';
import type { Sealed } from './value.js';

type Seen = Pick<TreeNodeRow, 'id' | 'path' | 'value' | 'contentType' | 'version' | 'updatedAt'>;

/**
 * Nodes of a space as a change sees them that reads and writes many: read in one statement, kept in memory with what was written to
 * them, and written back in one statement. What is to be written is locked by path, so two that write the same wait for each
 * other and do not deadlock.
 */
export interface Overlay {
  /** A node among those that were named; null when nothing is there. */
  read(path: string): Pick<Seen, 'value' | 'version'> | null;
  /** Writes a value, of which `value` is the parsed form; CONFLICT unless the node has the expected version. */
  write(tx: Tx, target: Target, sealed: Sealed, value: unknown, contentType: string | null | undefined): number;
  /** Sends what was written. Statements that look at the table itself come after it. */
  flush(tx: Tx): Promise<void>;
  /** Says that a statement deleted what is at, with `recursive` also what is below, a path. */
  deleted(path: string, recursive: boolean): void;
}

/** What is kept of one write until it is sent; `value` is canonical JSON. */
interface Pending extends Omit<Seen, 'value'> {
  readonly value: Sealed;
}

/** Reads the nodes at these paths. */
export async function openOverlay(
  tx: Tx,
  spaceId: string,
  paths: { readonly written: readonly string[]; readonly read: readonly string[] },
): Promise<Overlay> {
  const all = [...new Set([...paths.written, ...paths.read])];
  const rows = await tx.sql<Seen>`with locked as (
      select id from "TreeNode" where "spaceId" = ${spaceId} and path = any(${paths.written}::text[]) and "deletedAt" is null order by path for update
    ) select id, path, value, "contentType", version, "updatedAt" from "TreeNode"
    where "spaceId" = ${spaceId} and path = any(${all}::text[]) and "deletedAt" is null and (select count(*) from locked) >= 0`;
  const nodes = new Map(rows.map((row) => [row.path, row]));
  let pending: Pending[] = [];

  return {
    read: (path) => nodes.get(path) ?? null,
    write(tx, { path, expectedVersion }, sealed, value, contentType) {
      const known = nodes.get(path);
      const version = known?.version ?? 0;
      if (expectedVersion != null && expectedVersion !== version) throw staleVersion(path, version);
      // Versions of a node never go back in time, whatever the clocks of the processes say.
      const updatedAt = known && known.updatedAt > tx.now ? known.updatedAt : tx.now;
      const next = {
        id: known?.id ?? newId('node'),
        path,
        contentType: contentType ?? known?.contentType ?? defaultContentType,
        version: version + 1,
        updatedAt,
      };
      nodes.set(path, { ...next, value: value as Seen['value'] });
      pending.push({ ...next, value: sealed });
      tx.emit('tree.written', 'TreeNode', next.id, { path, version: next.version });
      return next.version;
    },
    async flush(tx) {
      if (pending.length === 0) return;
      await send(tx, spaceId, pending);
      pending = [];
    },
    deleted(path, recursive) {
      const isGone = (known: string) =>
        known === path || (recursive && isAtOrBelow(known, path) && !isAtOrBelow(known, reserved));
      for (const known of [...nodes.keys()].filter(isGone)) nodes.delete(known);
    },
  };
}

// JSON null comes out of a record as no value at all.
const aValue = sqlText(`coalesce(value, 'null'::json)`);

/** Writes the last version of each node, and every version to the history. */
async function send(tx: Tx, spaceId: string, pending: readonly Pending[]): Promise<void> {
  const last = new Set(new Map(pending.map((one) => [one.path, one])).values());
  const records = pending.map((one) => recordOf(one, last.has(one))).join();
  const sent = await tx.sql`with written as (
      select * from json_to_recordset(${`[${records}]`}::json) as w (id text, path text, "parentPath" text, name text, depth int, value json,
        "contentType" text, checksum text, "sizeBytes" int, version int, "updatedAt" timestamptz, "isLast" boolean)
    ), changed as (
      insert into "TreeNode" as t (id, "spaceId", path, "parentPath", name, depth, value, "contentType", checksum, "sizeBytes", version, "createdById", "updatedById", "createdAt", "updatedAt")
      select id, ${spaceId}, path, "parentPath", name, depth, ${aValue}, "contentType", checksum, "sizeBytes", version, ${tx.actorId}, ${tx.actorId}, "updatedAt", "updatedAt"
      from written where "isLast" order by path
      on conflict ("spaceId", path) where "deletedAt" is null do update set value = excluded.value, "contentType" = excluded."contentType", checksum = excluded.checksum,
        "sizeBytes" = excluded."sizeBytes", version = excluded.version, "updatedById" = excluded."updatedById", "updatedAt" = excluded."updatedAt"
        where t.id = excluded.id and t.version < excluded.version
      returning id
    ), kept as (insert into "TreeNodeVersion" ("nodeId", version, "spaceId", path, value, "contentType", checksum, "sizeBytes", operation, "authorId", "createdAt")
    select id, version, ${spaceId}, path, ${aValue}, "contentType", checksum, "sizeBytes", 'WRITE', ${tx.actorId}, "updatedAt" from written where id in (select id from changed)
    ) select id from changed`;
  // Somebody else's node came to stand there since it was read; a snapshot hears of that sooner.
  if (sent.length < last.size)
    throw new AppError('CONFLICT', 'Others change the same nodes at the same time; try again.', { retryable: true });
}

// The value is JSON text already: it is put in as it is.
function recordOf({ value, path, ...node }: Pending, isLast: boolean): string {
  const { text, checksum, sizeBytes } = value;
  const rest = JSON.stringify({
    ...node,
    path,
    parentPath: parentOf(path),
    name: nameOf(path),
    depth: depthOf(path),
    checksum,
    sizeBytes,
    isLast,
  });
  return `${rest.slice(0, -1)},"value":${text}}`;
}
