import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { embeddedPostgres, removeEmbeddedPostgres } from '../../src/platform/database/embedded.js';
import { migrate } from '../../src/platform/database/migrate.js';

/** Nothing that a test writes has to survive the machine. */
const FAST = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off', 'max_connections=200'];
const QUIET = { info: () => {}, warn: (message: string) => process.stderr.write(`${message}\n`) };

/**
 * One server for the run, with a migrated template that freshDatabase copies. TEST_DATABASE_URL names another server,
 * where the role may create databases. Returns what ends it all.
 */
export async function startPostgres(): Promise<() => Promise<void>> {
  const server = process.env.TEST_DATABASE_URL ? foreignServer(process.env.TEST_DATABASE_URL) : await ownServer();
  const template = `canopy_template_${randomBytes(4).toString('hex')}`;
  const url = new URL(server.url);
  url.pathname = `/${template}`;
  await execute(server.url, `create database ${template}`);
  await migrate(url.href, { directory: 'prisma/migrations', log: QUIET });
  process.env.CANOPY_TEST_SERVER = server.url;
  process.env.CANOPY_TEST_TEMPLATE = template;
  return async () => {
    await execute(server.url, `drop database ${template} with (force)`);
    await server.stop();
  };
}

function foreignServer(url: string) {
  return { url, stop: async () => {} };
}

async function ownServer() {
  const home = await mkdtemp(join(tmpdir(), 'canopy-test-'));
  // Run by root, the server is another user, who must be able to enter.
  await chmod(home, 0o711);
  const { url, stop } = await embeddedPostgres({ home, log: QUIET, settings: FAST });
  const watchdog = stopWithUs(home);
  return {
    url,
    stop: async () => {
      watchdog.kill();
      await stop();
      await removeEmbeddedPostgres(home);
      await rm(home, { recursive: true, force: true });
    },
  };
}

/** A run that is killed takes its server along. */
function stopWithUs(home: string) {
  const wait = `while kill -0 ${process.pid} 2>/dev/null; do sleep 1; done`;
  const stop = 'kill -INT "$(head -n 1 "$0/postgres/data/postmaster.pid")"; sleep 2; rm -rf "$0"';
  const child = spawn('/bin/sh', ['-c', `${wait}; ${stop}`, home], { detached: true, stdio: 'ignore' });
  child.unref();
  return child;
}

async function execute(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(statement);
  await client.end();
}
