import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { openDatabase } from '../data/database.js';
import { home, inProject } from '../places.js';
import { heading, step } from '../progress.js';
import type { Running } from '../server-process.js';
import { startCanopy } from '../systems.js';
import { type Crowd, startCrowd } from './crowd.js';
import { ask, makeScene, type Scene, socketUrl, write } from './scene.js';

const usage = `npm run soak -- [options]
  --minutes <number>   how long (30)
  --clients <number>   sockets that follow, half of which are replaced every few seconds (200)
  --rate <number>      writes a second (20)
  --help
A server under clients that come and go; a line for each of 30 moments with its memory. Exits with 1 when the heap of the last third is a
fifth larger than that of the second. The heap is what is left after a collection.`;

const follow =
  'subscription ($id: ID!, $path: TreePath!) { treeChanged(spaceId: $id, pathPrefix: $path) { __typename version node { value updatedBy { handle } } } }';

interface Moment {
  readonly minute: number;
  readonly heapMib: number;
  readonly rssMib: number;
  readonly heard: number;
  readonly written: number;
}

interface Options {
  readonly minutes: number;
  readonly clients: number;
  readonly rate: number;
}

/** The heap of the server as it says itself: its preload answers a signal with it. */
async function memoryOf({ pid }: Running, log: string): Promise<Pick<Moment, 'heapMib' | 'rssMib'>> {
  const said = async () => (await readFile(log, 'utf8')).match(/heap=\d+ rss=\d+/g) ?? [];
  const before = (await said()).length;
  process.kill(pid, 'SIGUSR2');
  for (;;) {
    const lines = await said();
    const [, heap, rss] = /heap=(\d+) rss=(\d+)/.exec(lines.length > before ? (lines.at(-1) ?? '') : '') ?? [];
    if (heap && rss) return { heapMib: Number(heap) / 2 ** 20, rssMib: Number(rss) / 2 ** 20 };
    await sleep(100);
  }
}

/** Writes at a rate until it is over; answers how many there were. */
function writing(server: Running, scene: Scene, rate: number) {
  let written = 0;
  let isOver = false;
  const done = (async () => {
    for (const began = performance.now(); !isOver; ) {
      await write(server, scene, `/soak/${written % 50}`, { n: written });
      written += 1;
      await sleep(Math.max(0, began + (written * 1_000) / rate - performance.now()));
    }
  })();
  return {
    count: () => written,
    async stop() {
      isOver = true;
      await done;
    },
  };
}

async function soak(
  server: Running,
  scene: Scene,
  log: string,
  { minutes, clients, rate }: Options,
): Promise<Moment[]> {
  const [staying, passing] = [startCrowd(1), startCrowd(1)];
  const open = (crowd: Crowd, from: number) =>
    crowd.open({
      url: socketUrl(server),
      keys: scene.keys.slice(from, from + clients / 2),
      query: follow,
      variables: { id: scene.spaceId, path: '/soak' },
    });
  const moments: Moment[] = [];
  const writer = writing(server, scene, rate);
  try {
    await open(staying, 0);
    let heard = 0;
    const began = performance.now();
    for (let at = 1; at <= 30; at += 1) {
      while (performance.now() < began + (at * minutes * 60_000) / 30) {
        await open(passing, clients / 2);
        await sleep(2_000);
        heard += (await passing.heard()).length + (await staying.heard()).length;
        await passing.closeAll();
        await ask(
          server,
          scene.keys[1] ?? '',
          'query ($id: ID!) { events(spaceId: $id, first: 50) { nodes { cursor } } }',
          {
            id: scene.spaceId,
          },
        );
      }
      const moment = { minute: (at * minutes) / 30, ...(await memoryOf(server, log)), heard, written: writer.count() };
      moments.push(moment);
      process.stdout.write(`${line(moment)}\n`);
    }
  } finally {
    await writer.stop();
    for (const crowd of [staying, passing]) await crowd.closeAll().finally(crowd.stop);
  }
  return moments;
}

function line({ minute, heapMib, rssMib, heard, written }: Moment): string {
  const bar = '#'.repeat(Math.round(heapMib / 4));
  return `${minute.toFixed(1).padStart(6)} min  heap ${heapMib.toFixed(1).padStart(6)} MiB  rss ${rssMib.toFixed(0).padStart(5)} MiB  ${`${written}`.padStart(7)} written  ${`${heard}`.padStart(9)} heard  ${bar}`;
}

const mean = (all: readonly Moment[]) => all.reduce((sum, { heapMib }) => sum + heapMib, 0) / all.length;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    clients: { type: 'string', default: '200' },
    rate: { type: 'string', default: '20' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) process.stdout.write(`${usage}\n`);
else {
  heading('Data');
  const database = await openDatabase(5_000);
  const scene = await makeScene(database);
  const name = 'canopy-soak';
  const log = join(home, `${name}.log`);
  const server = await step('starting the server', () =>
    startCanopy(name, database.url, {
      nodeArgs: ['--expose-gc', '--import', inProject('bench/live/memory.mjs')],
      env: { LOG_LEVEL: 'error' },
    }),
  );
  try {
    heading(`Soak of ${values.minutes} minutes`);
    const options = { minutes: Number(values.minutes), clients: Number(values.clients), rate: Number(values.rate) };
    const moments = await soak(server, scene, log, options);
    const growth = mean(moments.slice(20)) / mean(moments.slice(10, 20)) - 1;
    process.stdout.write(`heap of the last third over the second: ${(growth * 100).toFixed(1)} %\n`);
    if (growth > 0.2) process.exitCode = 1;
  } finally {
    await server.stop();
    await database.close();
  }
}
