import type { Ctx } from '../../core/context.js';
import { notFound } from '../../core/errors.js';
import { eventTypes } from '../../core/events.js';
import { typeOfId } from '../../core/ids.js';
import { load } from '../../core/loaders.js';
import type { Selection } from '../../core/reading.js';
import type { KeyedShape } from '../../core/shape.js';
import { sqlText } from '../../core/sql.js';
import type { CommentableType } from '../../core/visibility.js';
import type { Tx } from '../../core/write.js';
import { type FileRow, fileShape } from '../files/file.js';
import { type NoteRow, noteShape } from '../knowledge/note.js';
import { type PostRow, postShape } from '../posts/post.js';
import { type TaskRow, taskShape } from '../tasks/task.js';
import { type TreeNodeRow, treeNodeShape } from '../tree/node.js';

/** What a comment can be on. */
export type CommentableRow = TreeNodeRow | FileRow | NoteRow | PostRow | TaskRow;

/**
 * What comments need of a kind of subject: its shape, and what its events begin with. Who sees it stands in core/visibility.ts, and a kind of there
 * that is missing here does not compile.
 */
const kinds: {
  readonly [Kind in CommentableType]: { readonly shape: KeyedShape<CommentableRow>; readonly events: string };
} = {
  TreeNode: { shape: treeNodeShape as KeyedShape<CommentableRow>, events: 'tree.' },
  File: { shape: fileShape as KeyedShape<CommentableRow>, events: 'file.' },
  Note: { shape: noteShape as KeyedShape<CommentableRow>, events: 'note.' },
  Post: { shape: postShape as KeyedShape<CommentableRow>, events: 'post.' },
  Task: { shape: taskShape as KeyedShape<CommentableRow>, events: 'task.' },
};

/** The kind of what an id names; null for what cannot be commented on. */
function kindOf(id: string) {
  const type = typeOfId(id);
  return type && type in kinds ? kinds[type as CommentableType] : null;
}

/** The events that may tell of comments on a subject, or change who sees it. */
export function eventsAround(subjectId: string): string[] {
  const own = kindOf(subjectId)?.events ?? 'comment.';
  return Object.keys(eventTypes).filter((type) => type.startsWith('comment.') || type.startsWith(own));
}

/** The subject as the viewer may see it; null for what cannot be commented on too. */
export async function findSubject(ctx: Ctx, id: string, at?: Selection): Promise<CommentableRow | null> {
  const kind = kindOf(id);
  return kind && load(ctx, kind.shape, id, at);
}

/** The same where it has to be there. */
export async function subjectOf(ctx: Ctx, id: string, at?: Selection): Promise<CommentableRow> {
  const subject = await findSubject(ctx, id, at);
  if (!subject) throw notFound();
  return subject;
}

/** Keeps a subject from going until the change commits. */
export async function holdSubject(tx: Tx, id: string): Promise<void> {
  const shape = kindOf(id)?.shape;
  if (!shape) throw notFound();
  // What is only marked as gone is held against being marked.
  const held = sqlText(shape.gone ? `"${shape.gone}" is null for share` : 'true for key share');
  const [row] = await tx.sql`select id from ${sqlText(`"${shape.model}"`)} where id = ${id} and ${held}`;
  if (!row) throw notFound();
}
