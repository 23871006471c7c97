import type { App } from '../core/context.js';
import type { Jobs } from '../core/jobs.js';
import { expireStreams as expire } from '../domains/chats/expiry.js';

/** Gives up messages whose writer is not heard of any more. */
export const expireStreams = (app: App, { streamId }: Jobs['chats.expireStreams']): Promise<void> =>
  expire(app, streamId);
