import { type JobSpec, job } from './jobs.js';

/** Something that search knows, or is to know. */
export interface Indexed {
  /** Its model. */
  readonly type: string;
  readonly id: string;
  readonly spaceId: string;
}

/** How many are indexed by one job: values of a quarter of a mebibyte are read together. */
const many = 100;

/** Jobs that index many, each those of one type and space. */
export function indexJobs(resources: readonly Indexed[], priority: number): JobSpec[] {
  const groups = new Map<string, { type: string; spaceId: string; ids: Set<string> }>();
  for (const { type, id, spaceId } of resources) {
    const key = `${type} ${spaceId}`;
    const group = groups.get(key) ?? { type, spaceId, ids: new Set() };
    groups.set(key, group);
    group.ids.add(id);
  }
  return [...groups.values()].flatMap(({ type, spaceId, ids }) => {
    const all = [...ids];
    return Array.from({ length: Math.ceil(all.length / many) }, (_, at) =>
      job('search.indexMany', { type, spaceId, ids: all.slice(at * many, (at + 1) * many) }, { priority }),
    );
  });
}
