import { parseArgs } from 'node:util';
import { type OperationId, operationIds } from './operations.js';
import { type SystemId, systemIds } from './systems.js';

export interface Options {
  readonly operations: readonly OperationId[];
  readonly systems: readonly SystemId[];
  readonly nodes: number;
  readonly rounds: number;
  /** Of the calls that each operation asks for. */
  readonly share: number;
  /** What belongs to the comparison; the service levels alone otherwise. */
  readonly compare: boolean;
  readonly serviceLevels: boolean;
  readonly perSecond: number;
  readonly seconds: number;
  /** Whether PostGraphile may be installed when it is missing. */
  readonly install: boolean;
  /** Whether results.json and results.svg are written: a quick run is no result. */
  readonly keep: boolean;
}

export const usage = `npm run bench -- [options]
  --quick              small data, few calls, nothing installed, nothing written: does it run, and are all answers right?
  --only <operations>  of ${operationIds.join(', ')}; separated by commas
  --systems <systems>  of ${systemIds.join(', ')}; separated by commas
  --nodes <number>     tree nodes in the space (1000000)
  --rounds <number>    how often each system has its turn (4)
  --share <number>     of the calls of an operation, such as 0.5 (1)
  --sla                the service levels only
  --rate <number>      calls a second for the service levels (100)
  --seconds <number>   how long each service level is watched (20)
  --help
BENCH_DATABASE_URL names a Postgres of your own, whose role may create databases.`;

/** The options of the command line; null when help was asked for. Throws with a sentence for those that do not work. */
export function readOptions(args: readonly string[]): Options | null {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      sla: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      only: { type: 'string' },
      systems: { type: 'string' },
      nodes: { type: 'string' },
      rounds: { type: 'string' },
      share: { type: 'string' },
      rate: { type: 'string' },
      seconds: { type: 'string' },
    },
  });
  if (values.help) return null;
  const { quick, sla } = values;
  const operations = some(values.only, operationIds, '--only');
  const systems = some(values.systems, systemIds, '--systems');
  return {
    operations,
    systems,
    nodes: amount(values.nodes, quick ? 20_000 : 1_000_000, '--nodes', 5_000),
    rounds: amount(values.rounds, quick ? 1 : 4, '--rounds', 1),
    share: amount(values.share, quick ? 0.1 : 1, '--share', 0.01),
    compare: !sla,
    serviceLevels: sla || !quick,
    perSecond: amount(values.rate, 100, '--rate', 1),
    seconds: amount(values.seconds, quick ? 2 : 20, '--seconds', 1),
    install: !quick && !sla,
    keep: !quick && !sla && !values.only && !values.systems,
  };
}

function some<T extends string>(text: string | undefined, all: readonly T[], name: string): readonly T[] {
  if (text === undefined) return all;
  const asked = text.split(',').map((part) => part.trim());
  const unknown = asked.filter((part) => !all.some((one) => one === part));
  if (unknown.length > 0) throw new Error(`${name}: there is no ${unknown.join(', ')}; there are ${all.join(', ')}.`);
  return all.filter((one) => asked.includes(one));
}

function amount(text: string | undefined, usual: number, name: string, least: number): number {
  const value = text === undefined ? usual : Number(text);
  if (!Number.isFinite(value) || value < least) throw new Error(`${name} must be a number of at least ${least}.`);
  return value;
}
