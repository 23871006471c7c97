import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** A process as users run it. */
export interface Launched {
  readonly child: ChildProcess;
  /** What it has printed so far, both streams. */
  output(): string;
  /** Resolves with the exit code once it has ended and said everything; null when a signal killed it. */
  readonly ended: Promise<number | null>;
  /** Waits until it has printed this. */
  prints(text: string): Promise<void>;
}

/** A gateway as users run it: a process of its own. */
export interface GatewayProcess extends Launched {
  readonly url: string;
  /** Sends a signal and answers the exit code once the process has ended; null when the signal killed it. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

const patienceMs = 30_000;
const root = fileURLToPath(new URL('../../', import.meta.url));
const server = ['--enable-source-maps', join(root, 'dist/server/server.js')];

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** What is not to be left at its default. */
export interface LaunchOptions {
  /** Where it is started; a `.env` is read there. */
  readonly cwd?: string;
  /** What is started instead of the server itself. */
  readonly command?: readonly [string, ...string[]];
}

/** Starts the server and does not wait. `env` is all of its environment besides PATH and HOME. */
export function launch(
  env: Readonly<Record<string, string>>,
  { cwd = root, command = [process.execPath, ...server] }: LaunchOptions = {},
): Launched {
  const [file, ...args] = command;
  const { PATH, HOME } = process.env;
  const child = spawn(file, args, {
    cwd,
    env: { PATH, HOME, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = once(child, 'close').then(([code]) => code as number | null);
  return {
    child,
    output: () => output,
    ended,
    async prints(text) {
      const until = Date.now() + patienceMs;
      while (!output.includes(text)) {
        if (child.exitCode !== null || Date.now() > until) {
          child.kill('SIGKILL');
          throw new Error(`It did not print "${text}", but:\n${output}`);
        }
        await sleep(20);
      }
    },
  };
}

/** Starts the server on a free port and waits until it is ready. `env` is all of its environment besides PATH and HOME. */
export async function startProcess(
  env: Readonly<Record<string, string>>,
  options: LaunchOptions = {},
): Promise<GatewayProcess> {
  const port = env['PORT'] ?? `${await freePort()}`;
  const home = env['CANOPY_HOME'] ?? (await mkdtemp(join(tmpdir(), 'canopy-process-')));
  const launched = launch({ PORT: port, CANOPY_HOME: home, DEMO_WORLD: 'false', ...env }, options);
  const ended = launched.ended.then(async (code) => {
    if (!env['CANOPY_HOME']) await rm(home, { recursive: true, force: true });
    return code;
  });
  await launched.prints('Canopy is ready.');
  return {
    ...launched,
    ended,
    url: `http://127.0.0.1:${port}`,
    async stop(signal = 'SIGTERM') {
      launched.child.kill(signal);
      return ended;
    },
  };
}
