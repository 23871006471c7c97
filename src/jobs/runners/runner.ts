import type { App, Ctx } from '../../core/context.js';
import type { Outcome } from '../../domains/tasks/run.js';
import type { RunnerParameters, RunnerTypeName } from '../../domains/tasks/runners.js';

/** What a runner is to do. */
export interface RunnerTask<Type extends RunnerTypeName> {
  readonly id: string;
  readonly spaceId: string;
  readonly parameters: RunnerParameters<Type>;
  /** 1 for the first. */
  readonly attempt: number;
}

/** What a runner works with. */
export interface RunnerTools {
  /**
   * The task's owner, as what they may do stands at each read and write. Once the run is over (cancelled, handed back, lost) it writes nothing any more.
   * A new epoch is the runner's to start: `ctx.epoch.current = {}` lets loaders forget what they have read.
   */
  readonly ctx: Ctx;
  /** Aborted when the run is over; the runner stops within 2 seconds. */
  readonly signal: AbortSignal;
  /** How far it is, 0–100 or null, and a line for the history. As often as one likes: what goes to the database is gathered. */
  report(progress: number | null, log?: string): void;
  /** A piece of what it makes, for the history; at most 256 KiB. */
  output(value: unknown): void;
}

/**
 * The code of a type. It may be run again from the start, after a failure or a killed process, and must have its effect once. An `AppError` is what its
 * owner hears; whether it is worth another attempt follows from its code, or from `retryable`.
 */
export type Runner<Type extends RunnerTypeName> = (
  app: App,
  task: RunnerTask<Type>,
  tools: RunnerTools,
) => Promise<Outcome>;
