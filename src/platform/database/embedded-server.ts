import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { type FileHandle, open, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { asIdentity, type Binaries, exists, run } from './embedded-binaries.js';
import type { Cluster } from './embedded-cluster.js';

/** A server that was started, by us or by somebody before us. */
export interface Server {
  readonly port: number;
  /** Why it is not there any more; null as long as it is. */
  ended(): Promise<string | null>;
}

interface Lock {
  readonly pid: number;
  readonly port: number;
}

const STOP_PATIENCE_MS = 30_000;
const LOG_LIMIT = 8 * 1024 * 1024;

const ALWAYS = [
  'listen_addresses=127.0.0.1',
  'unix_socket_directories=',
  'max_connections=100',
  'timezone=UTC',
  'log_timezone=UTC',
  'jit=off',
];

/** The server of this cluster that runs already, also when whoever started it was killed since. */
export async function findServer(cluster: Cluster): Promise<Server | null> {
  const lock = await readLock(cluster);
  if (lock === null || !(await isServerOf(lock.pid, cluster))) return null;
  const isThere = async () => (await readLock(cluster))?.pid === lock.pid && (await isServerOf(lock.pid, cluster));
  return { port: lock.port, ended: async () => ((await isThere()) ? null : 'It was stopped.') };
}

async function readLock(cluster: Cluster): Promise<Lock | null> {
  const path = join(cluster.data, 'postmaster.pid');
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  const [pid, , , port] = text.split('\n').map(Number);
  return pid && port ? { pid, port } : null;
}

/** A number in a lock file proves nothing: after a reboot it may be another program's. */
async function isServerOf(pid: number, cluster: Cluster): Promise<boolean> {
  if (process.platform !== 'linux') {
    const { output } = await run('/bin/ps', ['-o', 'command=', '-p', String(pid)], null);
    return output.includes(`-D ${cluster.data} `);
  }
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ESRCH') return '';
    throw error;
  });
  return command.includes(`\0-D\0${cluster.data}\0`);
}

/**
 * Starts the server in a session of its own: Ctrl-C in the terminal must not stop it while the gateway still drains.
 * Does not wait until it takes connections.
 */
export async function launch(cluster: Cluster, binaries: Binaries, settings: readonly string[]): Promise<Server> {
  const port = await freePort();
  const stale = await readLock(cluster);
  const log = await openLog(cluster);
  try {
    const began = (await log.stat()).size;
    const options = asIdentity(cluster.identity);
    // A lock that names a living stranger: Postgres ignores it if the stranger is said to be its grandparent.
    const strangers = stale && !(await isServerOf(stale.pid, cluster)) ? { PG_GRANDPARENT_PID: String(stale.pid) } : {};
    const child = spawn(
      binaries.postgres,
      ['-D', cluster.data, '-p', String(port), ...[...ALWAYS, ...settings].flatMap((setting) => ['-c', setting])],
      { ...options, env: { ...options.env, ...strangers }, detached: true, stdio: ['ignore', log.fd, log.fd] },
    );
    child.unref();
    const end = endOf(child);
    return {
      port,
      ended: async () => (end.reason === null ? null : `${end.reason}\n${await readFrom(cluster, began)}`),
    };
  } finally {
    await log.close();
  }
}

function endOf(child: ChildProcess): { reason: string | null } {
  const end: { reason: string | null } = { reason: null };
  child.on('error', (error) => {
    end.reason = error.message;
  });
  child.on('exit', (code, signal) => {
    end.reason = `It ended with ${signal ?? `code ${code}`}.`;
  });
  return end;
}

async function openLog({ log }: Cluster): Promise<FileHandle> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | constants.O_NOFOLLOW;
  const file = await open(log, flags, 0o600);
  if ((await file.stat()).size > LOG_LIMIT) await file.truncate();
  return file;
}

async function readFrom({ log }: Cluster, offset: number): Promise<string> {
  const text = await readFile(log);
  return text.subarray(offset).toString();
}

/** A fast shutdown: transactions are rolled back, connections closed, everything written. Nothing to stop is no error. */
export async function stopServer(cluster: Cluster): Promise<void> {
  const lock = await readLock(cluster);
  if (lock === null || !(await isServerOf(lock.pid, cluster))) return;
  process.kill(lock.pid, 'SIGINT');
  const patience = Date.now() + STOP_PATIENCE_MS;
  while ((await exists(join(cluster.data, 'postmaster.pid'))) && (await isServerOf(lock.pid, cluster))) {
    if (Date.now() > patience) {
      throw new Error(`The embedded Postgres (process ${lock.pid}) does not stop; its log is ${cluster.log}.`);
    }
    await sleep(10);
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(address !== null && typeof address === 'object' ? address.port : 0));
    });
  });
}
