import type { Ctx } from '../../core/context.js';
import { AppError, notFound, staleVersion } from '../../core/errors.js';
import { follow } from '../../core/follow.js';
import { newId } from '../../core/ids.js';
import { parse } from '../../core/input.js';
import { columnsSql } from '../../core/sql.js';
import { type Tx, type Written, write } from '../../core/write.js';
import { writeExisting } from '../../core/write-existing.js';
import type {
  CreateCommentInput,
  DeleteCommentInput,
  SubscriptionCommentsChangedArgs,
  UpdateCommentInput,
} from '../../generated/graphql.js';
import type { CommentChangeRow } from './change.js';
import { CommentChange, type CommentRow, CommentVersion, commentShape, NewComment } from './comment.js';
import { eventsAround, findSubject, holdSubject, subjectOf } from './subject.js';
import { depthBelow, lockComment, takeOut } from './thread.js';

const columns = columnsSql(commentShape);

/** Comments on what the viewer sees, or replies to a comment on it. */
export async function createComment(ctx: Ctx, input: CreateCommentInput): Promise<Written<CommentRow>> {
  const { subjectId, parentId = null, content } = parse(NewComment, input);
  // What the viewer does not see lives in a place that does not exist.
  const spaceId = (await findSubject(ctx, subjectId))?.spaceId ?? '';
  return write(ctx, 'comment.write', { space: spaceId }, async (tx) => {
    await holdSubject(tx, subjectId);
    const depth = parentId === null ? 0 : await depthBelow(tx, parentId, subjectId);
    const [row] =
      await tx.sql<CommentRow>`insert into "Comment" (id, "spaceId", "subjectId", "parentId", "authorId", content, depth, "createdAt", "updatedAt")
      values (${newId('comment')}, ${spaceId}, ${subjectId}, ${parentId}, ${tx.actorId}, ${content}, ${depth}, ${tx.now}, ${tx.now}) returning ${columns}`;
    if (!row) throw new Error('An inserted comment was not answered.');
    tx.emit('comment.created', 'Comment', row.id, { subjectId, version: row.version });
    return row;
  });
}

/** Changes the viewer's own comment. */
export async function updateComment(ctx: Ctx, input: UpdateCommentInput): Promise<Written<CommentRow>> {
  const { id, version, content } = parse(CommentChange, input);
  return writeExisting(ctx, 'comment.write', commentShape, id, async (tx) => {
    const comment = await standing(tx, id);
    if (!isOwn(tx, comment)) throw new AppError('FORBIDDEN', 'Only its author changes a comment.');
    const [row] =
      await tx.sql<CommentRow>`update "Comment" set content = ${content}, version = version + 1, "updatedAt" = ${tx.now}
      where id = ${id} and version = ${version} returning ${columns}`;
    if (!row) throw staleVersion('The comment', comment.version);
    tx.emit('comment.updated', 'Comment', id, { subjectId: row.subjectId, version: row.version });
    return row;
  });
}

/** A comment that was deleted, and what is left of it. */
export interface Deletion {
  readonly deletedCommentId: string;
  readonly comment: CommentRow | null;
}

/** Deletes the viewer's own comment, or as ADMIN anybody's. */
export async function deleteComment(ctx: Ctx, input: DeleteCommentInput): Promise<Written<Deletion>> {
  const { id, version } = parse(CommentVersion, input);
  const actorId = ctx.viewer?.userId ?? null;
  const doing = (seen: CommentRow | null) =>
    seen !== null && isOwn({ actorId }, seen) ? 'comment.write' : 'comment.moderate';
  return writeExisting(ctx, doing, commentShape, id, async (tx) => {
    const comment = await standing(tx, id);
    if (comment.version !== version) throw staleVersion('The comment', comment.version);
    return { deletedCommentId: id, comment: await takeOut(tx, comment) };
  });
}

const isOwn = ({ actorId }: Pick<Tx, 'actorId'>, { authorId }: CommentRow) => actorId !== null && authorId === actorId;

/** The comment, locked; NOT_FOUND when it is gone or only its place is left. */
async function standing(tx: Tx, id: string): Promise<CommentRow> {
  const comment = await lockComment(tx, id);
  if (!comment || comment.deletedAt) throw notFound();
  return comment;
}

/** Every change of the comments on a subject, for as long as the viewer sees it. */
export async function followComments(ctx: Ctx, { subjectId, after }: SubscriptionCommentsChangedArgs) {
  const { spaceId } = await subjectOf(ctx, subjectId);
  return follow(ctx, 'comment.read', { spaceId, types: eventsAround(subjectId), after }, async (delivery) => {
    if (!('event' in delivery)) return null;
    const { cursor, type, resourceId, related } = delivery.event;
    if (resourceId !== subjectId && related.subjectId !== subjectId) return null;
    await subjectOf(ctx, subjectId);
    const commentsChanged: CommentChangeRow = { cursor, type, commentId: resourceId };
    return resourceId === subjectId ? null : { commentsChanged };
  });
}
