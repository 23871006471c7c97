import { fork } from 'node:child_process';
import { inProject } from '../places.js';
import type { Heard, Opening, Order, Report } from './clients.js';

/** Clients in processes of their own. */
export interface Crowd {
  /** Opens a socket for each key, spread over the processes and as many addresses of this machine. */
  open(opening: Omit<Opening, 'kind' | 'localAddress'>): Promise<void>;
  /** What came since it was asked last. */
  heard(): Promise<Heard[]>;
  /** Waits until so many deliveries have come, at most so long; answers all of them. */
  hears(count: number, patienceMs: number): Promise<Heard[]>;
  closeAll(): Promise<void>;
  stop(): void;
}

const lookMs = 50;

/** Starts them; they stop with this process. */
export function startCrowd(processes: number): Crowd {
  const children = Array.from({ length: processes }, () => {
    const child = fork(inProject('bench/live/clients.ts'), { execArgv: ['--import', import.meta.resolve('tsx')] });
    const failed: string[] = [];
    let answer: (report: Report) => void = () => {};
    child.on('message', (report: Report) => {
      if ('failure' in report) failed.push(report.failure);
      answer(report);
    });
    child.once('exit', (code) => answer({ failure: `A process of clients ended with ${code}.` }));
    return {
      child,
      ask: (order: Order) =>
        new Promise<Exclude<Report, { failure: string }>>((resolve, reject) => {
          const fail = () => reject(new Error(`Clients failed: ${failed.slice(0, 3).join('; ')}`));
          answer = (report) => ('failure' in report ? fail() : resolve(report));
          if (failed.length > 0) return fail();
          child.send(order);
        }),
    };
  });

  async function heard(): Promise<Heard[]> {
    const reports = await Promise.all(children.map(({ ask }) => ask({ kind: 'heard' })));
    return reports.flatMap((report) => ('heard' in report ? report.heard : []));
  }

  return {
    async open({ keys, ...rest }) {
      const share = (at: number) => keys.filter((_, key) => key % processes === at);
      await Promise.all(
        children.map(({ ask }, at) =>
          ask({ kind: 'open', localAddress: `127.0.0.${at + 2}`, keys: share(at), ...rest }),
        ),
      );
    },
    heard,
    async hears(count, patienceMs) {
      const until = performance.now() + patienceMs;
      const all: Heard[] = [];
      while (all.length < count) {
        if (performance.now() > until)
          throw new Error(`Of ${count} deliveries ${all.length} came within ${patienceMs / 1_000} s.`);
        await new Promise((resolve) => setTimeout(resolve, lookMs));
        all.push(...(await heard()));
      }
      return all;
    },
    closeAll: async () => void (await Promise.all(children.map(({ ask }) => ask({ kind: 'close' })))),
    stop: () => {
      for (const { child } of children) child.disconnect();
    },
  };
}
