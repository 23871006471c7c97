import type { App } from '../core/context.js';
import type { JobRun, Jobs } from '../core/jobs.js';
import { writeReply } from '../domains/chats/reply.js';

/** Writes an assistant's reply. */
export const chatReply = (app: App, { streamId, asker }: Jobs['chat.reply'], run: JobRun): Promise<void> =>
  writeReply(app, streamId, asker, run);
