import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { freePort } from './process.js';

/** Debian's pgbouncer in transaction mode, as a process of its own. */
export interface Pgbouncer {
  /** The same database through it, as its operator would write it down. */
  readonly url: string;
  /** The same without saying that there is a pooler. */
  readonly plainUrl: string;
  /** Cuts all connections, as `kill -9` does, and starts it again at the same port. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

const nobody = 65_534;
const patienceMs = 15_000;

/** Starts one in front of the Postgres of `databaseUrl`, with few connections to it, so that transactions change connections all the time. */
export async function pgbouncer(databaseUrl: string, serverConnections: number): Promise<Pgbouncer> {
  const target = new URL(databaseUrl);
  const port = await freePort();
  const home = await mkdtemp(join(tmpdir(), 'canopy-pgbouncer-'));
  await chmod(home, 0o755);
  const settings = join(home, 'pgbouncer.ini');
  await writeFile(settings, settingsOf(target, port, serverConnections));
  let child = await spawned(settings);
  const url = new URL(databaseUrl);
  url.host = `127.0.0.1:${port}`;
  const plainUrl = url.href;
  url.searchParams.set('pgbouncer', 'true');
  await answering(plainUrl);
  return {
    url: url.href,
    plainUrl,
    async restart() {
      await ended(child);
      child = await spawned(settings);
      await answering(plainUrl);
    },
    async close() {
      await ended(child);
      await rm(home, { recursive: true, force: true });
    },
  };
}

async function spawned(settings: string): Promise<ChildProcess> {
  // It refuses to be root.
  const asNobody = process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {};
  const env = { PATH: `${process.env['PATH']}:/usr/sbin` };
  const child = spawn('pgbouncer', ['-q', settings], { cwd: '/', stdio: 'ignore', env, ...asNobody });
  process.once('exit', () => child.kill('SIGKILL'));
  try {
    await once(child, 'spawn');
  } catch (cause) {
    throw new Error("These tests need pgbouncer: install Debian's package pgbouncer, as .ci/run does.", { cause });
  }
  return child;
}

async function ended(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

function settingsOf(
  { hostname, port, username, password }: URL,
  listenPort: number,
  serverConnections: number,
): string {
  const quoted = (text: string) => `'${decodeURIComponent(text).replace(/'/g, "''")}'`;
  return `[databases]
* = host=${hostname} port=${port || 5432} user=${quoted(username)}${password ? ` password=${quoted(password)}` : ''}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${listenPort}
unix_socket_dir =
auth_type = any
pool_mode = transaction
max_client_conn = 200
default_pool_size = ${serverConnections}
`;
}

async function answering(url: string): Promise<void> {
  for (const until = Date.now() + patienceMs; ; await sleep(20)) {
    const client = new pg.Client({ connectionString: url });
    try {
      await client.connect();
      await client.query('select 1');
      await client.end();
      return;
    } catch (error) {
      if (Date.now() > until) throw error;
    }
  }
}
