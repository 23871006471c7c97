import type { App } from '../core/context.js';
import { addJobs, job } from '../core/jobs.js';
import { restorableDays } from '../core/roles.js';
import type { Query } from '../platform/database/database.js';

const hourMs = 60 * 60 * 1_000;
/** One hour more than it takes, because the clocks of two processes differ: what one may still restore, no other removes. */
const keptMs = (restorableDays * 24 + 1) * hourMs;
const batch = 1_000;

/**
 * Removes spaces that can no longer be restored, with all they hold; their slugs are free again. Small transactions, each of one space that no other
 * process is at: several may run it at once, and what one leaves unfinished the next takes up. Answers how many spaces went.
 */
export async function purgeSpaces(app: App): Promise<number> {
  const before = new Date(app.now().getTime() - keptMs);
  let purged = 0;
  for (;;) {
    const step = await app.database.transaction((query) => purgeStep(query, before), { snapshot: false });
    if (step === 'nothing') return purged;
    if (step === 'space') purged += 1;
  }
}

/** Removes some of what the oldest free space holds, or the space once it is empty. */
async function purgeStep(query: Query, before: Date): Promise<'nothing' | 'content' | 'space'> {
  const [space] = await query<{ id: string }>(nextSql, [before]);
  if (!space) return 'nothing';
  for (const text of contentSqls) if ((await query(text, [space.id, batch])).length > 0) return 'content';
  // Members and invitations, which are few, go with it.
  await query('delete from "Space" where id = $1', [space.id]);
  await addJobs(query, [
    job('blobs.delete', { spaceId: space.id }, { key: `blobs.delete ${space.id}` }),
    job('search.forget', { spaceId: space.id }),
  ]);
  return 'space';
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
