import type { Measurement } from './measure.js';
import { type OperationId, operationIds } from './operations.js';
import type { ServiceLevel } from './service-levels.js';
import { type SystemId, systemIds } from './systems.js';

/** Everything that a run found out; results.json. */
export interface Results {
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly platform: string;
    readonly node: string;
    readonly nodeOfPostgraphile: string | null;
    readonly postgres: string;
  };
  readonly nodes: number;
  readonly concurrency: number;
  readonly labels: Partial<Record<SystemId, string>>;
  readonly operations: Partial<
    Record<OperationId, Partial<Record<SystemId, Measurement & { readonly statements: number | null }>>>
  >;
  readonly serviceLevels: Partial<Record<OperationId, ServiceLevel>>;
}

/** How much CPU a system takes for an operation, as a multiple of PostGraphile's; null when one was not measured. */
export function ratio(results: Results, operation: OperationId, system: SystemId): number | null {
  const found = results.operations[operation];
  const [own, peer] = [found?.[system]?.cpuMs, found?.postgraphile?.cpuMs];
  return own !== undefined && peer !== undefined && peer > 0 ? own / peer : null;
}

const fixed = (value: number | null | undefined, digits: number) => (value == null ? '–' : value.toFixed(digits));

/** The one table of the comparison, and the one of the service levels. */
export function tables(results: Results): string {
  const rows = operationIds.flatMap((operation) =>
    systemIds.flatMap((system) => {
      const found = results.operations[operation]?.[system];
      if (!found) return [];
      const { cpuMs, cpuMsOfRounds, databaseCpuMs, p50Ms, p95Ms, p99Ms, perSecond, statements } = found;
      const spread = cpuMsOfRounds.map((one) => one.toFixed(3)).join('–');
      const times = [p50Ms, p95Ms, p99Ms].map((ms) => ms.toFixed(1));
      return [
        [
          operation,
          results.labels[system] ?? system,
          cpuMs.toFixed(3),
          spread,
          fixed(ratio(results, operation, system), 2),
          fixed(databaseCpuMs, 3),
          ...times,
          perSecond.toFixed(0),
          fixed(statements, 0),
        ],
      ];
    }),
  );
  const levels = operationIds.flatMap((operation) => {
    const found = results.serviceLevels[operation];
    if (!found) return [];
    const times = [found.p50Ms, found.p95Ms, found.p99Ms].map((ms) => ms.toFixed(1));
    return [
      [
        operation,
        `${found.perSecond}`,
        ...times,
        `${found.promisedMs}`,
        found.kept ? 'kept' : 'BROKEN',
        `${found.failures}`,
      ],
    ];
  });
  const parts: string[] = [];
  if (rows.length > 0) {
    parts.push(
      table(
        [
          'operation',
          'system',
          'CPU ms',
          'of rounds',
          '× PostGraphile',
          'database CPU ms',
          'p50 ms',
          'p95 ms',
          'p99 ms',
          'a second',
          'SQL',
        ],
        rows,
      ),
    );
  }
  if (levels.length > 0) {
    parts.push(
      table(['service level', 'a second', 'p50 ms', 'p95 ms', 'p99 ms', 'promised p95', '', 'failures'], levels),
    );
  }
  return parts.join('\n\n');
}

const leftAligned = 2;

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((name, at) => Math.max(name.length, ...rows.map((row) => row[at]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, at) => (at < leftAligned ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
      .join('  ');
  return [line(head), widths.map((width) => '─'.repeat(width)).join('  '), ...rows.map(line)].join('\n');
}
