/** A change of a file or a folder, as the event log tells it; the thing itself is loaded when it is asked for. */
export interface FileChangeRow {
  readonly cursor: string;
  readonly type: string;
  readonly resourceId: string;
}
