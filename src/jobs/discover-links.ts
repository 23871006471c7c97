import type { App } from '../core/context.js';
import type { JobRun, Jobs } from '../core/jobs.js';
import { behind } from '../core/operation.js';
import { giveUp, relink, type Subject } from '../domains/knowledge/discovery.js';
import { similarTo } from './similar-notes.js';

/** Looks for what a note is related to, and keeps the links that it finds. A note that is gone, or changes meanwhile, is left to what follows from that. */
export async function discoverLinks(
  app: App,
  { noteId, isRecheck }: Jobs['links.discover'],
  { signal, isLastAttempt }: JobRun,
): Promise<void> {
  const [note] = await app.database.query<Subject>(
    'select id, "spaceId", version, title, content from "Note" where id = $1',
    [noteId],
  );
  if (!note) return;
  const ctx = behind(app);
  try {
    const similar = await similarTo(app, note, signal).catch(async (error: unknown) => {
      // What keywords say needs no other service, and does not wait for it.
      await relink(ctx, note, null, isRecheck === true);
      throw error;
    });
    await relink(ctx, note, similar, isRecheck === true);
  } catch (error) {
    if (isLastAttempt) await giveUp(ctx, note);
    throw error;
  }
}
