import type { Emitted, EventRow, EventType } from './events.js';
import { type JobSpec, job } from './jobs.js';

type Reaction = (event: Emitted) => JobSpec | readonly JobSpec[];

const discoverLinks: Reaction = ({ spaceId, resourceId: noteId, related }) =>
  related.isLinked
    ? []
    : job('links.discover', { spaceId: spaceId ?? '', noteId }, { key: `links.discover ${noteId}`, maxAttempts: 8 });

// Of however many deletions in a space one job follows.
const sweepRemains: Reaction = ({ spaceId, resourceType: type }) =>
  job('remains.sweep', { spaceId: spaceId ?? '', type }, { key: `remains.sweep ${spaceId} ${type}` });

/** However often it changes before the job runs, it is indexed once, as it is then. */
const indexed: Reaction = ({ resourceType: type, resourceId: id, spaceId }) =>
  job('search.index', { type, id, spaceId }, { key: `search ${id}` });

/** After what people wait for: of the tree there is much. */
const indexedLater: Reaction = (event) => ({ ...indexed(event), priority: 20 });

/**
 * What follows from an event besides what its listeners do: jobs, added in the transaction of the change. A domain says what
 * happened; who reacts to it stands here.
 */
const reactions: { readonly [Type in EventType]?: readonly Reaction[] } = {
  'tree.deleted': [sweepRemains],
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

/** The same for what happens too often to pay for it in its transaction: seconds later, out of the event log. */
const laterReactions: { readonly [Type in EventType]?: readonly Reaction[] } = {
  'tree.written': [indexedLater],
  'tree.deleted': [indexedLater],
  'tree.moved': [indexedLater],
  'tree.restored': [indexedLater],
};

/** The jobs that follow from what a change said. */
export const reactionsTo = (emitted: readonly Emitted[]): JobSpec[] => following(reactions, emitted);

/** The jobs that follow from events of the log. */
export const laterReactionsTo = (logged: readonly EventRow[]): JobSpec[] =>
  following(laterReactions, logged as readonly Emitted[]);

const following = (table: typeof reactions, events: readonly Emitted[]): JobSpec[] =>
  events.flatMap((event) => table[event.type]?.flatMap((react) => react(event)) ?? []);
