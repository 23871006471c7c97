import { z } from 'zod';
import { signedIn } from '../../core/access.js';
import { loadPage } from '../../core/pages.js';
import { name, webAddress } from '../../core/rules.js';
import { finishedStatuses, insertHistory, insertTask } from '../../domains/tasks/insertion.js';
import { eventsOfTask, tasksOfSpace } from '../../domains/tasks/loaders.js';
import { manual, NewTask, TaskFailure } from '../../domains/tasks/task.js';
import { date, type Item, reference, transferTypes } from './format.js';
import { importer } from './importer.js';
import { handleOf, pagesOf, source } from './source.js';

const oldest = { ...tasksOfSpace, order: { ...tasksOfSpace.order, direction: 'asc' } } as const;
/** A line of history grows up to here. */
const historyBytes = 512 * 1024;

/** To-dos as they stand, and what runners have finished; each with its history. What a runner is still to do stays where it is. */
export const tasks = source({
  kind: 'task',
  type: 'Task',
  scopes: ['tasks:read', 'tasks:run'],
  page: ({ ctx, spaceId }, args) => loadPage(ctx, oldest, [spaceId], args),
  async item(exporting, task) {
    const isDone = task.type === manual || finishedStatuses.includes(task.status);
    if (!isDone || transferTypes.includes(task.type)) return null;
    const { id, spaceId: _, ownerId, assigneeId, leaseExpiresAt: __, version: ___, ...kept } = task;
    const owner = await handleOf(exporting, ownerId);
    return { kind: 'task', id, ...kept, owner, assignee: await handleOf(exporting, assigneeId) };
  },
  async *parts(exporting, { id }) {
    let entries: Item[] = [];
    let [size, from] = [0, 1];
    const line = () => ({ kind: 'taskHistory', taskId: id, from, entries });
    for await (const rows of pagesOf(exporting, (args) => loadPage(exporting.ctx, eventsOfTask, [id], args)))
      for (const { seq, kind, status, attempt, progress, payload, createdAt } of rows) {
        const entry = { seq, kind, status, attempt, progress, payload, createdAt };
        size += JSON.stringify(entry).length;
        if (entries.length > 0 && size > historyBytes) {
          yield line();
          [entries, size, from] = [[], JSON.stringify(entry).length, seq];
        }
        entries.push(entry);
      }
    if (entries.length > 0) yield line();
  },
});

const status = z.enum(['PENDING', 'QUEUED', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED']);
const percent = z.int().min(0).max(100);
const attempt = z.int().min(0).max(1_000_000);
const { type, maxAttempts, priority, concurrencyKey } = NewTask.shape;
const { code, message } = TaskFailure.shape;
const orNull = <Rule extends z.ZodType>(rule: Rule) => rule.nullish().transform((value) => value ?? null);

export const importTask = importer({
  rules: z.object({
    id: reference,
    type,
    title: orNull(name),
    status,
    progress: percent,
    parameters: z.record(z.string(), z.unknown()),
    result: orNull(z.unknown()),
    resultLocation: orNull(webAddress),
    error: orNull(z.object({ code, message })),
    attempt,
    maxAttempts,
    priority,
    runAt: date,
    dueAt: orNull(date),
    concurrencyKey: concurrencyKey.transform((key) => key ?? null),
    startedAt: orNull(date),
    finishedAt: orNull(date),
    createdAt: date,
    updatedAt: date,
  }),
  action: 'task.write',
  key: ({ id }) => id,
  add: (tx, given, _, { ctx, spaceId }) => insertTask(tx, { ...given, spaceId }, signedIn(ctx)),
});

export const importHistory = importer({
  rules: z.object({
    taskId: reference,
    from: z.int().min(1),
    entries: z
      .array(
        z.object({
          seq: z.int().min(1),
          kind: z.enum(['STATUS', 'PROGRESS', 'LOG', 'OUTPUT']),
          status: orNull(status),
          attempt,
          progress: percent,
          payload: z.record(z.string(), z.unknown()),
          createdAt: date,
        }),
      )
      .min(1)
      .max(100_000),
  }),
  action: 'task.write',
  key: ({ taskId, from }) => `history of ${taskId} from ${from}`,
  needs: ({ taskId }) => [taskId],
  async add(tx, { taskId, entries }, ids) {
    const id = ids.get(taskId) ?? '';
    await insertHistory(tx, id, entries);
    return id;
  },
});
