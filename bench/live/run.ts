import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { openDatabase } from '../data/database.js';
import { heading, step } from '../progress.js';
import type { Running } from '../server-process.js';
import { startCanopy } from '../systems.js';
import { acrossProcesses, type Figure, idleSockets, resuming, toMany } from './measurements.js';
import { makeScene } from './scene.js';

const usage = `npm run bench:live -- [options]
  --quick   few events, few sockets: does it run?
  --help
Two servers over one database, and clients in processes of their own. Exits with 1 when a bar is missed. 10,000 sockets need as many open files: ulimit -n 20000.`;

const load = () =>
  loadavg()
    .map((one) => one.toFixed(2))
    .join(' ');

async function main(quick: boolean): Promise<void> {
  heading('Data');
  const database = await openDatabase(quick ? 5_000 : 20_000);
  const servers: Running[] = [];
  const started = async (name: string) => {
    const server = await step(`starting ${name}`, () => startCanopy(name, database.url));
    servers.push(server);
    return server;
  };
  try {
    const scene = await makeScene(database);
    heading('Servers');
    const [a, b] = [await started('canopy-a'), await started('canopy-b')];
    const of = (most: number) => (quick ? Math.ceil(most / 20) : most);
    heading(`Live (load of the machine: ${load()}, ${cpus().length} cores)`);
    const figures: Figure[] = [];
    const measured = async (name: string, measure: () => Promise<Figure>) => figures.push(await step(name, measure));
    await measured('a write, and a subscriber on the other process', () => acrossProcesses(a, b, scene, of(500)));
    await measured('an event, and many subscribers', () => toMany(a, b, scene, of(1_000), quick ? 5 : 30));
    await measured('a client that was away', () => resuming(b, scene, of(10_000)));
    const idle = await started('canopy-idle');
    await measured('idle sockets', () => idleSockets(idle, scene, of(10_000)));
    process.stdout.write(`\n${figures.map(line).join('\n')}\nload of the machine: ${load()}, ${cpus().length} cores\n`);
    if (figures.some(isMissed)) process.exitCode = 1;
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
    await database.close();
  }
}

const isMissed = ({ value, most }: Figure) => !(value <= most);

function line(figure: Figure): string {
  const { name, value, most, unit, more } = figure;
  return `${isMissed(figure) ? '✗' : '✓'} ${name.padEnd(46)} ${value.toFixed(1).padStart(8)} ${unit} (≤ ${most} ${unit}; ${more})`;
}

const { values } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
});
if (values.help) process.stdout.write(`${usage}\n`);
else await main(values.quick);
