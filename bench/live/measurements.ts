import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { percentiles } from '../measure.js';
import type { Running } from '../server-process.js';
import { type Crowd, startCrowd } from './crowd.js';
import { type Scene, socketUrl, write, writeMany } from './scene.js';

/** A figure, and what it may be at most. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly most: number;
  readonly unit: 'ms' | 'MiB';
  readonly more: string;
}

const followNode =
  'subscription ($id: ID!, $path: TreePath!) { treeChanged(spaceId: $id, pathPrefix: $path) { __typename version node { value updatedBy { handle } } } }';
const followLog =
  'subscription ($id: ID!, $after: EventCursor) { events(spaceId: $id, after: $after) { __typename ... on Event { cursor type related resource { id } } ... on CaughtUp { cursor } } }';
const patienceMs = 60_000;
const now = () => Number(process.hrtime.bigint()) / 1e6;
const rounded = (ms: number) => ms.toFixed(1);

async function withCrowd<T>(processes: number, work: (crowd: Crowd) => Promise<T>): Promise<T> {
  const crowd = startCrowd(processes);
  try {
    return await work(crowd);
  } finally {
    await crowd.closeAll().finally(crowd.stop);
  }
}

/** Writes through one server; subscribers of another hear of it. Latency counts from the moment the write was sent. */
async function deliveries(
  from: Running,
  to: Running,
  scene: Scene,
  { path, subscribers, writes, pauseMs }: { path: string; subscribers: number; writes: number; pauseMs: number },
): Promise<number[]> {
  return withCrowd(subscribers > 1 ? 2 : 1, async (crowd) => {
    const keys = scene.keys.slice(0, subscribers);
    await crowd.open({ url: socketUrl(to), keys, query: followNode, variables: { id: scene.spaceId, path } });
    // The first ones are not counted: statements are prepared, code is compiled.
    const warmUp = Math.min(10, writes);
    for (let n = 0; n < warmUp; n += 1) {
      await write(from, scene, path, { n });
      await sleep(pauseMs);
    }
    await sleep(2_000);
    await crowd.heard();
    const sent = new Map<number, number>();
    for (let n = 0; n < writes; n += 1) {
      const at = now();
      const { version } = await write(from, scene, path, { n });
      sent.set(version, at);
      await sleep(pauseMs);
    }
    const heard = await crowd.hears(writes * subscribers, patienceMs);
    return heard.map(({ at, version }) => at - (sent.get(version) ?? Number.NaN));
  });
}

/** A write through one server, heard of by one subscriber of another. */
export async function acrossProcesses(a: Running, b: Running, scene: Scene, writes: number): Promise<Figure> {
  const latencies = await deliveries(a, b, scene, { path: '/live/one', subscribers: 1, writes, pauseMs: 20 });
  const { p50Ms, p95Ms, p99Ms } = percentiles(latencies);
  const more = `${writes} writes; p50 ${rounded(p50Ms)}, p99 ${rounded(p99Ms)}`;
  return { name: 'write → subscriber on another process, p95', value: p95Ms, most: 50, unit: 'ms', more };
}

/** The same with many subscribers, each a viewer of their own; over all their deliveries. */
export async function toMany(
  a: Running,
  b: Running,
  scene: Scene,
  subscribers: number,
  writes: number,
): Promise<Figure> {
  const latencies = await deliveries(a, b, scene, { path: '/live/many', subscribers, writes, pauseMs: 600 });
  const { p50Ms, p95Ms, p99Ms } = percentiles(latencies);
  const more = `${writes} events; p50 ${rounded(p50Ms)}, p99 ${rounded(p99Ms)}`;
  return { name: `one event → ${subscribers} subscribers, p95`, value: p95Ms, most: 250, unit: 'ms', more };
}

/** What sockets that only stand there cost a process. */
export async function idleSockets(server: Running, scene: Scene, count: number): Promise<Figure> {
  const before = await residentMib(server.pid);
  return withCrowd(4, async (crowd) => {
    const keys = Array.from({ length: count }, (_, n) => scene.keys[n % scene.keys.length] ?? '');
    const began = performance.now();
    await crowd.open({ url: socketUrl(server), keys, query: null, variables: {} });
    const seconds = ((performance.now() - began) / 1_000).toFixed(1);
    // Over a heartbeat, after which a socket that did not answer would be gone.
    await sleep(26_000);
    await crowd.heard();
    const value = await residentMib(server.pid);
    const more = `${before.toFixed(0)} MiB before; opened in ${seconds} s; all stand after two heartbeats`;
    return { name: `${count} idle sockets in one process`, value, most: 1_024, unit: 'MiB', more };
  });
}

async function residentMib(pid: number): Promise<number> {
  const [, kib] = /^VmRSS:\s+(\d+) kB/m.exec(await readFile(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib) / 1_024;
}

/** From the subscription of a client that was away to the word that it has caught up. */
export async function resuming(server: Running, scene: Scene, missed: number): Promise<Figure> {
  const { cursor } = await write(server, scene, '/live/missed', { n: -1 });
  await writeMany(server, scene, '/live/missed', missed);
  return withCrowd(1, async (crowd) => {
    const took: number[] = [];
    for (let round = 0; round < 5; round += 1) {
      const began = now();
      const variables = { id: scene.spaceId, after: cursor };
      await crowd.open({ url: socketUrl(server), keys: scene.keys.slice(5, 6), query: followLog, variables });
      const heard = await crowd.hears(missed + 1, patienceMs);
      const end = heard.find(({ kind }) => kind === 'CaughtUp');
      if (!end) throw new Error('The end of the replay was not told.');
      took.push(end.at - began);
      await crowd.closeAll();
    }
    const more = `${took.length} times; the fastest ${rounded(Math.min(...took))}`;
    return { name: `resuming ${missed} missed events`, value: Math.max(...took), most: 2_000, unit: 'ms', more };
  });
}
