import { enter } from '../../core/access.js';
import type { Ctx } from '../../core/context.js';
import { parse } from '../../core/input.js';
import { type Written, write } from '../../core/write.js';
import type { ReplayJobsInput } from '../../generated/graphql.js';
import { type FailedJobRow, mostJobs, Replay } from './failed-job.js';

/** The jobs of a space that failed for good, the oldest first. */
export async function failedJobs(ctx: Ctx, spaceId: string): Promise<FailedJobRow[]> {
  await enter(ctx, 'space.jobs', { space: spaceId });
  return ctx.app.queue.laidAside(mostJobs, spaceId);
}

export async function replayJobs(ctx: Ctx, input: ReplayJobsInput): Promise<Written<number>> {
  const { spaceId, ids } = parse(Replay, input);
  return write(ctx, 'space.jobs', { space: spaceId }, async (tx) => {
    tx.audit('space.jobs', { metadata: { jobs: ids } });
    const [row] = await tx.sql<{
      count: number;
    }>`select canopy_replay_jobs(${ids}::bigint[], ${spaceId})::int as count`;
    return row?.count ?? 0;
  });
}
