import type { EventRow } from '../../core/events.js';

/** A change of one link, as the event log tells it; the link itself is loaded when it is asked for. */
export interface LinkChangeRow {
  readonly cursor: string;
  readonly type: string;
  readonly linkId: string;
  readonly sourceId: string;
  readonly targetId: string;
}

/** The change that an event is about; null when it is of no link of this thing. */
export function linkChangeOf({ cursor, type, resourceId, related }: EventRow, id: string): LinkChangeRow | null {
  const { sourceId, targetId } = related;
  if (!sourceId || !targetId || (sourceId !== id && targetId !== id)) return null;
  return { cursor, type, linkId: resourceId, sourceId, targetId };
}
