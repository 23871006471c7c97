import type { Ctx } from '../../core/context.js';
import type { Listed } from '../../core/list-field.js';
import { type List, readList } from '../../core/lists.js';
import { countLimit, type Order, type Page, type PageArgs, windowOf } from '../../core/page.js';
import type { Selection } from '../../core/reading.js';
import type { Related } from '../../core/related.js';
import { roles } from '../../core/roles.js';
import type { SpaceTasksArgs, TaskOrder, TaskStatus } from '../../generated/graphql.js';
import { type TaskEventRow, type TaskRow, taskEventShape, taskShape } from './task.js';

const newestFirst: Order = { columns: ['createdAt', 'id'], direction: 'desc' };

const orders: { readonly [By in TaskOrder]: Order } = {
  CREATED_AT: newestFirst,
  UPDATED_AT: { columns: ['updatedAt', 'id'], direction: 'desc' },
  PRIORITY: { columns: ['priority', 'id'], direction: 'desc' },
};

const having: { readonly [Status in TaskStatus]: string } = {
  PENDING: `t.status = 'PENDING'`,
  QUEUED: `t.status = 'QUEUED'`,
  RUNNING: `t.status = 'RUNNING'`,
  COMPLETED: `t.status = 'COMPLETED'`,
  FAILED: `t.status = 'FAILED'`,
  CANCELLED: `t.status = 'CANCELLED'`,
};

const inSpace = { shape: taskShape, keys: ['spaceId'] };

/** Tasks of a space, newest first. */
export const tasksOfSpace: Related<TaskRow> = { ...inSpace, order: newestFirst };
export const tasksByUpdate: Related<TaskRow> = { ...inSpace, order: orders.UPDATED_AT };
export const tasksByPriority: Related<TaskRow> = { ...inSpace, order: orders.PRIORITY };
export const tasksOfAssignee: Related<TaskRow> = { ...tasksOfSpace, keys: ['spaceId', 'assigneeId'] };
export const tasksOfType: Related<TaskRow> = { ...tasksOfSpace, keys: ['spaceId', 'type'] };

/** A task's history, oldest first. */
export const eventsOfTask: Related<TaskEventRow> = {
  shape: taskEventShape,
  keys: ['taskId'],
  order: { columns: ['seq'], direction: 'asc' },
};

const wholeLists: { readonly [By in TaskOrder]: Related<TaskRow> } = {
  CREATED_AT: tasksOfSpace,
  UPDATED_AT: tasksByUpdate,
  PRIORITY: tasksByPriority,
};

/** The tasks of a space that pass a filter. */
export function tasksOf({ filter, orderBy }: SpaceTasksArgs): Listed<TaskRow> {
  if (filter == null) return { list: wholeLists[orderBy], values: [] };
  const by = (['assigneeId', 'ownerId', 'type'] as const).flatMap((key) => {
    const value = filter[key];
    return value == null ? [] : [{ key, value }];
  });
  const where = filter.status ? { where: having[filter.status] } : {};
  const list = { ...inSpace, keys: ['spaceId', ...by.map(({ key }) => key)], order: orders[orderBy], ...where };
  return { list, values: by.map(({ value }) => value) };
}

/** One page of the tasks that the viewer owns or is assigned, newest first; empty for an organization's key. */
export async function tasksOfViewer(
  ctx: Ctx,
  status: TaskStatus | null | undefined,
  args: PageArgs,
  at?: Selection,
): Promise<Page<TaskRow>> {
  const { userId, spacesWith } = await roles(ctx);
  const title = `tasks of ${userId} ${status ?? ''}`;
  const window = windowOf(args, newestFirst, title);
  const spaces = spacesWith('VIEWER');
  const list: List<TaskRow> = {
    shape: taskShape,
    name: `tasks of a user ${status ?? ''} ${window.backwards ? 'from its end' : ''}`,
    from: ownedOrAssigned(status, window.backwards ? 'asc' : 'desc'),
    where: 'true',
    values: [userId, spaces, window.size + 1, ...(window.after ?? newest), ...(window.before ?? oldest)],
    whole: [userId, spaces, countLimit, ...newest, ...oldest],
    order: newestFirst,
  };
  return readList(ctx, list, window, title, at);
}

/** Values of the order beyond every task. */
const newest = ['infinity', ''];
const oldest = ['-infinity', ''];

// Two ranges of two indexes. Each is cut to the page where it is read, or all of it would be read and sorted for every page; what the viewer may not
// see is left out before that, or pages would not be full.
function ownedOrAssigned(status: TaskStatus | null | undefined, direction: 'asc' | 'desc'): string {
  const rules = [
    't."spaceId" = any($2::text[])',
    '(t."createdAt", t.id) < ($4::timestamptz, $5::text)',
    '(t."createdAt", t.id) > ($6::timestamptz, $7::text)',
    ...(status ? [having[status]] : []),
  ].join(' and ');
  const range = (mine: string) =>
    `(select * from "Task" t where ${mine} and ${rules} order by t."createdAt" ${direction}, t.id ${direction} limit $3)`;
  return `(${range('t."ownerId" = $1')} union all ${range('t."assigneeId" = $1 and t."ownerId" is distinct from t."assigneeId"')}) t`;
}
