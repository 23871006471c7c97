import type { App } from '../core/context.js';
import type { Jobs } from '../core/jobs.js';
import { finishChecking } from '../domains/files/completion.js';

/** Checks a large upload and makes the file of it, or rejects it. */
export async function finishUpload(app: App, { uploadId, asker }: Jobs['uploads.finish']): Promise<void> {
  await finishChecking(app, uploadId, asker);
}
