import { z } from 'zod';
import { isSoundText } from '../../core/json.js';
import { filledText, name, version, webAddress } from '../../core/rules.js';
import { shape } from '../../core/shape.js';
import type { TaskEvent as TaskEventModel, Task as TaskModel } from '../../generated/prisma/client.js';
import { userShape } from '../identity/user.js';

const columns = [
  'id',
  'spaceId',
  'ownerId',
  'assigneeId',
  'type',
  'title',
  'status',
  'progress',
  'parameters',
  'result',
  'resultLocation',
  'error',
  'attempt',
  'maxAttempts',
  'priority',
  'runAt',
  'dueAt',
  'concurrencyKey',
  'leaseExpiresAt',
  'startedAt',
  'finishedAt',
  'version',
  'createdAt',
  'updatedAt',
] as const;

/** Why an attempt failed. */
export interface TaskErrorRow {
  readonly code: string;
  readonly message: string;
}

type Json = 'parameters' | 'result' | 'error';
/** JSON is the value itself or, where a loader read it, its text. */
export type TaskRow = Omit<Pick<TaskModel, (typeof columns)[number]>, Json> & {
  readonly parameters: unknown;
  readonly result: unknown;
  readonly error: TaskErrorRow | null;
};

/** What leaves the database of a task; what it runs with and the token of its lease do not. */
export const taskShape = shape<TaskRow>({
  model: 'Task',
  key: 'id',
  columns,
  always: ['id'],
  fields: {
    space: ['spaceId'],
    owner: ['ownerId'],
    assignee: ['assigneeId'],
    events: ['id'],
    result: ['result', 'resultLocation'],
  },
  inJson: {
    parameters: 'never',
    result: 'never',
    runAt: 'instant',
    dueAt: 'instant',
    leaseExpiresAt: 'instant',
    startedAt: 'instant',
    finishedAt: 'instant',
    createdAt: 'instant',
    updatedAt: 'instant',
  },
  along: { owner: { column: 'ownerId', shape: userShape }, assignee: { column: 'assigneeId', shape: userShape } },
});

const eventColumns = [
  'taskId',
  'seq',
  'txid',
  'kind',
  'status',
  'attempt',
  'progress',
  'payload',
  'createdAt',
] as const;
export type TaskEventRow = Omit<Pick<TaskEventModel, Exclude<(typeof eventColumns)[number], 'txid'>>, 'payload'> & {
  readonly txid: string;
  readonly payload: unknown;
};

/** What leaves the database of an entry of a task's history. */
export const taskEventShape = shape<TaskEventRow>({
  model: 'TaskEvent',
  columns: eventColumns,
  always: ['taskId', 'seq'],
  fields: { cursor: ['txid', 'seq'] },
  inJson: { payload: 'never', createdAt: 'instant' },
});

/** The type of what people do themselves. */
export const manual = 'manual';

const statuses = z.enum(['PENDING', 'QUEUED', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED']);
const priority = z.int().min(-100).max(100);
const id = z.string();
const leaseToken = z.string().max(100).nullish();
const leaseSeconds = z.int().min(10).max(3_600);
/** How a type of outside runners is called. */
const outsideType = z
  .string()
  .max(100)
  .regex(
    /^[a-z][a-z0-9-]*(\.[a-z0-9-]+)+$/,
    'must be lower-case words of letters, digits and hyphens with dots between',
  );

export const NewTask = z.object({
  spaceId: id,
  type: z.union([z.literal(manual), outsideType], 'must be manual, a registered type, or vendor.name'),
  title: name.nullish(),
  assigneeId: id.nullish(),
  maxAttempts: z.int().min(1).max(20),
  priority,
  runAt: z.date().nullish(),
  dueAt: z.date().nullish(),
  concurrencyKey: filledText(200).nullish(),
});

export const TaskChange = z.object({
  id,
  version,
  title: name.nullish(),
  assigneeId: id.nullish(),
  dueAt: z.date().nullish(),
  priority: priority.optional(),
  status: statuses.exclude(['CANCELLED'], 'CANCELLED goes by cancelTask').optional(),
});

export const TaskClaim = z.object({ spaceId: id, types: z.array(outsideType).min(1).max(20), leaseSeconds });

const line = z
  .string()
  .min(1, 'must not be empty')
  .max(2_000, 'must be at most 2000 characters')
  .refine(isSoundText, 'must not hold U+0000 or lone surrogates');

export const TaskReport = z.object({
  id,
  leaseToken,
  progress: z.int().min(0).max(100).nullish(),
  logs: z.array(line).max(100).nullish(),
  leaseSeconds: leaseSeconds.nullish(),
});

export const TaskCompletion = z.object({ id, leaseToken, resultLocation: webAddress.nullish() });

export const TaskFailure = z.object({
  id,
  leaseToken,
  code: z
    .string()
    .max(100)
    .regex(/^[\w.-]+$/, 'must be letters, digits, _, - and dots'),
  message: line,
  retryable: z.boolean(),
});
