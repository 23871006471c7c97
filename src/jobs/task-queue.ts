import type { App } from '../core/context.js';
import type { Jobs } from '../core/jobs.js';
import { queueTask } from '../domains/tasks/run.js';

/** Queues a task whose time has come. */
export const queueDueTask = (app: App, { taskId }: Jobs['task.queue']): Promise<void> => queueTask(app, taskId);
