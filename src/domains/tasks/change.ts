import type { Ctx } from '../../core/context.js';
import type { EventType } from '../../core/events.js';
import { follow } from '../../core/follow.js';

/** A change of one task, as the event log tells it; the task itself is loaded when it is asked for. */
export interface TaskChangeRow {
  readonly cursor: string;
  readonly type: string;
  readonly version: number;
  readonly taskId: string;
}

const changes: readonly EventType[] = [
  'task.created',
  'task.updated',
  'task.queued',
  'task.started',
  'task.delayed',
  'task.completed',
  'task.failed',
  'task.cancelled',
];

/** Every change of a space's tasks, as it happens. */
export function followTasks(ctx: Ctx, { spaceId, after }: { spaceId: string; after?: string | null | undefined }) {
  return follow<{ taskChanged: TaskChangeRow }>(
    ctx,
    'task.read',
    { spaceId, types: changes, after },
    async (delivery) => {
      if (!('event' in delivery)) return null;
      const { cursor, type, resourceId, related } = delivery.event;
      return { taskChanged: { cursor, type, version: related.version ?? 1, taskId: resourceId } };
    },
  );
}
