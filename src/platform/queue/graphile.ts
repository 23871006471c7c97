import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Job, Logger, TaskList, WorkerEvents } from 'graphile-worker';
import pg from 'pg';
import { throughPooler } from '../database/pooler.js';
import type { Log } from '../log.js';
import { type DoJob, type JobRecord, leaseSeconds, type Queue } from './queue.js';

export interface GraphileQueueOptions {
  readonly url: string;
  readonly log: Log;
}

type Ask = <Row extends object>(text: string, values: readonly unknown[]) => Promise<Row[]>;

const heartbeatMs = (leaseSeconds / 3) * 1_000;
/** How often the queue is looked at when no notification comes. */
const pollMs = 2_000;
const restartMs = 1_000;

/** The library is loaded once there is work to do: processes start without it. */
const library = () => import('graphile-worker');

/** The queue in the tables of graphile-worker, on connections of its own. */
export function graphileQueue({ url, log }: GraphileQueueOptions): Queue {
  let pool: pg.Pool | null = null;
  const connections = () => (pool ??= openPool(url, log));
  const ask: Ask = async <Row extends object>(text: string, values: readonly unknown[]) =>
    (await connections().query<Row>(text, [...values])).rows;
  const shared = async () =>
    ({ logger: await loggerOf(log), noHandleSignals: true, noPreparedStatements: throughPooler(url) }) as const;

  return {
    async work(names, concurrency, run) {
      const held = holding(ask, log);
      const stopping = new AbortController();
      const { run: runWorkers } = await library();
      const options = {
        ...(await shared()),
        concurrency,
        pollInterval: pollMs,
        gracefulShutdownAbortTimeout: 5_000,
        taskList: tasksOf(names, run, held, ask, log),
      };
      // A database that goes away ends the workers; they begin anew once it is back.
      const working = (async () => {
        while (!stopping.signal.aborted) {
          try {
            const runner = await runWorkers({ ...options, pgPool: connections() });
            const stop = () => void runner.stop();
            // The wish to stop may have come while they began.
            if (stopping.signal.aborted) stop();
            stopping.signal.addEventListener('abort', stop, { once: true });
            await runner.promise;
          } catch (error) {
            log.warn('The job workers ended; they begin anew.', { error });
          }
          if (!stopping.signal.aborted) await sleep(restartMs);
        }
      })();
      return {
        async stop() {
          stopping.abort();
          await working;
          held.end();
        },
      };
    },

    async runDue(names, run, signal) {
      const held = holding(ask, log);
      try {
        await held.beat();
        const taskList = tasksOf(names, run, held, ask, log);
        const { runOnce } = await library();
        await runOnce({
          ...(await shared()),
          concurrency: 1,
          pgPool: connections(),
          taskList,
          events: endedBy(signal),
        });
      } finally {
        held.end();
      }
    },

    laidAside: (limit, spaceId) => ask<JobRecord>(laidAsideSql, [limit, spaceId ?? null]),

    replay: async (ids) => (await ask<{ count: number }>(replaySql, [ids]))[0]?.count ?? 0,

    forget: async (spaceId) => (await ask(forgetSql, [spaceId])).length,

    async close() {
      await pool?.end();
    },
  };
}

function openPool(url: string, log: Log): pg.Pool {
  const pool = new pg.Pool({ connectionString: url, max: 6, application_name: 'canopy jobs', keepAlive: true });
  pool.on('error', (error) => log.warn('An idle connection of the job queue was lost.', { error }));
  pool.on('connect', (client) => {
    client.on('error', (error) => log.info('A connection of the job queue was lost.', { error: error.message }));
  });
  return pool;
}

/** The jobs that this worker holds. Every heartbeat renews their leases, and frees the jobs of processes that renew theirs no more. */
function holding(ask: Ask, log: Log) {
  const held = new Map<string, { by: string; lost: AbortController }>();
  const beat = async () => {
    const ids = [...held.keys()];
    const rows = await ask<{ id: string }>(beatSql, [ids, ids.map((id) => held.get(id)?.by), leaseSeconds]);
    const kept = new Set(rows.map(({ id }) => id));
    // Another took it over while this process was too slow to say that it lives.
    for (const id of ids) if (!kept.has(id)) held.get(id)?.lost.abort();
  };
  const beating = setInterval(() => {
    beat().catch((error: unknown) => log.warn('The heartbeat of the jobs failed.', { error }));
  }, heartbeatMs);
  beating.unref();
  return {
    beat,
    /** Until `release`, the job is this worker's; the signal tells when it is no longer. */
    take({ id, locked_by }: Job): AbortSignal {
      const lost = new AbortController();
      held.set(id, { by: locked_by ?? '', lost });
      return lost.signal;
    },
    release: ({ id }: Job) => void held.delete(id),
    end: () => clearInterval(beating),
  };
}

function tasksOf(names: readonly string[], run: DoJob, held: ReturnType<typeof holding>, ask: Ask, log: Log): TaskList {
  const task: TaskList[string] = async (payload, { job, abortSignal }) => {
    const { task_identifier: name, attempts: attempt, max_attempts: maxAttempts } = job;
    const lost = held.take(job);
    try {
      const signal = abortSignal ? AbortSignal.any([lost, abortSignal]) : lost;
      await run({ name, payload, attempt, maxAttempts }, signal);
    } catch (error) {
      const isLast = attempt >= maxAttempts;
      log[isLast ? 'error' : 'warn'](isLast ? 'A job failed for good.' : 'A job failed; it is tried again.', {
        job: name,
        payload,
        attempt,
        error,
      });
      await ask(jitterSql, [job.id]);
      throw error;
    } finally {
      held.release(job);
    }
  };
  return Object.fromEntries(names.map((name) => [name, task]));
}

/** Lets workers take nothing new once the signal is aborted. */
function endedBy(signal: AbortSignal | undefined): WorkerEvents {
  const events: WorkerEvents = new EventEmitter();
  events.on('pool:create', ({ workerPool }) => {
    signal?.addEventListener('abort', () => void workerPool.gracefulShutdown('The time is up.'), { once: true });
  });
  return events;
}

/** What the library has to say besides that a job failed, of which we speak ourselves. */
async function loggerOf(log: Log): Promise<Logger> {
  const { Logger } = await library();
  return new Logger(() => (level, message, meta) => {
    if (meta?.['failure']) return;
    if (level === 'error' || level === 'warning') log.warn('The job queue has trouble.', { error: message });
  });
}

// A job without a key was superseded by another; nobody needs to hear how it ended.
const superseded = 'key is null and attempts >= max_attempts';

const beatSql = `with forgotten as (
    delete from graphile_worker._private_jobs
    where ${superseded} and (locked_at is null or locked_at < now() - make_interval(secs => $3::float8)) and id <> all($1::bigint[])
  ), freed as (
    update graphile_worker._private_jobs set locked_at = null, locked_by = null, run_at = greatest(run_at, now()),
      last_error = coalesce(last_error, 'Its process ended in the middle.')
    where locked_at < now() - make_interval(secs => $3::float8) and id <> all($1::bigint[]) and not (${superseded})
  )
  update graphile_worker._private_jobs j set locked_at = now() from unnest($1::bigint[], $2::text[]) mine (id, by)
    where j.id = mine.id and j.locked_by = mine.by returning j.id::text as id`;

// The library adds e^attempts seconds to this when it lays the job down.
const jitterSql = `update graphile_worker._private_jobs set run_at = now() + random() * exp(least(attempts, 10)) * interval '1 second' where id = $1`;

const laidAsideSql = `select j.id::text as id, t.identifier as name, j.payload, j.attempts as attempt, j.max_attempts as "maxAttempts", j.run_at as "runAt",
    j.created_at as "createdAt", j.updated_at as "updatedAt", j.locked_at is not null as "isRunning", j.last_error as "lastError"
  from graphile_worker._private_jobs j join graphile_worker._private_tasks t on t.id = j.task_id
  where j.attempts >= j.max_attempts and j.locked_at is null and j.key is not null and ($2::text is null or j.payload->>'spaceId' = $2) order by j.id limit $1`;

const forgetSql = `delete from graphile_worker._private_jobs where payload->>'spaceId' = $1 and locked_at is null returning id`;

const replaySql = 'select canopy_replay_jobs($1::bigint[])::int as count';
