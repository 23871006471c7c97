import type { App } from '../core/context.js';
import { failureOf } from '../core/failure.js';
import type { JobName } from '../core/jobs.js';
import type { DoJob, Worker } from '../platform/queue/queue.js';
import { jobs } from './all.js';
import { addFromLog } from './log-reader.js';
import { addScheduled } from './schedule.js';

const names = Object.keys(jobs) as JobName[];
/** Jobs that take as long as people and programs want, or as there are bytes: they have workers of their own, or the others would wait behind them. */
const long: readonly JobName[] = [
  'task.run',
  'chat.reply',
  'uploads.finish',
  'blobs.sweep',
  'blobs.tier',
  'blobs.restore',
];
/** Jobs that wait for the services of search, which may be away: nothing else waits behind them. */
const searching: readonly JobName[] = [
  'search.index',
  'search.indexMany',
  'search.indexFolder',
  'search.reindex',
  'search.catchUp',
  'search.sweep',
  'search.forget',
  'links.discover',
];
const short = names.filter((name) => !long.includes(name) && !searching.includes(name));
const tickMs = 5_000;

const doing =
  (app: App): DoJob =>
  async ({ name, payload, attempt, maxAttempts }, signal) => {
    const run = jobs[name as JobName] as (app: App, payload: unknown, run: object) => Promise<void>;
    try {
      await run(app, payload, { signal, attempt, isLastAttempt: attempt >= maxAttempts });
    } catch (error) {
      // The queue keeps the message, for people; the log has what it was in truth.
      const { code, message } = failureOf(error);
      throw new Error(`${code}: ${message}`, { cause: error });
    }
  };

/** Works on the queue, on `concurrency` short jobs, as many long ones and as many of search at once, and adds what follows from the clock and from the log. */
export async function startWorker(app: App, concurrency: number): Promise<Worker> {
  const tick = () =>
    Promise.all([addScheduled(app), addFromLog(app)]).catch((error: unknown) =>
      app.log.warn('What follows from the clock and from the log could not be added.', { error }),
    );
  const workers: Worker[] = [];
  for (const some of [short, long, searching]) workers.push(await app.queue.work(some, concurrency, doing(app)));
  await tick();
  const ticking = setInterval(() => void tick(), tickMs);
  return {
    async stop() {
      clearInterval(ticking);
      await Promise.all(workers.map((worker) => worker.stop()));
    },
  };
}

/** Does all that is due, and what becomes due meanwhile, for hosts without a worker. */
export async function runDueJobs(app: App, signal?: AbortSignal): Promise<void> {
  await Promise.all([addScheduled(app), addFromLog(app)]);
  await app.queue.runDue(names, doing(app), signal);
}
