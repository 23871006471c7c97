import { enter } from '../core/access.js';
import type { App, Ctx } from '../core/context.js';
import { AppError } from '../core/errors.js';
import { failureOf } from '../core/failure.js';
import { parse } from '../core/input.js';
import type { JobRun, Jobs } from '../core/jobs.js';
import { behind } from '../core/operation.js';
import {
  actorOf,
  failRun,
  finishTask,
  handBack,
  type Outcome,
  type SealedOutcome,
  sealOutcome,
  takeTask,
} from '../domains/tasks/run.js';
import { isRunnerType, runnerTypes } from '../domains/tasks/runners.js';
import type { TaskErrorRow } from '../domains/tasks/task.js';
import type { Moved } from '../domains/tasks/transition.js';
import type { ErrorCode } from '../generated/graphql.js';
import { type HeldTask, holdTask } from './held-task.js';
import { runners } from './runners/all.js';
import type { RunnerTools } from './runners/runner.js';

/** Runs a task of a registered type, for as long as this process holds it. */
export async function runTask(app: App, { taskId }: Jobs['task.run'], run: JobRun): Promise<void> {
  const task = await takeTask(app, taskId);
  if (!task) return;
  const held = holdTask(app, task, run.signal);
  const end = await attempt(app, task, held);
  await held.end();
  if (held.isLost) return;
  try {
    if ('outcome' in end) await finishTask(app, task, end.outcome);
    else if (run.signal.aborted) await handBack(app, task);
    else await failRun(app, task, ...endOf(app, task, end.error));
  } catch (error) {
    // Someone cancelled it at the last moment.
    if (!(error instanceof AppError && error.code === 'CONFLICT')) throw error;
  }
}

type End = { readonly outcome: SealedOutcome } | { readonly error: unknown };

/** What became of one attempt; it ends when the task is no longer to be run, whatever the runner makes of that. */
async function attempt(app: App, task: Moved, held: HeldTask): Promise<End> {
  const { signal } = held;
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  try {
    return { outcome: sealOutcome(await Promise.race([runAs(app, task, held), aborted])) };
  } catch (error) {
    return { error };
  }
}

/** Runs the code of the task's type as the task's owner, who must be allowed it now. */
async function runAs(app: App, { id, spaceId, type, attempt, parameters }: Moved, held: HeldTask): Promise<Outcome> {
  if (!isRunnerType(type)) throw new AppError('BAD_USER_INPUT', `This version of Canopy does not know ${type}.`);
  const { asks, parameters: rules } = runnerTypes[type];
  const ctx = fenced(behind(app, await actorOf(app, id)), held.signal);
  await enter(ctx, asks, { space: spaceId });
  const run = runners[type] as (app: App, task: object, tools: RunnerTools) => Promise<Outcome>;
  const { signal, report, output } = held;
  return run(app, { id, spaceId, attempt, parameters: parse(rules, parameters) }, { ctx, signal, report, output });
}

/** The context, whose time is over when the signal aborts: what a runner does afterwards changes nothing. */
function fenced(ctx: Ctx, signal: AbortSignal): Ctx {
  return Object.defineProperty(ctx, 'deadline', { get: () => (signal.aborted ? 0 : Number.POSITIVE_INFINITY) });
}

/** Failures after which another attempt may succeed. */
const passing: readonly ErrorCode[] = [
  'CONFLICT',
  'RATE_LIMITED',
  'GATEWAY_TIMEOUT',
  'SERVICE_UNAVAILABLE',
  'OVERLOADED',
  'INTERNAL_SERVER_ERROR',
];

/** What the owner hears of a failure, and whether another attempt may succeed. */
function endOf(app: App, task: Moved, error: unknown): [TaskErrorRow, boolean] {
  const failure = failureOf(error);
  if (failure.code === 'INTERNAL_SERVER_ERROR')
    app.log.error('A task failed.', { taskId: task.id, type: task.type, attempt: task.attempt, error });
  return [failure, (error instanceof AppError ? error.details.retryable : null) ?? passing.includes(failure.code)];
}
