import type { Emitted, EventRow, EventType } from './events.js';
import { indexJobs } from './index-jobs.js';
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

/** Files are found by their paths too. Each move has its own pages, for the next move begins anew. */
const indexedBelow: Reaction = ({ spaceId, resourceId: folderId, related: { version = 0 } }) =>
  job(
    'search.indexFolder',
    { spaceId: spaceId ?? '', folderId, version, after: '' },
    { key: `search below ${folderId} ${version}` },
  );

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
  'folder.moved': [indexedBelow],
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

/** What happens too often to pay for it in its transaction is indexed seconds later, out of the event log, and after what people wait for. */
const indexedLater: ReadonlySet<string> = new Set<EventType>([
  'tree.written',
  'tree.deleted',
  'tree.moved',
  'tree.restored',
]);
const later = 20;

/** The jobs that follow from what a change said. */
export const reactionsTo = (emitted: readonly Emitted[]): JobSpec[] =>
  emitted.flatMap((event) => reactions[event.type]?.flatMap((react) => react(event)) ?? []);

/** The jobs that follow from events of the log: few, however many events there are. */
export const laterReactionsTo = (logged: readonly EventRow[]): JobSpec[] =>
  indexJobs(
    logged
      .filter(({ type }) => indexedLater.has(type))
      .map(({ resourceType: type, resourceId: id, spaceId }) => ({ type, id, spaceId: spaceId ?? '' })),
    later,
  );
