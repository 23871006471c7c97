import type { Emitted, EventType } from './events.js';
import { type JobSpec, job } from './jobs.js';

type Reaction = (event: Emitted) => JobSpec;

const discoverLinks: Reaction = ({ spaceId, resourceId: noteId }) =>
  job('links.discover', { spaceId: spaceId ?? '', noteId }, { key: `links.discover ${noteId}`, maxAttempts: 8 });

// Of however many deletions in a space one job follows.
const sweepRemains: Reaction = ({ spaceId, resourceType: type }) =>
  job('remains.sweep', { spaceId: spaceId ?? '', type }, { key: `remains.sweep ${spaceId} ${type}` });

/** However often it changes before the job runs, it is indexed once, as it is then. */
const indexed: Reaction = ({ resourceType: type, resourceId: id, spaceId }) =>
  job('search.index', { type, id, spaceId }, { key: `search ${id}` });

/**
 * What follows from an event besides what its listeners do: jobs, added in the transaction of the change. A domain says what
 * happened; who reacts to it stands here.
 */
const reactions: { readonly [Type in EventType]?: readonly Reaction[] } = {
  'tree.written': [indexed],
  'tree.deleted': [sweepRemains, indexed],
  'tree.moved': [indexed],
  'tree.restored': [indexed],
  'file.ready': [indexed],
  'file.updated': [indexed],
  'file.moved': [indexed],
  'file.deleted': [sweepRemains, indexed],
  'note.created': [discoverLinks, indexed],
  'note.updated': [discoverLinks, indexed],
  'note.deleted': [sweepRemains, indexed],
  'post.created': [indexed],
  'post.updated': [indexed],
  'post.deleted': [indexed],
  'comment.created': [indexed],
  'comment.updated': [indexed],
  'comment.deleted': [indexed],
  'task.created': [indexed],
  'task.updated': [indexed],
};

/** The jobs that follow from what a change said. */
export const reactionsTo = (emitted: readonly Emitted[]): JobSpec[] =>
  emitted.flatMap((event) => reactions[event.type]?.map((react) => react(event)) ?? []);
