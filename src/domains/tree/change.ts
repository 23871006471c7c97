import type { EventRow } from '../../core/events.js';
import { isAtOrBelow } from './path.js';

/** A change of one node, as the event log tells it; the node itself is loaded when it is asked for. */
export interface TreeChangeRow {
  readonly cursor: string;
  readonly type: string;
  readonly path: string;
  readonly fromPath: string | null;
  readonly version: number;
  readonly nodeId: string;
}

/** The change that an event is about; null when it touched nothing at or below the prefix. */
export function changeOf({ cursor, type, resourceId, related }: EventRow, prefix: string): TreeChangeRow | null {
  const { path = '/', fromPath = null, version = 0 } = related;
  if (!isAtOrBelow(path, prefix) && !(fromPath !== null && isAtOrBelow(fromPath, prefix))) return null;
  return { cursor, type, path, fromPath, version, nodeId: resourceId };
}
