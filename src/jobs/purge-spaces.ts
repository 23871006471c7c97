import type { App } from '../core/context.js';
import { addJobs, job } from '../core/jobs.js';
import { restorableDays } from '../core/roles.js';
import type { Query } from '../platform/database/database.js';
import { outage } from '../platform/database/outage.js';

const hourMs = 60 * 60 * 1_000;
/** One hour more than it takes, because the clocks of two processes differ: what one may still restore, no other removes. */
const keptMs = (restorableDays * 24 + 1) * hourMs;
const batch = 1_000;
/** After how many rows the log is told of it. */
const told = 10_000;

/**
 * Removes spaces that can no longer be restored, with all they hold; their slugs are free again. Small transactions, each of one space that no other
 * process is at: several may run it at once, and what one leaves unfinished the next takes up. How far it is stands in the log. Answers how many spaces went.
 */
export async function purgeSpaces(app: App, signal?: AbortSignal): Promise<number> {
  const before = new Date(app.now().getTime() - keptMs);
  const removed = new Map<string, number>();
  let purged = 0;
  let size = batch;
  for (;;) {
    signal?.throwIfAborted();
    const step = await purgeStep(app, before, size);
    if (step === 'nothing') return purged;
    if (step === 'slow') {
      size = Math.ceil(size / 10);
      continue;
    }
    const { spaceId, isOver } = step;
    const earlier = removed.get(spaceId) ?? 0;
    const rows = earlier + step.rows;
    removed.set(spaceId, rows);
    if (isOver) purged += 1;
    if (isOver) app.log.info('A space is purged.', { spaceId, rows });
    else if (earlier === 0 || Math.floor(rows / told) > Math.floor(earlier / told))
      app.log.info('A space is being purged.', { spaceId, rows });
  }
}

interface Step {
  readonly spaceId: string;
  /** How many rows went. */
  readonly rows: number;
  /** The space itself went. */
  readonly isOver: boolean;
}

/** One transaction; 'slow' when it is to be tried with fewer rows at once, which may be large. */
async function purgeStep(app: App, before: Date, size: number): Promise<Step | 'nothing' | 'slow'> {
  try {
    return await app.database.transaction((query) => removeSome(app, query, before, size), { snapshot: false });
  } catch (error) {
    if (size > 1 && outage(error) === 'slow') return 'slow';
    throw error;
  }
}

/** Removes some of what the oldest free space holds, or the space once it is empty. */
async function removeSome({ queue }: App, query: Query, before: Date, size: number): Promise<Step | 'nothing'> {
  const [space] = await query<{ id: string }>(nextSql, [before]);
  if (!space) return 'nothing';
  const spaceId = space.id;
  for (const text of contentSqls) {
    const { length: rows } = await query(text, [spaceId, size]);
    if (rows > 0) return { spaceId, rows, isOver: false };
  }
  // What still was to be done in it, before what is to be done now that it is gone.
  await queue.forget(spaceId);
  // Members and invitations, which are few, go with it.
  await query('delete from "Space" where id = $1', [spaceId]);
  await addJobs(query, [
    job('blobs.delete', { spaceId }, { key: `blobs.delete ${spaceId}` }),
    job('search.forget', { spaceId }, { key: `search.forget ${spaceId}` }),
  ]);
  return { spaceId, rows: 1, isOver: true };
}

const nextSql = `select id from "Space" where "deletedAt" < $1 order by "deletedAt", id limit 1 for update skip locked`;

const keywordsSql = `delete from "Keyword" where ("spaceId", term, "resourceType", "resourceId") in (
    select "spaceId", term, "resourceType", "resourceId" from "Keyword" where "spaceId" = $1 limit $2) returning term`;
const commentsSql = `delete from "Comment" where id in (select id from "Comment" where "spaceId" = $1 limit $2) returning version`;

const postsSql = `delete from "Post" where id in (select id from "Post" where "spaceId" = $1 limit $2) returning version`;

const versionsSql = `delete from "TreeNodeVersion" where ("nodeId", version) in (
    select "nodeId", version from "TreeNodeVersion" where "spaceId" = $1 limit $2) returning version`;

const nodesSql = `delete from "TreeNode" where id in (select id from "TreeNode" where "spaceId" = $1 limit $2) returning version`;

const taskEventsSql = `delete from "TaskEvent" where ("taskId", seq) in (
    select e."taskId", e.seq from "Task" t join "TaskEvent" e on e."taskId" = t.id where t."spaceId" = $1 limit $2) returning seq`;

const taskObjectsSql = `delete from "TaskObject" where ("taskId", key) in (
    select o."taskId", o.key from "Task" t join "TaskObject" o on o."taskId" = t.id where t."spaceId" = $1 limit $2) returning key`;

const tasksSql = `delete from "Task" where id in (select id from "Task" where "spaceId" = $1 limit $2) returning version`;

/** Pieces of messages, whose space is their stream's. */
const chunksSql = `delete from "ChatStreamChunk" where ("streamId", seq) in (
    select c."streamId", c.seq from "ChatStream" s join "ChatStreamChunk" c on c."streamId" = s.id where s."spaceId" = $1 limit $2) returning seq`;

const rowsSql = (table: string) =>
  `delete from "${table}" where id in (select id from "${table}" where "spaceId" = $1 limit $2) returning id`;

const searchTextsSql = `delete from "SearchText" where "resourceId" in (
    select "resourceId" from "SearchText" where "spaceId" = $1 limit $2) returning "resourceId"`;

const searchWordsSql = `delete from "SearchWord" where "spaceId" = $1 and word in (
    select word from "SearchWord" where "spaceId" = $1 limit $2) returning word`;

/** What a space holds, children first. */
const contentSqls = [
  chunksSql,
  ...['ChatStream', 'Message', 'Chat'].map(rowsSql),
  searchTextsSql,
  searchWordsSql,
  taskEventsSql,
  taskObjectsSql,
  tasksSql,
  commentsSql,
  postsSql,
  ...['AccessGrant', 'FileVersion', 'File', 'UploadSession', 'Folder'].map(rowsSql),
  ...['Link', 'Note'].map(rowsSql),
  keywordsSql,
  versionsSql,
  nodesSql,
];
