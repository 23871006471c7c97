/** A change of one comment, as the event log tells it; the comment itself is loaded when it is asked for. */
export interface CommentChangeRow {
  readonly cursor: string;
  readonly type: string;
  readonly commentId: string;
}
