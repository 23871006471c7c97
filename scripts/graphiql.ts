import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { type BuildOptions, build, type Metafile, type Plugin } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const source = join(root, 'src/graphiql');
const output = join(root, 'dist/graphiql');
const publicPath = '/graphiql/assets';

const workers = {
  editor: 'monaco-editor/esm/vs/editor/editor.worker.js',
  json: 'monaco-editor/esm/vs/language/json/json.worker.js',
  graphql: 'monaco-graphql/esm/graphql.worker.js',
};

const common: BuildOptions = {
  absWorkingDir: root,
  bundle: true,
  minify: true,
  metafile: true,
  entryNames: '[name]-[hash]',
  chunkNames: '[name]-[hash]',
  assetNames: '[name]-[hash]',
  target: ['chrome111', 'firefox111', 'safari16.4'],
  define: { 'process.env.NODE_ENV': '"production"' },
  legalComments: 'external',
  logLevel: 'warning',
};

/**
 * Bundles the GraphiQL page into dist/graphiql: index.html and, with the hash of their content in their names, its
 * assets, each also compressed. Does nothing when neither the sources nor the locked packages have changed.
 */
export async function buildGraphiql(): Promise<void> {
  const inputs = await fingerprint();
  const built = await readFile(join(output, '.inputs'), 'utf8').catch(missing);
  if (built === inputs) return;

  await mkdir(dirname(output), { recursive: true });
  const fresh = await mkdtemp(join(dirname(output), '.graphiql-'));
  const assets = join(fresh, 'assets');
  await mkdir(assets);
  const workerUrls = await buildWorkers(assets);
  const page = await build({
    ...common,
    outdir: assets,
    entryPoints: { app: join(source, 'main.tsx') },
    format: 'esm',
    splitting: true,
    jsx: 'automatic',
    loader: { '.svg': 'file' },
    define: { ...common.define, workerUrls: JSON.stringify(workerUrls) },
    // GraphiQL asks for both builds of each plugin, and bundlers cannot read the exports of the older one.
    alias: { 'prettier/parser-graphql': 'prettier/plugins/graphql', 'prettier/parser-babel': 'prettier/plugins/babel' },
    external: ['*.woff', '*.woff2', '*.ttf'],
    plugins: [styles(assets)],
  });
  await writeFile(join(fresh, 'index.html'), await html(outputsOf(page)));
  await compress(assets);
  await writeFile(join(fresh, '.inputs'), inputs);
  await replace(output, fresh);
}

/** Puts the new bundle in place at once; of two that finish together one stays. */
async function replace(old: string, fresh: string): Promise<void> {
  await rm(old, { recursive: true, force: true });
  await rename(fresh, old).catch(async (cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'ENOTEMPTY' && cause.code !== 'EEXIST') throw cause;
    await rm(fresh, { recursive: true });
  });
}

async function buildWorkers(outdir: string): Promise<Record<string, string>> {
  // Each worker is one classic script: that needs no CORS, no modules and one request.
  const built = await build({
    ...common,
    outdir,
    entryPoints: workers,
    entryNames: '[name].worker-[hash]',
    format: 'iife',
  });
  const files = Object.keys(outputsOf(built)).map((file) => basename(file));
  return Object.fromEntries(
    Object.keys(workers).map((name) => [name, `${publicPath}/${only(files, `${name}.worker-`, '.js')}`]),
  );
}

/** GraphiQL's stylesheet brings Monaco's rules, and all fonts as base64: they become files, fetched when they are used. */
const styles = (assets: string): Plugin => ({
  name: 'styles',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]monaco-editor[\\/].*\.css$/ }, () => ({ contents: '', loader: 'empty' }));
    onLoad({ filter: /[\\/]graphiql[\\/]dist[\\/]style\.css$/ }, async ({ path }) => {
      const fonts: Promise<void>[] = [];
      const css = await readFile(path, 'utf8');
      const contents = css.replace(/url\(["']?data:font\/(\w+);base64,([^"')]+)["']?\)/g, (_, type, text) => {
        const font = Buffer.from(text, 'base64');
        const name = `font-${hash(font)}.${type}`;
        fonts.push(writeFile(join(assets, name), font));
        return `url("./${name}")`;
      });
      await Promise.all(fonts);
      return { contents, loader: 'css' };
    });
  },
});

async function html(outputs: Metafile['outputs']): Promise<string> {
  const files = Object.keys(outputs).map((file) => basename(file));
  const editor = ['monaco-graphql/esm/monaco-editor.js', 'monaco-graphql/esm/lite.js'];
  const early = [...new Set(editor.flatMap((entry) => loadedBy(outputs, entry)))];
  const template = await readFile(join(source, 'index.html'), 'utf8');
  const tags = [
    `<link rel="icon" href="${publicPath}/${only(files, 'icon-', '.svg')}">`,
    `<link rel="stylesheet" href="${publicPath}/${only(files, 'app-', '.css')}">`,
    `<script type="module" src="${publicPath}/${only(files, 'app-', '.js')}"></script>`,
    // The editor is loaded by a second step of the script; the browser may as well begin now.
    ...early.map((file) => `<link rel="modulepreload" href="${publicPath}/${file}">`),
  ];
  return template.replace('<!-- assets -->', tags.join('\n    '));
}

async function compress(assets: string): Promise<void> {
  const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 6 } };
  const files = (await readdir(assets)).filter((file) => /\.(js|css|svg|ttf)$/.test(file));
  await Promise.all(
    files.map(async (file) => {
      const bytes = await readFile(join(assets, file));
      await writeFile(join(assets, `${file}.br`), await promisify(brotliCompress)(bytes, quality));
      await writeFile(join(assets, `${file}.gz`), await promisify(gzip)(bytes));
    }),
  );
}

async function fingerprint(): Promise<string> {
  const files = (await readdir(source)).sort().map((file) => join(source, file));
  const inputs = [...files, join(root, 'package-lock.json'), fileURLToPath(import.meta.url)];
  const contents = await Promise.all(inputs.map((file) => readFile(file)));
  return hash(Buffer.concat(contents));
}

function outputsOf({ metafile }: { metafile?: Metafile }): Metafile['outputs'] {
  return metafile?.outputs ?? {};
}

/** The files of an entry point and of everything it imports at once. */
function loadedBy(outputs: Metafile['outputs'], entry: string): string[] {
  const pending = Object.keys(outputs).filter((file) => outputs[file]?.entryPoint?.endsWith(entry));
  if (pending.length !== 1) throw new Error(`Expected one ${entry} in the bundle, found ${pending.length}.`);
  const found = new Set<string>();
  for (let file = pending.pop(); file; file = pending.pop()) {
    if (found.has(file)) continue;
    found.add(file);
    for (const { path, kind } of outputs[file]?.imports ?? []) if (kind === 'import-statement') pending.push(path);
  }
  return [...found].map((file) => basename(file));
}

function only(files: string[], start: string, end: string): string {
  const found = files.filter((file) => file.startsWith(start) && file.endsWith(end));
  if (found.length !== 1) throw new Error(`Expected one ${start}*${end} in the bundle, found ${found.length}.`);
  return found[0] as string;
}

function hash(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 12);
}

function missing(cause: NodeJS.ErrnoException): null {
  if (cause.code === 'ENOENT') return null;
  throw cause;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildGraphiql();
