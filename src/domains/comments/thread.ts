import type { Ctx } from '../../core/context.js';
import { AppError, badInput, notFound } from '../../core/errors.js';
import { prefixOf } from '../../core/ids.js';
import { columnsSql, sqlText } from '../../core/sql.js';
import { type CommentableType, type Content, commentable } from '../../core/visibility.js';
import { commit, type Tx } from '../../core/write.js';
import { type CommentRow, commentShape, maxDepth } from './comment.js';

const columns = columnsSql(commentShape);

/** How deep a reply to a comment on the subject stands. The comment is not deleted, and will not be before the change commits. */
export async function depthBelow(tx: Tx, parentId: string, subjectId: string): Promise<number> {
  const [parent] = await tx.sql<
    Pick<CommentRow, 'depth' | 'deletedAt'>
  >`select depth, "deletedAt" from "Comment" where id = ${parentId} and "subjectId" = ${subjectId} for share`;
  if (!parent) throw notFound();
  if (parent.deletedAt) throw new AppError('CONFLICT', 'The comment has been deleted.');
  if (parent.depth >= maxDepth) throw badInput('parentId', `must be less than ${maxDepth} deep`);
  return parent.depth + 1;
}

/** Locks a comment, so that nobody changes it or replies to it meanwhile. */
export async function lockComment(tx: Tx, id: string): Promise<CommentRow | null> {
  const [row] = await tx.sql<CommentRow>`select ${columns} from "Comment" where id = ${id} for update`;
  return row ?? null;
}

/** Takes a locked comment out of its thread: what is left of one with replies, or null. A deleted comment goes with its last reply. */
export async function takeOut(tx: Tx, { id, parentId, subjectId }: CommentRow): Promise<CommentRow | null> {
  if (await hasReplies(tx, id)) {
    const [row] =
      await tx.sql<CommentRow>`update "Comment" set content = '', "authorId" = null, "deletedAt" = ${tx.now}, version = version + 1, "updatedAt" = ${tx.now}
      where id = ${id} returning ${columns}`;
    tx.emit('comment.deleted', 'Comment', id, { subjectId }, { operation: 'DELETE' });
    return row ?? null;
  }
  await tx.sql`delete from "Comment" where id = ${id}`;
  tx.emit('comment.deleted', 'Comment', id, { subjectId }, { operation: 'DELETE' });
  const parent = parentId === null ? null : await lockComment(tx, parentId);
  if (parent?.deletedAt && !(await hasReplies(tx, parent.id))) await takeOut(tx, parent);
  return null;
}

async function hasReplies(tx: Tx, id: string): Promise<boolean> {
  const [reply] = await tx.sql`select id from "Comment" where "parentId" = ${id} limit 1`;
  return reply !== undefined;
}

/** Removes all comments on things that are deleted for good. */
export async function removeComments(tx: Tx, subjectIds: readonly string[]): Promise<void> {
  // Replies go with what they reply to.
  await tx.sql`delete from "Comment" where "subjectId" = any(${subjectIds}::text[]) and "parentId" is null`;
}

const sweepSize = 1_000;

/** Removes some of the comments of a space on things of this type that are gone; answers whether there may be more. */
export async function sweepComments(ctx: Ctx, spaceId: string, type: CommentableType): Promise<boolean> {
  const { gone }: Content = commentable[type];
  const subjects = sqlText(`"${type}" s`);
  const there = sqlText(gone === undefined ? 'true' : `s."${gone}" is null`);
  const written = await commit(ctx, 'comment.write', { space: spaceId }, null, async (tx) => {
    tx.audit('comment.write', { resourceType: type, operation: 'DELETE' });
    const rows = await tx.sql`delete from "Comment" where id in (
        select c.id from "Comment" c where c."spaceId" = ${spaceId} and c."parentId" is null and starts_with(c."subjectId", ${`${prefixOf(type)}_`})
          and not exists (select from ${subjects} where s.id = c."subjectId" and ${there}) limit ${sweepSize}) returning id`;
    return rows.length === sweepSize;
  });
  return written.value;
}
