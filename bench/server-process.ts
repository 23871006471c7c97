import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { home } from './places.js';

/** A system that answers. */
export interface Running {
  readonly pid: number;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** What a system needs beside its program. */
export interface ServerOptions {
  readonly path: string;
  readonly env: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
}

const alive = new Set<ChildProcess>();

/** However the bench ends, it leaves no server behind. */
process.once('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

const patienceMs = 60_000;
const endpointOf = (port: number, path: string) => `http://127.0.0.1:${port}${path}`;

/**
 * Starts a server of one process and waits until it answers HTTP. It sees production settings and nothing of our own
 * environment; what it says goes to a file, as it would on a real host.
 */
export async function startServer(
  name: string,
  program: string,
  args: readonly string[],
  options: ServerOptions,
): Promise<Running> {
  const port = await freePort();
  mkdirSync(home, { recursive: true });
  const log = join(home, `${name}.log`);
  const output = openSync(log, 'w');
  const { PATH = '' } = process.env;
  const env = { PATH, NODE_ENV: 'production', CANOPY_HOME: home, PORT: `${port}`, ...options.env };
  // Away from the project, whose .env is not meant for this.
  const child = spawn(program, args, { cwd: home, env, stdio: ['ignore', output, output] });
  alive.add(child);
  child.once('exit', () => alive.delete(child));
  closeSync(output);
  const url = endpointOf(port, options.path);
  try {
    await untilItAnswers(child, url);
  } catch (cause) {
    await stop(child);
    const said = (await readFile(log, 'utf8')).slice(-2_000);
    throw new Error(`${name} does not start. It said:\n${said}`, { cause });
  }
  const { pid = 0 } = child;
  const headers = { 'content-type': 'application/json', accept: 'application/json', ...options.headers };
  return { pid, url, headers, stop: () => stop(child) };
}

async function untilItAnswers(child: ChildProcess, url: string): Promise<void> {
  const ended = new Promise<never>((_, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => reject(new Error(`It ended with ${signal ?? `code ${code}`}.`)));
  });
  const answered = async () => {
    const patience = Date.now() + patienceMs;
    while (!(await answers(url))) {
      if (Date.now() > patience) throw new Error(`It does not answer within ${patienceMs / 1_000} s.`);
      await sleep(50);
    }
  };
  await Promise.race([answered(), ended]);
}

/** A server that still starts refuses the connection, or answers that it is not ready. */
async function answers(url: string): Promise<boolean> {
  const body = JSON.stringify({ query: '{ __typename }', operationName: null });
  const headers = { 'content-type': 'application/json' };
  return fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(2_000) }).then(
    ({ status }) => status !== 503,
    () => false,
  );
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await ended;
  clearTimeout(late);
}

/** A port that nobody listens at. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(address !== null && typeof address === 'object' ? address.port : 0));
    });
  });
}
