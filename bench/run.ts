import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { chart } from './chart.js';
import { cpuMeter } from './cpu.js';
import { openDatabase, type RunDatabase } from './data/database.js';
import { type Load, startLoad } from './load-client.js';
import { type Measurement, measure } from './measure.js';
import { type OperationId, operations } from './operations.js';
import { type Options, readOptions, usage } from './options.js';
import { installPeers, nodeForPeers } from './peers.js';
import { inProject } from './places.js';
import { heading, step } from './progress.js';
import { type Results, tables } from './report.js';
import { assertSameAnswers } from './same-answers.js';
import type { Running } from './server-process.js';
import { type ServiceLevel, serviceLevel } from './service-levels.js';
import { countStatements } from './statements.js';
import { type System, type SystemId, systemsOver } from './systems.js';

const concurrency = 16;

async function main(options: Options): Promise<void> {
  if (options.install && options.systems.includes('postgraphile')) await installPeers();
  heading('Data');
  const database = await openDatabase(options.nodes);
  const load = startLoad();
  try {
    const results = await measureAll(options, database, load);
    process.stdout.write(`\n${tables(results)}\n`);
    if (options.keep) {
      await writeFile(inProject('bench/results.json'), `${JSON.stringify(results, rounded, 2)}\n`);
      await writeFile(inProject('bench/results.svg'), chart(results));
    }
    if (Object.values(results.serviceLevels).some(({ kept }) => !kept)) process.exitCode = 1;
  } finally {
    load.stop();
    await database.close();
  }
}

/** Runs what the options ask for; leaves no server behind. */
async function measureAll(options: Options, database: RunDatabase, load: Load): Promise<Results> {
  const known = await systemsOver(database);
  const systems = options.systems.map((id) => known[id]).filter(isPresent);
  const running = new Map<SystemId, Running>();
  const asked = options.operations.map((id) => operations[id]);
  try {
    heading('Systems');
    const statements = new Map<SystemId, ReadonlyMap<string, number>>();
    for (const system of options.compare ? systems : systems.filter(({ id }) => id === 'canopy')) {
      if (options.compare)
        statements.set(
          system.id,
          await step(`counting the statements of ${system.label}`, () => countStatements(system, asked, database)),
        );
      running.set(system.id, await step(`starting ${system.label}`, () => system.start(database.url)));
    }
    const found: Results['operations'] = options.compare
      ? await compare(options, database, running, load, statements)
      : {};
    const canopy = running.get('canopy');
    const serviceLevels = canopy && options.serviceLevels ? await watch(options, canopy, load) : {};
    return { ...(await circumstances(database, systems)), operations: found, serviceLevels };
  } finally {
    await Promise.all([...running.values()].map((server) => server.stop()));
  }
}

function isPresent(system: System): boolean {
  const reason = system.missing();
  if (reason) process.stderr.write(`  without ${system.label}: ${reason}\n`);
  return reason === null;
}

async function compare(
  { operations: ids, nodes, rounds, share }: Options,
  database: RunDatabase,
  running: ReadonlyMap<SystemId, Running>,
  load: Load,
  statements: ReadonlyMap<SystemId, ReadonlyMap<string, number>>,
): Promise<Results['operations']> {
  const meter = await cpuMeter(database.client);
  const found: Partial<Record<OperationId, Record<string, Measurement & { statements: number | null }>>> = {};
  for (const id of ids) {
    heading(`Operation ${id}`);
    await step('comparing the answers', () => assertSameAnswers(operations[id], [...running], database));
    const progress = (text: string) => process.stderr.write(`  ${text}\n`);
    const measured = await measure(operations[id], running, load, meter, {
      nodes,
      rounds,
      concurrency,
      share,
      progress,
    });
    found[id] = Object.fromEntries(
      [...measured].map(([system, one]) => [system, { ...one, statements: statements.get(system)?.get(id) ?? null }]),
    );
  }
  return found;
}

async function watch(
  { operations: ids, nodes, perSecond, seconds }: Options,
  canopy: Running,
  load: Load,
): Promise<Results['serviceLevels']> {
  heading(`Service levels of Canopy at ${perSecond} calls a second`);
  const levels: Partial<Record<OperationId, ServiceLevel>> = {};
  for (const id of ids) {
    levels[id] = await step(id, () => serviceLevel(operations[id], canopy, load, { nodes, perSecond, seconds }));
  }
  return levels;
}

async function circumstances(
  { client, nodes }: RunDatabase,
  systems: readonly System[],
): Promise<Omit<Results, 'operations' | 'serviceLevels'>> {
  const { rows } = await client.query<{ version: string }>(
    "select split_part(current_setting('server_version'), ' ', 1) as version",
  );
  const withPeer = systems.some(({ id }) => id === 'postgraphile');
  const machine = {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    platform: `${process.platform}-${process.arch}`,
    node: process.version,
    nodeOfPostgraphile: withPeer ? execFileSync(nodeForPeers(), ['--version'], { encoding: 'utf8' }).trim() : null,
    postgres: rows[0]?.version ?? 'unknown',
  };
  return { machine, nodes, concurrency, labels: Object.fromEntries(systems.map(({ id, label }) => [id, label])) };
}

/** Four digits tell everything that a measurement knows. */
const rounded = (_: string, value: unknown) =>
  typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value;

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

try {
  const options = readOptions(process.argv.slice(2));
  if (options) await main(options);
  else process.stdout.write(`${usage}\n`);
} catch (error) {
  process.stderr.write(`\n${error instanceof Error ? error.stack : error}\n`);
  process.exitCode = 1;
}
