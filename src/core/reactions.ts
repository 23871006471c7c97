import type { Emitted, EventType } from './events.js';
import { type JobSpec, job } from './jobs.js';

type Reaction = (event: Emitted) => JobSpec;

const discoverLinks: Reaction = ({ spaceId, resourceId: noteId }) =>
  job('links.discover', { spaceId: spaceId ?? '', noteId }, { key: `links.discover ${noteId}`, maxAttempts: 8 });

// Of however many deletions in a space one job follows.
const sweepRemains: Reaction = ({ spaceId, resourceType: type }) =>
  job('remains.sweep', { spaceId: spaceId ?? '', type }, { key: `remains.sweep ${spaceId} ${type}` });

/**
 * What follows from an event besides what its listeners do: jobs, added in the transaction of the change. A domain says what
 * happened; who reacts to it stands here.
 */
const reactions: { readonly [Type in EventType]?: readonly Reaction[] } = {
  'note.created': [discoverLinks],
  'note.updated': [discoverLinks],
  'note.deleted': [sweepRemains],
  'tree.deleted': [sweepRemains],
  'file.deleted': [sweepRemains],
};

/** The jobs that follow from what a change said. */
export const reactionsTo = (emitted: readonly Emitted[]): JobSpec[] =>
  emitted.flatMap((event) => reactions[event.type]?.map((react) => react(event)) ?? []);
