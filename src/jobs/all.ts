import type { App } from '../core/context.js';
import type { JobName, JobRun, Jobs } from '../core/jobs.js';
import { chatReply } from './chat-reply.js';
import { cleanUp } from './clean-up.js';
import { deleteBlobs } from './delete-blobs.js';
import { discoverLinks } from './discover-links.js';
import { expireAllLeases } from './expire-leases.js';
import { expireStreams } from './expire-streams.js';
import { finishUpload } from './finish-upload.js';
import { restoreBlob } from './restore-blob.js';
import { indexFolder } from './search-folder.js';
import { indexResource } from './search-index.js';
import { indexMany } from './search-many.js';
import { catchUp, forgetSpace, reindex, sweep } from './search-upkeep.js';
import { sweepBlobs } from './sweep-blobs.js';
import { sweepRemains } from './sweep-remains.js';
import { queueDueTask } from './task-queue.js';
import { runTask } from './task-run.js';
import { tierBlobs } from './tier-blobs.js';

/** What each job does. It may be called twice for one job, and must have its effect once. */
export const jobs: { readonly [Name in JobName]: (app: App, payload: Jobs[Name], run: JobRun) => Promise<void> } = {
  'clean-up': cleanUp,
  'uploads.finish': finishUpload,
  'blobs.delete': deleteBlobs,
  'blobs.sweep': sweepBlobs,
  'blobs.tier': tierBlobs,
  'blobs.restore': restoreBlob,
  'links.discover': discoverLinks,
  'remains.sweep': sweepRemains,
  'tasks.expireLeases': expireAllLeases,
  'task.queue': queueDueTask,
  'task.run': runTask,
  'chat.reply': chatReply,
  'chats.expireStreams': expireStreams,
  'search.index': indexResource,
  'search.indexMany': indexMany,
  'search.indexFolder': indexFolder,
  'search.reindex': reindex,
  'search.catchUp': catchUp,
  'search.sweep': sweep,
  'search.forget': forgetSpace,
};
