/**
 * Bundles the server and the worker into dist/server. Read one by one, their hundreds of files take most of a start. Packages stay where they are.
 * Plain JavaScript, because a start waits for it.
 */
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const output = join(root, 'dist/server');
const dayMs = 24 * 60 * 60 * 1_000;

/** A file that finds others by where it is itself goes on doing so. */
const ownAddress = {
  name: 'own address',
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      const address = `new URL(${JSON.stringify(relative(output, path))}, import.meta.url).href`;
      return { contents: text.replaceAll('import.meta.url', address), loader: 'ts' };
    });
  },
};

await mkdir(output, { recursive: true });
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: ['src/server.ts', 'src/worker.ts'],
  outdir: output,
  bundle: true,
  packages: 'external',
  // What is imported when it is needed stays so.
  splitting: true,
  chunkNames: 'part-[hash]',
  platform: 'node',
  format: 'esm',
  target: 'node20',
  sourcemap: true,
  sourcesContent: false,
  metafile: true,
  plugins: [ownAddress],
  logLevel: 'error',
});

// A server that runs on an older bundle may still want a part of it.
const made = new Set(Object.keys(metafile.outputs).map((file) => join(root, file)));
for (const name of await readdir(output)) {
  const file = join(output, name);
  if (!made.has(file) && Date.now() - (await stat(file)).mtimeMs > dayMs) await rm(file, { force: true });
}
