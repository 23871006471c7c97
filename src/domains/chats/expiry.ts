import type { App } from '../../core/context.js';
import { addJobs, job } from '../../core/jobs.js';
import { behind } from '../../core/operation.js';
import { commit } from '../../core/write.js';
import type { ChatStreamRow } from './stream.js';
import { endStream } from './writing.js';

const keptMs = 60 * 60 * 1_000;

/**
 * Gives up messages whose writer was not heard of in time, and drops what is left of those that were finished an hour ago. `streamId` is looked at again
 * when its lease ends, which its writer has prolonged meanwhile.
 */
export async function expireStreams(app: App, streamId?: string): Promise<void> {
  const now = app.now();
  const late = await app.database.query<ChatStreamRow>(
    `select id, "spaceId", "chatId" from "ChatStream" where status = 'STREAMING' and "leaseExpiresAt" <= $1 order by "leaseExpiresAt" limit 1000`,
    [now],
  );
  for (const { id, spaceId, chatId } of late) {
    await giveUp(app, id, spaceId);
    app.wakeups.wake(chatId);
  }
  await dropChunks(app, new Date(now.getTime() - keptMs));
  if (streamId !== undefined) await lookAgain(app, streamId);
}

async function giveUp(app: App, streamId: string, spaceId: string): Promise<void> {
  await commit(behind(app), 'chat.write', { space: spaceId }, null, async (tx) => {
    // Another process may be at it, and the writer may have been heard of since.
    const [late] =
      await tx.sql`select id from "ChatStream" where id = ${streamId} and status = 'STREAMING' and "leaseExpiresAt" <= ${tx.now} for no key update`;
    if (late) await endStream(tx, streamId, { status: 'FAILED', failure: 'The writer was not heard of any more.' });
    else tx.audit('chat.write', { resourceType: 'ChatStream', resourceId: streamId });
  });
}

async function dropChunks({ database }: App, before: Date): Promise<void> {
  await database.query(
    `with old as (update "ChatStream" set "keepsChunks" = false where id in (select id from "ChatStream" where "keepsChunks" and "closedAt" < $1 limit 1000) returning id)
      delete from "ChatStreamChunk" where "streamId" in (select id from old)`,
    [before],
  );
}

async function lookAgain({ database }: App, streamId: string): Promise<void> {
  const [stream] = await database.query<{ leaseExpiresAt: Date }>(
    `select "leaseExpiresAt" from "ChatStream" where id = $1 and status = 'STREAMING'`,
    [streamId],
  );
  if (stream) await addJobs(database.query, [expiryJob({ id: streamId, ...stream })]);
}

/** The job that looks at a stream when its lease ends; there is one for each stream. */
export const expiryJob = ({ id, leaseExpiresAt }: Pick<ChatStreamRow, 'id' | 'leaseExpiresAt'>) =>
  job('chats.expireStreams', { streamId: id }, { key: `expire ${id}`, runAt: leaseExpiresAt });
