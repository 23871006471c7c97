import type { Query } from '../platform/database/database.js';

/** Everything that runs behind a change, and what it is told. Ids and facts, never content. What belongs to a space says to which one. */
export interface Jobs {
  /** Deletes what has expired and makes room for the days to come. */
  'clean-up': Record<string, never>;
  /** Checks a large upload and makes the file of it, as whoever completed it may. */
  'uploads.finish': { readonly spaceId: string; readonly uploadId: string; readonly asker: Asker };
  /** Removes the bytes of a space's deleted files and ended uploads; of all its files once it is gone. */
  'blobs.delete': { readonly spaceId: string };
  /** Ends uploads that have expired, and brings the bytes and the rows that name them together again. */
  'blobs.sweep': Record<string, never>;
  /** Compresses what nobody has read for long. */
  'blobs.tier': Record<string, never>;
  /** Brings a version back from cold storage. */
  'blobs.restore': { readonly spaceId: string; readonly versionId: string };
  /** Looks for what a note is related to. `isRecheck`: because of a change of another note, which then is not looked at again for this one. */
  'links.discover': { readonly spaceId: string; readonly noteId: string; readonly isRecheck?: true };
  /** Removes the links and comments of a space that hang on things of a type that are gone. */
  'remains.sweep': { readonly spaceId: string; readonly type: string };
  /** Lets go of tasks whose runners have not been heard of in time. */
  'tasks.expireLeases': Record<string, never>;
  /** Lets a task wait no longer: it is due. */
  'task.queue': { readonly spaceId: string; readonly taskId: string };
  /** Runs a task of a registered type. */
  'task.run': { readonly spaceId: string; readonly taskId: string };
  /** Writes an assistant's reply, as whoever asked for it may. */
  'chat.reply': { readonly spaceId: string; readonly streamId: string; readonly asker: Asker };
  /** Gives up messages whose writer is not heard of any more; `streamId` is looked at once more when its lease ends. */
  'chats.expireStreams': { readonly streamId?: string };
  /** Brings what search knows of a resource up to date: `type` is its model. */
  'search.index': { readonly type: string; readonly id: string; readonly spaceId: string | null };
  /** The same for many of a space: their words, and a job for each of which the vectors are missing. */
  'search.indexMany': { readonly type: string; readonly ids: readonly string[]; readonly spaceId: string };
  /** Indexes the files below a folder that was moved as `version`: those whose paths from the folder on come after `after`. */
  'search.indexFolder': {
    readonly spaceId: string;
    readonly folderId: string;
    readonly version: number;
    readonly after: string;
  };
  /** Makes anew what search knows of a space, or of all: from resources of `type` on whose ids come after `after`. */
  'search.reindex': { readonly spaceId: string | null; readonly type: string | null; readonly after: string };
  /** Indexes what has no vectors yet, or those of another model: from the resource of `model` on that comes after `after`. */
  'search.catchUp': { readonly model?: string; readonly after?: string };
  /** Forgets what has gone with something else in a space. */
  'search.sweep': { readonly spaceId: string };
  /** Removes the vectors of a space that is gone. */
  'search.forget': { readonly spaceId: string };
}

export type JobName = keyof Jobs;

/** Jobs that are told nothing but that it is time. */
export type ScheduledJob = { [Name in JobName]: Record<string, never> extends Jobs[Name] ? Name : never }[JobName];

/** How a job is added. */
export interface JobOptions {
  /** Of jobs with one key that wait, the newest stays. One that runs already is run again. */
  readonly key?: string;
  /** Not before; by the database's clock now, when left out. */
  readonly runAt?: Date;
  /** Lower runs earlier; 0 when left out. */
  readonly priority?: number;
  /** How often it is tried before it is laid aside; 12 when left out, which takes about a day. */
  readonly maxAttempts?: number;
}

/** A job to be added. */
export interface JobSpec extends JobOptions {
  readonly name: JobName;
  readonly payload: object;
}

/** A job of this name. */
export const job = <Name extends JobName>(name: Name, payload: Jobs[Name], options: JobOptions = {}): JobSpec => ({
  name,
  payload,
  ...options,
});

/** What a running job is told of its run. */
export interface JobRun {
  /** Aborted when the worker has to stop; the job then runs again elsewhere. */
  readonly signal: AbortSignal;
  /** 1 for the first try. */
  readonly attempt: number;
  readonly isLastAttempt: boolean;
}

/** Who asked for something that is done later, within the limits of the credential that they asked with. */
export interface Asker {
  readonly userId: string | null;
  readonly apiKeyId: string | null;
  readonly organizationId: string | null;
  readonly scopes: readonly string[] | null;
  readonly spaceIds: readonly string[] | null;
}

/** Adds jobs on the connection of `query`: within a transaction they are there when it commits. Safe to call with none. */
export async function addJobs(query: Query, specs: readonly JobSpec[]): Promise<void> {
  if (specs.length > 0) await query('select canopy_add_jobs($1::json)', [jobsJson(specs)]);
}

/** The jobs as `canopy_add_jobs` takes them; of those with one key the last. */
export function jobsJson(specs: readonly JobSpec[]): string {
  const byKey = new Map(specs.map((spec) => [spec.key === undefined ? spec : spec.key, spec]));
  return JSON.stringify([...byKey.values()]);
}
