import { z } from 'zod';
import type { SpaceActionName } from '../../core/actions.js';

/** A type of task that Canopy runs itself. */
interface RunnerType {
  /** What it does, for people; the title of its tasks when they have none. */
  readonly title: string;
  /** The rules of its parameters; what they make of them is what the runner gets. */
  readonly parameters: z.ZodObject;
  /** What its owner must be allowed, when it is asked for and again when it runs. */
  readonly asks: SpaceActionName;
}

/** Every type that Canopy runs itself. Its code is `src/jobs/runners/<type>.ts`: a type without code does not compile. */
export const runnerTypes = {
  'tree.checksum': {
    title: 'Verify the checksums of the tree',
    parameters: z.strictObject({ pathPrefix: z.string().default('/') }),
    asks: 'tree.read',
  },
  'space.export': {
    title: 'Export the space',
    parameters: z.strictObject({ fileVersions: z.enum(['ALL', 'CURRENT']).default('ALL') }),
    asks: 'file.write',
  },
  'space.import': {
    title: 'Import into the space',
    parameters: z.strictObject({ fileId: z.string() }),
    asks: 'task.write',
  },
  'search.reindex': {
    title: 'Index the space anew',
    parameters: z.strictObject({}),
    asks: 'space.jobs',
  },
} as const satisfies Record<string, RunnerType>;

export type RunnerTypeName = keyof typeof runnerTypes;

/** What the runner of a type is told. */
export type RunnerParameters<Type extends RunnerTypeName> = z.output<(typeof runnerTypes)[Type]['parameters']>;

const ownVendors: ReadonlySet<string> = new Set(Object.keys(runnerTypes).map((type) => type.split('.')[0] ?? type));

/** Whether a type is called as Canopy's own are, and is none of them: no runner would ever take it. */
export const isMistaken = (type: string): boolean => !isRunnerType(type) && ownVendors.has(type.split('.')[0] ?? type);

/** Whether Canopy runs tasks of this type itself. */
export const isRunnerType = (type: string): type is RunnerTypeName => Object.hasOwn(runnerTypes, type);
