import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RunningApp } from './app.js';
import { type Env, readEnv, WrongSettings } from './env.js';
import { embeddedPostgres } from './platform/database/embedded.js';
import { migrate } from './platform/database/migrate.js';
import { outage } from './platform/database/outage.js';
import { bufferedLines, jsonLog, type Log } from './platform/log.js';
import { endAll, endOnSignals } from './signals.js';

const migrations = fileURLToPath(new URL('../prisma/migrations/', import.meta.url));

/** How to end each part that was started; the last one started ends first. */
export type Stops = (() => Promise<void>)[];

/** The App that the settings ask for, on a database that is up to date, and files in `stops` how to end it. */
export async function openApp(
  env: Env,
  publicUrl: string,
  trustedOrigins: readonly string[],
  stops: Stops,
): Promise<Pick<RunningApp, 'app'> & { isEmbedded: boolean }> {
  const log = jsonLog(
    env.logLevel,
    bufferedLines((text) => process.stdout.write(text)),
  );
  // The database starts while the rest is loaded.
  const [embedded, { startApp }] = await Promise.all([
    env.databaseUrl ? null : startEmbedded(env.home, log, stops),
    import('./app.js'),
  ]);
  const databaseUrl = env.databaseUrl ?? embedded?.url ?? '';
  await migrated(databaseUrl, log);
  const { app, close } = await startApp({
    blobs: env.blobToken ? { vercelToken: env.blobToken } : { directory: join(env.home, 'blobs') },
    databaseUrl,
    databasePool: env.databasePool,
    publicUrl,
    authSecret: env.authSecret ?? secretOf(env.home),
    trustedOrigins,
    oidcIssuers: env.oidcIssuers,
    assistant: env.assistant,
    wakeups: env.wakeups,
    ...(env.vectors && { vectors: env.vectors }),
    ...(env.embeddings && { embeddings: env.embeddings }),
    log,
  }).catch(unannouncedPooler);
  stops.unshift(close);
  return { app, isEmbedded: embedded !== null };
}

async function startEmbedded(home: string, log: Log, stops: Stops): Promise<{ readonly url: string }> {
  const embedded = await embeddedPostgres({ home, log });
  stops.unshift(embedded.stop);
  return embedded;
}

/** SQLSTATEs by which Postgres turns down who connects, and to what. */
const refusesUs = /^(28\w{3}|3D000)$/;

/** Brings the database up to date. What stands in the way outside of us is a wrong setting. */
async function migrated(url: string, log: Log): Promise<void> {
  try {
    await migrate(url, { directory: migrations, log });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const { code = '', message } = error as NodeJS.ErrnoException; // Errors of pg and of the network have a code.
    if (outage(error) || refusesUs.test(code))
      throw new WrongSettings(`Canopy cannot start: the database of DATABASE_URL cannot be used: ${message || code}.`);
    // What migrate itself has to say needs no stack.
    throw code === '' && error.name === 'Error' ? new WrongSettings(`Canopy cannot start: ${message}`) : error;
  }
}

/** A pooler refuses settings of a connection that only a server knows, unless we leave them out. */
function unannouncedPooler(error: unknown): never {
  if (error instanceof Error && error.message.includes('unsupported startup parameter'))
    throw new WrongSettings(
      'Canopy cannot start: DATABASE_URL leads through a pooler. Add pgbouncer=true to its query, or take the address of the server itself.',
    );
  throw error;
}

/** The secret of this installation, made at the first start. */
function secretOf(home: string): string {
  const file = join(home, 'secret');
  mkdirSync(home, { recursive: true });
  try {
    writeFileSync(file, randomBytes(48).toString('base64'), { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return readFileSync(file, 'utf8');
}

/** Runs a process: starts it with the settings, and ends all that it started when it is told to, or when it cannot start. */
export async function main(start: (env: Env, stops: Stops) => Promise<void>): Promise<void> {
  const stops: Stops = [];
  const stop = () => endAll(stops.splice(0));
  // Whoever read our log may leave before us; that is no reason to fall.
  process.stdout.on('error', () => {});
  try {
    const env = readEnv();
    const started = start(env, stops);
    endOnSignals(() => started.then(stop), { withParent: env.underNpm });
    await started;
  } catch (error) {
    const { path, syscall, message } = error as NodeJS.ErrnoException;
    const reason =
      error instanceof WrongSettings
        ? error.message
        : path && syscall
          ? `Canopy cannot start: ${message}. CANOPY_HOME must be a directory that it may write to.`
          : `Canopy cannot start: ${error instanceof Error ? error.stack : error}`;
    process.stderr.write(`\n${reason}\n\n`);
    await stop().catch((failed: unknown) => process.stderr.write(`${failed}\n`));
    process.exit(1);
  }
}
