import { cursorOf } from '../../core/event-log.js';
import { load, loadExisting } from '../../core/loaders.js';
import { listField } from '../../core/pages.js';
import { payload } from '../../core/payload.js';
import type { Resolvers } from '../../generated/graphql.js';
import { readableLocation } from '../files/location.js';
import { userShape } from '../identity/user.js';
import { spaceShape } from '../spaces/space.js';
import { followTasks } from './change.js';
import { claimTask } from './lease.js';
import { eventsOfTask, tasksOf, tasksOfViewer } from './loaders.js';
import { followProgress } from './progress.js';
import { completeTask, failTask, reportTaskProgress } from './report.js';
import { cancelTask, createTask, retryTask, updateTask } from './service.js';
import { taskShape } from './task.js';

export const resolvers: Resolvers = {
  Query: {
    task: (_, { id }, ctx, info) => load(ctx, taskShape, id, info),
  },
  Space: {
    tasks: listField(['id'], tasksOf),
  },
  Viewer: {
    tasks: (_, { status, ...args }, ctx, info) => tasksOfViewer(ctx, status, args, info),
  },
  Task: {
    space: (task, _, ctx, info) => loadExisting(ctx, spaceShape, task.spaceId, info),
    owner: (task, _, ctx, info) => (task.ownerId ? load(ctx, userShape, task.ownerId, info) : null),
    assignee: (task, _, ctx, info) => (task.assigneeId ? load(ctx, userShape, task.assigneeId, info) : null),
    // What tells of a file that the viewer may not see is none of theirs either.
    result: async ({ result, resultLocation }, _, ctx) =>
      resultLocation && !(await readableLocation(ctx, resultLocation)) ? null : result,
    resultLocation: ({ resultLocation }, _, ctx) => resultLocation && readableLocation(ctx, resultLocation),
    events: listField(['id'], eventsOfTask),
  },
  TaskEvent: {
    cursor: ({ txid, seq }) => cursorOf({ txid: BigInt(txid), seq: BigInt(seq) }),
  },
  TaskChange: {
    task: (change, _, ctx, info) => load(ctx, taskShape, change.taskId, info),
  },
  Mutation: {
    createTask: (_, { input }, ctx) => payload(createTask(ctx, input), (task) => ({ task })),
    updateTask: (_, { input }, ctx) => payload(updateTask(ctx, input), (task) => ({ task })),
    cancelTask: (_, { input }, ctx) => payload(cancelTask(ctx, input), (task) => ({ task })),
    retryTask: (_, { input }, ctx) => payload(retryTask(ctx, input), (task) => ({ task })),
    claimTask: (_, { input }, ctx) =>
      payload(claimTask(ctx, input), (task) => ({ task, leaseToken: task?.leaseToken ?? null })),
    reportTaskProgress: (_, { input }, ctx) => payload(reportTaskProgress(ctx, input), (task) => ({ task })),
    completeTask: (_, { input }, ctx) => payload(completeTask(ctx, input), (task) => ({ task })),
    failTask: (_, { input }, ctx) => payload(failTask(ctx, input), (task) => ({ task })),
  },
  Subscription: {
    taskChanged: { subscribe: (_, args, ctx) => followTasks(ctx, args) },
    taskProgress: { subscribe: (_, args, ctx) => followProgress(ctx, args) },
  },
};
