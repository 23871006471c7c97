import { createHash, randomBytes } from 'node:crypto';
import { chmod, chown, link, lstat, mkdir, open, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { type Binaries, exists, type Identity, run } from './embedded-binaries.js';

/** The user and the database that the gateway uses in the embedded server. */
export const ROLE = 'canopy';

/** One data directory with what belongs to it. Password, log and data are readable by their owner alone. */
export interface Cluster {
  readonly root: string;
  readonly data: string;
  readonly password: string;
  readonly log: string;
  readonly identity: Identity;
  /** Where a copy of the binaries goes when the identity cannot run those of the npm package. */
  readonly copies: string;
}

/** A user that owns nothing: `nobody` on Linux, `daemon` on macOS. */
const UNPRIVILEGED = process.platform === 'darwin' ? 1 : 65_534;

/** Root's place for what an unprivileged user must reach; only root can write there. */
const SHARED = '/var/lib/canopy';

/**
 * Where the database of `home` lives, and who runs it. An ordinary user: in `home`, as itself. Root, which Postgres
 * refuses: as an unprivileged user, in `home` if that user can reach it and else below /var/lib/canopy.
 */
export async function locateCluster(home: string): Promise<Cluster> {
  await mkdir(home, { recursive: true });
  const real = await realpath(home);
  const inHome = join(real, 'postgres');
  if (process.getuid?.() !== 0) return clusterAt(inHome, null, real);

  const shared = join(SHARED, nameFor(real));
  const outside = (await exists(shared)) || !(await reachableByAll(real));
  if (outside && (await exists(join(inHome, 'data')))) {
    throw new Error(
      `The embedded database in ${inHome} cannot be reached by the unprivileged user that runs it. Make its parent directories executable by all, or move it to ${shared}.`,
    );
  }
  const root = outside ? shared : inHome;
  const data = join(root, 'data');
  const owner = (await exists(data)) ? await lstat(data) : { uid: UNPRIVILEGED, gid: UNPRIVILEGED };
  return clusterAt(root, { uid: owner.uid, gid: owner.gid }, SHARED);
}

function clusterAt(root: string, identity: Identity, copies: string): Cluster {
  const inRoot = { data: join(root, 'data'), password: join(root, 'password'), log: join(root, 'server.log') };
  return { root, identity, copies, ...inRoot };
}

function nameFor(home: string): string {
  const readable = home
    .replace(/[^A-Za-z0-9]+/g, '-')
    .replace(/^-/, '')
    .slice(-60);
  return `${readable}-${createHash('sha256').update(home).digest('hex').slice(0, 12)}`;
}

async function reachableByAll(path: string): Promise<boolean> {
  for (let at = resolve(path); ; at = dirname(at)) {
    if (((await stat(at)).mode & 0o001) === 0) return false;
    if (at === dirname(at)) return true;
  }
}

/** Makes the directory, the password and the data when they are not there; two at once make one. Returns the password. */
export async function prepareCluster(cluster: Cluster, binaries: Binaries): Promise<string> {
  await makeRoot(cluster);
  const password = await keepPassword(cluster);
  if (!(await exists(cluster.data))) await initialize(cluster, password, binaries);
  const found = (await readFile(join(cluster.data, 'PG_VERSION'), 'utf8')).trim();
  if (found === binaries.major) return password;
  throw new Error(
    `The embedded database in ${cluster.data} was made by Postgres ${found}; this is Postgres ${binaries.major}. Dump it with the older release, or delete it with npm run reset.`,
  );
}

/** The directory stays ours, also when root lets another user run the server: root never writes where that user can. */
async function makeRoot({ root, identity }: Cluster): Promise<void> {
  if (dirname(root) === SHARED) await makeShared();
  await mkdir(root, { recursive: true, mode: 0o700 });
  const found = await lstat(root);
  const mine = process.getuid?.();
  if (!found.isDirectory() || (mine !== 0 && found.uid !== mine)) {
    throw new Error(
      `The embedded database in ${root} belongs to another user (uid ${found.uid}). Run as that user, or set CANOPY_HOME to a directory of your own.`,
    );
  }
  await chmod(root, identity === null ? 0o700 : 0o711);
}

async function makeShared(): Promise<void> {
  await mkdir(SHARED, { recursive: true, mode: 0o755 });
  const found = await lstat(SHARED);
  if (!found.isDirectory() || found.uid !== 0 || (found.mode & 0o022) !== 0) {
    throw new Error(`${SHARED} must be a directory that only root can write. Correct that, or set DATABASE_URL.`);
  }
  await chmod(SHARED, 0o755);
}

/** Complete under its name or not there: of two that make one, the first wins and both read the same. */
async function keepPassword({ root, password }: Cluster): Promise<string> {
  if (!(await exists(password))) {
    const unfinished = await writeSecret(root, randomBytes(24).toString('base64url'), null);
    await link(unfinished, password).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
    await rm(unfinished);
  }
  return readFile(password, 'utf8');
}

async function writeSecret(directory: string, secret: string, reader: Identity): Promise<string> {
  const path = join(directory, `secret.${randomBytes(6).toString('hex')}`);
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(secret);
    if (reader !== null) await file.chown(reader.uid, reader.gid);
  } finally {
    await file.close();
  }
  return path;
}

/** A start that was killed leaves `data.…` behind, never half a `data`. */
async function initialize(cluster: Cluster, password: string, binaries: Binaries): Promise<void> {
  const { identity } = cluster;
  const unfinished = `${cluster.data}.${randomBytes(6).toString('hex')}`;
  const secret = await writeSecret(cluster.root, password, identity);
  try {
    await mkdir(unfinished, { mode: 0o700 });
    if (identity !== null) await chown(unfinished, identity.uid, identity.gid);
    // The builtin locale is the same on every machine; those of the system may be missing.
    const locale = ['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--encoding=UTF8'];
    const access = ['--auth=scram-sha-256', `--username=${ROLE}`, `--pwfile=${secret}`];
    const made = await run(binaries.initdb, [`--pgdata=${unfinished}`, ...locale, ...access], identity);
    if (made.code !== 0) {
      throw new Error(
        `The embedded database could not be made in ${cluster.root}. Set DATABASE_URL to use another one. initdb said:\n${made.output}`,
      );
    }
    await rename(unfinished, cluster.data).catch(async (error) => {
      if (!(await exists(cluster.data))) throw error;
    });
  } finally {
    await rm(secret, { force: true });
    await rm(unfinished, { recursive: true, force: true });
  }
}
