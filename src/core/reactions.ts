import type { Emitted, EventType } from './events.js';
import type { JobSpec } from './jobs.js';

type Reaction = (event: Emitted) => JobSpec;

/**
 * What follows from an event besides what its listeners do: jobs, added in the transaction of the change. A domain says what
 * happened; who reacts to it stands here.
 */
const reactions: { readonly [Type in EventType]?: readonly Reaction[] } = {};

/** The jobs that follow from what a change said. */
export const reactionsTo = (emitted: readonly Emitted[]): JobSpec[] =>
  emitted.flatMap((event) => reactions[event.type]?.map((react) => react(event)) ?? []);
