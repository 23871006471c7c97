import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The absolute path of something in the project. */
export const inProject = (...parts: string[]): string => resolve(root, ...parts);

/** Where the bench keeps its database and the logs of the systems. */
export const home = inProject('.canopy/bench');
