/**
 * Makes what the sources are read into: the Prisma client, the types of the schema, the GraphiQL page, the bundle of the server.
 * `--if-stale` makes only what is older than its inputs. Plain JavaScript, because the check precedes every start.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));

/** What each step reads, makes and runs. All depend on the locked packages too. */
const steps = [
  {
    name: 'prisma',
    reads: () => filesIn('prisma/schema.prisma', 'prisma/models', 'prisma.config.ts'),
    makes: 'src/generated/prisma/client.ts',
    run: ['node_modules/prisma/build/index.js', 'generate', '--no-hints'],
  },
  {
    name: 'graphql',
    reads: () => [
      ...filesIn('schema', 'codegen.ts'),
      ...filesIn('src/client').filter((file) => file.endsWith('.graphql')),
    ],
    // Of a domain only the names of its row types count, which codegen.ts looks for.
    also: () => filesIn('src/domains').flatMap(rowTypesOf),
    makes: 'src/generated/graphql.ts',
    run: ['node_modules/@graphql-codegen/cli/esm/bin.js', '--config', 'codegen.ts'],
  },
  {
    name: 'graphiql',
    reads: () => filesIn('src/graphiql', 'scripts/graphiql.ts'),
    makes: 'dist/graphiql/index.html',
    run: ['--import', 'tsx', 'scripts/graphiql.ts'],
  },
];

const readBy = (...names) => steps.flatMap((step) => (names.includes(step.name) ? step.reads() : []));

/** Made of the sources and of what the steps have made. */
const bundles = [
  {
    name: 'server',
    reads: () => [
      ...readBy('prisma', 'graphql'),
      ...filesIn('src', 'prisma').filter((file) => file.endsWith('.ts') && !/^src\/(generated|graphiql)\//.test(file)),
      'scripts/bundle.mjs',
    ],
    makes: 'dist/server/server.js',
    run: ['scripts/bundle.mjs'],
  },
  {
    name: 'client',
    reads: () => [
      ...readBy('graphql'),
      ...filesIn('src/client', 'src/protocol').filter((file) => file.endsWith('.ts')),
      'scripts/client.mjs',
    ],
    makes: 'dist/client/canopy.js',
    run: ['scripts/client.mjs'],
  },
];

const stampFile = 'src/generated/.stamp';
const stamps = existsSync(stampFile) ? JSON.parse(readFileSync(stampFile, 'utf8')) : {};
const onlyStale = process.argv.includes('--if-stale');
const dueOf = (list) =>
  list
    .map((step) => ({ ...step, stamp: stampOf(step) }))
    .filter(({ name, stamp, makes }) => !onlyStale || stamps[name] !== stamp || !existsSync(makes));
const [first, second] = [dueOf(steps), dueOf(bundles)];
const due = [...first, ...second];

if (due.length > 0) process.stderr.write(`Generating ${due.map(({ name }) => name).join(', ')} …\n`);
const results = await Promise.allSettled(first.map(make));
if (results.every(({ status }) => status === 'fulfilled'))
  results.push(...(await Promise.allSettled(second.map(make))));
for (const { status, reason } of results) {
  if (status === 'rejected') process.stderr.write(`${reason.message}\n`);
}
process.exitCode = results.some(({ status }) => status === 'rejected') ? 1 : 0;

async function make({ name, stamp, run }) {
  await execute(name, run);
  stamps[name] = stamp;
  mkdirSync('src/generated', { recursive: true });
  writeFileSync(stampFile, `${JSON.stringify(stamps, null, 2)}\n`);
}

/** Silent when all went well; everything it said when not. */
function execute(name, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const said = [];
    child.stdout.on('data', (chunk) => said.push(chunk));
    child.stderr.on('data', (chunk) => said.push(chunk));
    child.on('error', reject);
    child.on('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`${name} could not be generated:\n${Buffer.concat(said)}`)),
    );
  });
}

function stampOf({ reads, also, run }) {
  const hash = createHash('sha256').update(JSON.stringify(run));
  for (const file of [...reads(), 'package-lock.json']) hash.update(file).update('\0').update(readFileSync(file));
  return hash.update(JSON.stringify(also?.() ?? [])).digest('hex');
}

function rowTypesOf(file) {
  const declared = readFileSync(file, 'utf8').match(/^export (type|interface) \w+Row\b/gm) ?? [];
  return declared.map((type) => `${file}: ${type}`);
}

function filesIn(...paths) {
  return paths.flatMap((path) => {
    if (!existsSync(path)) return [];
    if (!statSync(path).isDirectory()) return [path];
    const names = readdirSync(path, { recursive: true }).sort();
    return names.map((name) => join(path, name)).filter((file) => statSync(file).isFile());
  });
}
