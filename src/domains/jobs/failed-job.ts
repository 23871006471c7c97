import { z } from 'zod';
import type { JobRecord } from '../../platform/queue/queue.js';

/** A job that failed for good, as the queue has it. */
export type FailedJobRow = JobRecord;

export const mostJobs = 100;
export const longestError = 2_100;

export const Replay = z.object({
  spaceId: z.string(),
  ids: z
    .array(z.string().regex(/^\d{1,18}$/, 'must be an id of failedJobs'))
    .min(1)
    .max(mostJobs),
});
