import type { Ctx } from '../src/core/context.js';
import { completeTask, failTask, reportTaskProgress } from '../src/domains/tasks/report.js';
import { createTask, updateTask } from '../src/domains/tasks/service.js';
import type { TaskRow } from '../src/domains/tasks/task.js';
import { idOf } from './demo-people.js';

const todo = { type: 'manual', maxAttempts: 3, priority: 0 };

/** To-dos in each state of a garden's year, work that Canopy does once its workers run, and work that waits for a runner outside. Answers the id of the one that goes on. */
export async function makeTasks({ owner, helper, spaceId }: { owner: Ctx; helper: Ctx; spaceId: string }) {
  const assigneeId = idOf(helper);
  const add = async (title: string | null, more: object = {}): Promise<TaskRow> =>
    (await createTask(owner, { ...todo, spaceId, title, ...more })).value;
  const begin = async (task: TaskRow) =>
    (await updateTask(owner, { id: task.id, version: task.version, status: 'RUNNING' })).value;

  const tools = await begin(await add('Sharpen the tools', { assigneeId }));
  await completeTask(owner, { id: tools.id, result: { sharpened: ['spade', 'hoe'] } });
  const beans = await begin(await add('Sow the beans', { assigneeId, priority: 10 }));
  await reportTaskProgress(owner, { id: beans.id, progress: 40, logs: ['Rows 1 and 2 are sown.'] });
  const barrel = await begin(await add('Mend the rain barrel', { maxAttempts: 1 }));
  await reportTaskProgress(owner, { id: barrel.id, progress: 20, logs: ['Emptied and dried.'] });
  const failure = { code: 'no_part', message: 'The tap is not made any more; we need another barrel.' };
  await failTask(owner, { id: barrel.id, ...failure, retryable: false });
  await add('Order compost', { dueAt: new Date('2027-02-15T00:00:00.000Z') });
  await add('Collect straw for the south bed', { assigneeId: idOf(owner), priority: 5 });
  await add(null, { type: 'tree.checksum', parameters: { pathPrefix: '/beds' } });
  await add('Render the plan of the beds', {
    type: 'acme.render',
    parameters: { path: '/beds', format: 'png' },
    concurrencyKey: 'plan',
  });
  return beans.id;
}
