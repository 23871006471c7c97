import type { App } from '../core/context.js';
import { addJobs, type JobRun, type Jobs, job } from '../core/jobs.js';
import { noteShape } from '../domains/knowledge/note.js';
import { sourceOf } from '../domains/search/sources.js';
import { forget, knownSpace, type Searched, searchedNow, stampsOf, writeTexts } from './search-text.js';
import { writeVectors } from './search-vectors.js';

/** What changes each time is done later, so that others get their turn. */
const mostRounds = 3;
const laterMs = 1_000;

/**
 * Brings what search knows of a resource up to date: its words first, which need no other service, then its vectors. Looks again at the end: of two runs at
 * once, the last to write may have read first.
 */
export async function indexResource(
  app: App,
  resource: Jobs['search.index'],
  { signal }: Pick<JobRun, 'signal'>,
): Promise<void> {
  const { type, id, spaceId } = resource;
  const source = sourceOf(type);
  if (!source) return;
  for (let round = 0; round < mostRounds; round += 1) {
    signal.throwIfAborted();
    const now = (await searchedNow(app, source, [id], signal)).get(id) ?? null;
    // What is gone may have got vectors after all else was forgotten.
    const known = (await knownSpace(app, id)) ?? (now ? null : spaceId);
    await keep(app, { id, known }, now, signal);
    if ((await stampsOf(app, source, [id])).get(id) === now?.stamp) return;
  }
  const runAt = new Date(app.now().getTime() + laterMs);
  await addJobs(app.database.query, [job('search.index', resource, { key: `search ${id}`, runAt })]);
}

interface Kept {
  readonly id: string;
  /** Where something may be known of it. */
  readonly known: string | null;
}

/** Keeps the resource as it is, and nothing of where it was. */
async function keep(app: App, { id, known }: Kept, now: Searched | null, signal: AbortSignal): Promise<void> {
  if (known !== null && known !== now?.spaceId) {
    await forget(app, [id], known);
    await sweepSoon(app, known);
  }
  if (!now) return;
  await writeTexts(app, [now]);
  await writeVectors(app, now, signal);
  if (now.type === noteShape.model) await lookAgain(app, now);
}

// Only what has its vectors is found by what was written at the same time; whoever has them last finds the other.
const lookAgain = ({ database }: App, { id: noteId, spaceId }: Searched) =>
  addJobs(database.query, [
    job('links.discover', { spaceId, noteId }, { key: `links.discover ${noteId}`, maxAttempts: 8 }),
  ]);

const sweepMs = 60_000;

/** What hung on it may have gone with it. Once for all that goes in a minute. */
export const sweepSoon = ({ database, now }: App, spaceId: string) =>
  addJobs(database.query, [
    job(
      'search.sweep',
      { spaceId },
      { key: `sweep ${spaceId}`, runAt: new Date(now().getTime() + sweepMs), priority: 20 },
    ),
  ]);
