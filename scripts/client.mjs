/**
 * Bundles the client into dist/client: one module that runs in browsers and in Node as it is, and the types of what it exports.
 * Plain JavaScript, because a start may wait for it.
 */

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const output = join(root, 'dist/client');

// In place, for what is served may be read meanwhile.
await Promise.all([
  build({
    absWorkingDir: root,
    entryPoints: { canopy: 'src/client/entry.ts' },
    outdir: output,
    bundle: true,
    platform: 'browser',
    format: 'esm',
    target: ['es2023'],
    sourcemap: true,
    logLevel: 'error',
  }),
  promisify(execFile)(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'src/client'], { cwd: root }),
]);
