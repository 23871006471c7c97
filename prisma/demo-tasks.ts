import type { Ctx } from '../src/core/context.js';
import { completeTask, reportTaskProgress } from '../src/domains/tasks/report.js';
import { createTask, updateTask } from '../src/domains/tasks/service.js';
import type { TaskRow } from '../src/domains/tasks/task.js';

const todo = { type: 'manual', maxAttempts: 3, priority: 0 };

/** To-dos in each state of a garden's year, and work that waits for a runner outside. */
export async function makeTasks({ owner, helper, spaceId }: { owner: Ctx; helper: Ctx; spaceId: string }) {
  const assigneeId = helper.viewer?.userId ?? null;
  const add = async (title: string, more: object = {}): Promise<TaskRow> =>
    (await createTask(owner, { ...todo, spaceId, title, ...more })).value;
  const begin = async (task: TaskRow) =>
    (await updateTask(owner, { id: task.id, version: task.version, status: 'RUNNING' })).value;

  const tools = await begin(await add('Sharpen the tools', { assigneeId }));
  await completeTask(owner, { id: tools.id, result: { sharpened: ['spade', 'hoe'] } });
  const beans = await begin(await add('Sow the beans', { assigneeId, priority: 10 }));
  await reportTaskProgress(owner, { id: beans.id, progress: 40, logs: ['Rows 1 and 2 are sown.'] });
  await add('Order compost', { dueAt: new Date('2027-02-15T00:00:00.000Z') });
  await add('Render the plan of the beds', {
    type: 'acme.render',
    parameters: { path: '/beds', format: 'png' },
    concurrencyKey: 'plan',
  });
}
