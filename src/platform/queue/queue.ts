/** One try of a job. */
export interface QueuedJob {
  readonly name: string;
  readonly payload: unknown;
  /** 1 for the first. */
  readonly attempt: number;
  readonly maxAttempts: number;
}

/** Does a job; when it rejects, the job is tried again later. `signal` is aborted when the worker cannot wait for it any longer. */
export type DoJob = (job: QueuedJob, signal: AbortSignal) => Promise<void>;

/** A job in the queue. */
export interface JobRecord {
  readonly id: string;
  readonly name: string;
  readonly payload: unknown;
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly runAt: Date;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly isRunning: boolean;
  /** What the last try failed with. */
  readonly lastError: string | null;
}

/** What works on the queue until it is stopped. */
export interface Worker {
  /** Takes nothing new and waits for what runs, a few seconds at most; what is not done by then is handed back. */
  stop(): Promise<void>;
}

/**
 * Jobs that were added within a change (`canopy_add_jobs`), done at least once each, in any process. One that fails is tried again after a
 * jittered, exponentially growing pause, until its attempts are used up; then it stays, laid aside, until it is
 * replayed. A job whose process ends in the middle is free again after `leaseSeconds`.
 */
export interface Queue {
  /** Works on jobs of these names, `concurrency` at once. */
  work(names: readonly string[], concurrency: number, run: DoJob): Promise<Worker>;
  /** Does what is due, and what becomes due meanwhile, until nothing is or `signal` is aborted. */
  runDue(names: readonly string[], run: DoJob, signal?: AbortSignal): Promise<void>;
  /** Jobs laid aside, oldest first, at most `limit`; of one space when it is given. */
  laidAside(limit: number, spaceId?: string): Promise<JobRecord[]>;
  /** Lets jobs that were laid aside start over, and answers how many did. */
  replay(ids: readonly string[]): Promise<number>;
  /** Forgets the jobs of a space that no longer is, but for those that run; answers how many. */
  forget(spaceId: string): Promise<number>;
  /** Ends its connections. */
  close(): Promise<void>;
}

/** How long a job stays with a process that says nothing more. */
export const leaseSeconds = 30;
