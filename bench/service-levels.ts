import type { Load } from './load-client.js';
import { percentiles } from './measure.js';
import { bodyOf, type Operation } from './operations.js';
import type { Running } from './server-process.js';

/** How an operation kept its promise at a fixed rate. */
export interface ServiceLevel {
  readonly perSecond: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly promisedMs: number;
  readonly kept: boolean;
  readonly failures: number;
}

/** At which rate, for how long, over how many nodes. */
export interface Pace {
  readonly nodes: number;
  readonly perSecond: number;
  readonly seconds: number;
}

// Far from what the other measurements touch.
const firstCall = 200_000;

/**
 * Sends calls at a fixed rate, whether or not the earlier ones were answered, and counts the latency of each from the
 * moment it was due: a server that falls behind shows it.
 */
export async function serviceLevel(
  operation: Operation,
  { url, headers }: Running,
  load: Load,
  { nodes, perSecond, seconds }: Pace,
): Promise<ServiceLevel> {
  const bodies = Array.from({ length: perSecond * seconds }, (_, at) => bodyOf(operation, firstCall + at, nodes));
  const warmUp = Array.from({ length: operation.warmUp }, (_, at) => bodyOf(operation, firstCall - 1 - at, nodes));
  await load.send({ url, headers, bodies: warmUp, pace: { concurrency: 4 } });
  const { latencies, failures } = await load.send({ url, headers, bodies, pace: { perSecond } });
  const found = percentiles(latencies);
  const { promisedMs } = operation;
  return { perSecond, seconds, ...found, promisedMs, kept: failures === 0 && found.p95Ms <= promisedMs, failures };
}
