import { badInput, notFound } from '../../core/errors.js';
import { newId } from '../../core/ids.js';
import type { Tx } from '../../core/write.js';
import { maxDepth } from './comment.js';
import { holdSubject } from './subject.js';

/** A comment that was somewhere else before. Of a deleted one only the place is left. */
export interface GivenComment {
  readonly spaceId: string;
  readonly subjectId: string;
  readonly parentId: string | null;
  readonly content: string;
  readonly isDeleted: boolean;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** Adds a comment with the dates it had; answers its id. */
export async function insertComment(tx: Tx, comment: GivenComment): Promise<string> {
  const { spaceId, subjectId, parentId, isDeleted } = comment;
  await holdSubject(tx, subjectId);
  const depth = parentId === null ? 0 : await depthBelow(tx, parentId, subjectId);
  const id = newId('comment');
  await tx.sql`insert into "Comment" (id, "spaceId", "subjectId", "parentId", "authorId", content, depth, "deletedAt", "createdAt", "updatedAt")
    values (${id}, ${spaceId}, ${subjectId}, ${parentId}, ${isDeleted ? null : tx.actorId}, ${isDeleted ? '' : comment.content}, ${depth},
      case when ${isDeleted}::boolean then least(${comment.updatedAt}::timestamptz, ${tx.now}) end, least(${comment.createdAt}::timestamptz, ${tx.now}),
      least(${comment.updatedAt}::timestamptz, ${tx.now}))`;
  tx.emit('comment.created', 'Comment', id, { subjectId, version: 1 });
  return id;
}

/** How deep a reply stands; to a deleted comment too, whose place is kept for its replies. */
async function depthBelow(tx: Tx, parentId: string, subjectId: string): Promise<number> {
  const [parent] = await tx.sql<{
    depth: number;
  }>`select depth from "Comment" where id = ${parentId} and "subjectId" = ${subjectId} for share`;
  if (!parent) throw notFound();
  if (parent.depth >= maxDepth) throw badInput('parentId', `must be less than ${maxDepth} deep`);
  return parent.depth + 1;
}
