import { setTimeout as sleep } from 'node:timers/promises';
import type { CpuMeter } from './cpu.js';
import type { LoadReport } from './load.js';
import type { Load } from './load-client.js';
import { bodyOf, type Operation } from './operations.js';
import type { Running } from './server-process.js';
import type { SystemId } from './systems.js';

/** What one system needed for one operation. */
export interface Measurement {
  readonly requests: number;
  /** Of the server process, for one request. */
  readonly cpuMs: number;
  /** The least and the most of any round: how far to trust the figure. */
  readonly cpuMsOfRounds: readonly [number, number];
  /** Of all processes of the database, for one request; null when they cannot be seen. */
  readonly databaseCpuMs: number | null;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly perSecond: number;
}

export interface MeasureOptions {
  readonly nodes: number;
  readonly rounds: number;
  readonly concurrency: number;
  /** Of the calls that an operation asks for. */
  readonly share: number;
  readonly progress: (text: string) => void;
}

interface Round {
  readonly requests: number;
  readonly cpuMs: number;
  readonly databaseCpuMs: number | null;
  readonly latencies: readonly number[];
  readonly seconds: number;
}

// What a server puts off until after the answers is its work too: logs, audit, garbage.
const settleMs = 400;

/** Measures one operation: the systems in turn, several rounds, each round beginning with another system. */
export async function measure(
  operation: Operation,
  systems: ReadonlyMap<SystemId, Running>,
  load: Load,
  meter: CpuMeter,
  { nodes, rounds, concurrency, share, progress }: MeasureOptions,
): Promise<Map<SystemId, Measurement>> {
  let call = 0;
  const bodies = (count: number) => Array.from({ length: count }, () => bodyOf(operation, call++, nodes));
  const run = async (id: SystemId, { pid, url, headers }: Running, count: number): Promise<Round> => {
    const order = { url, headers, bodies: bodies(count), pace: { concurrency } };
    const before = [await meter.of(pid), await meter.ofDatabase()] as const;
    const report = await load.send(order);
    await sleep(settleMs);
    const after = [await meter.of(pid), await meter.ofDatabase()] as const;
    const { latencies, seconds } = assertGood(id, report);
    const databaseCpuMs = before[1] === null || after[1] === null ? null : after[1] - before[1];
    return { requests: count, cpuMs: after[0] - before[0], databaseCpuMs, latencies, seconds };
  };

  const all = [...systems];
  for (const [id, system] of all) {
    progress(`${operation.id}: warming ${id}`);
    const order = { url: system.url, headers: system.headers, bodies: bodies(Math.ceil(operation.warmUp * share)) };
    assertGood(id, await load.send({ ...order, pace: { concurrency } }));
  }
  const found = new Map<SystemId, Round[]>(all.map(([id]) => [id, []]));
  for (let round = 0; round < rounds; round += 1) {
    const first = round % all.length;
    for (const [id, system] of [...all.slice(first), ...all.slice(0, first)]) {
      progress(`${operation.id}: round ${round + 1} of ${rounds}, ${id}`);
      found.get(id)?.push(await run(id, system, Math.ceil((operation.calls * share) / rounds)));
    }
  }
  return new Map([...found].map(([id, one]) => [id, summary(one)]));
}

/** One failure makes the whole figure worthless. */
function assertGood(id: SystemId, report: LoadReport): LoadReport {
  if (report.failures === 0) return report;
  throw new Error(
    `${id}: ${report.failures} of ${report.latencies.length} calls failed, the first with: ${report.failure}`,
  );
}

function summary(rounds: readonly Round[]): Measurement {
  const sum = (of: (round: Round) => number) => rounds.reduce((total, round) => total + of(round), 0);
  const requests = sum((round) => round.requests);
  const each = rounds.map((round) => round.cpuMs / round.requests);
  const seen = rounds.every((round) => round.databaseCpuMs !== null);
  return {
    requests,
    cpuMs: sum((round) => round.cpuMs) / requests,
    cpuMsOfRounds: [Math.min(...each), Math.max(...each)],
    databaseCpuMs: seen ? sum((round) => round.databaseCpuMs ?? 0) / requests : null,
    ...percentiles(rounds.flatMap((round) => round.latencies)),
    perSecond: requests / sum((round) => round.seconds),
  };
}

/** The latency that half, 95 and 99 of 100 requests stay within. */
export function percentiles(latencies: readonly number[]): Pick<Measurement, 'p50Ms' | 'p95Ms' | 'p99Ms'> {
  const sorted = [...latencies].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
  return { p50Ms: at(0.5), p95Ms: at(0.95), p99Ms: at(0.99) };
}
