import { fork } from 'node:child_process';
import type { LoadOrder, LoadReport } from './load.js';
import { inProject } from './places.js';

/** Sends requests from a process of its own. */
export interface Load {
  send(order: LoadOrder): Promise<LoadReport>;
  stop(): void;
}

/** Starts the process that sends. One order at a time. */
export function startLoad(): Load {
  const child = fork(inProject('bench/load.ts'), { execArgv: ['--import', import.meta.resolve('tsx')] });
  const ended = new Promise<never>((_, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`The process that sends requests ended with code ${code}.`)));
  });
  // Nobody may be waiting when it is stopped.
  ended.catch(() => null);
  return {
    send: (order) =>
      Promise.race([
        new Promise<LoadReport>((resolve) => {
          child.once('message', (report: LoadReport) => resolve(report));
          child.send(order);
        }),
        ended,
      ]),
    stop: () => child.disconnect(),
  };
}
