import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import type pg from 'pg';

/** CPU time of the systems and of the database since they started, in milliseconds of user and system mode together. */
export interface CpuMeter {
  of(pid: number): Promise<number>;
  /** Null when the database runs on another machine, or hides its processes. */
  ofDatabase(): Promise<number | null>;
}

interface Usage {
  readonly pid: number;
  readonly parent: number;
  readonly ms: number;
}

/** Linux counts its clock in hundredths of a second for programs, whatever the machine does. */
const tickMs = 10;

/** A meter over the processes of this machine, and of the database that `client` is connected to. */
export async function cpuMeter(client: pg.Client): Promise<CpuMeter> {
  const linux = process.platform === 'linux';
  const postmaster = await postmasterOf(client);
  const ofDatabase = async () => {
    if (postmaster === null) return null;
    const own = (await usages()).filter(({ pid, parent }) => pid === postmaster || parent === postmaster);
    // Backends that ended are in the account of their parent.
    const ended = linux ? await endedChildrenMs(postmaster) : 0;
    return own.reduce((sum, { ms }) => sum + ms, ended);
  };
  const of = async (pid: number) => {
    if (linux) return threadsMs(pid);
    const found = (await usages()).find((one) => one.pid === pid);
    if (!found) throw new Error(`Process ${pid} is gone.`);
    return found.ms;
  };
  return { of, ofDatabase };
}

/** The parent of the process that serves our connection; null when there is no such process here. */
async function postmasterOf(client: pg.Client): Promise<number | null> {
  if (!['127.0.0.1', '::1', 'localhost'].includes(client.host)) return null;
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  const backend = (await usages()).find(({ pid }) => pid === rows[0]?.pid);
  return backend ? backend.parent : null;
}

async function usages(): Promise<Usage[]> {
  return process.platform === 'linux' ? fromProc() : fromPs();
}

async function fromProc(): Promise<Usage[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(
    pids.map(async (pid) => {
      const stat = await fieldsOf(pid);
      return stat && { pid, parent: Number(stat[3]), ms: await threadsMs(pid) };
    }),
  );
  return found.filter((usage) => usage !== null);
}

/** In nanoseconds by thread; where the kernel keeps no such account, in ticks for the process. */
async function threadsMs(pid: number): Promise<number> {
  const threads = await readdir(`/proc/${pid}/task`).catch(gone);
  if (!threads) return 0;
  const texts = await Promise.all(
    threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').catch(gone)),
  );
  const nanoseconds = texts.reduce((sum, text) => sum + Number(text?.split(' ')[0] ?? 0), 0);
  if (nanoseconds > 0) return nanoseconds / 1e6;
  const stat = await fieldsOf(pid);
  return stat ? (Number(stat[13]) + Number(stat[14])) * tickMs : 0;
}

async function endedChildrenMs(pid: number): Promise<number> {
  const stat = await fieldsOf(pid);
  return stat ? (Number(stat[15]) + Number(stat[16])) * tickMs : 0;
}

/** The fields of /proc/<pid>/stat, counted from 0; null for a process that is gone. */
async function fieldsOf(pid: number): Promise<string[] | null> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(gone);
  if (!text) return null;
  // The second field is a name in parentheses, which may hold anything.
  return [`${pid}`, '', ...text.slice(text.lastIndexOf(')') + 2).split(' ')];
}

function gone(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT' || error.code === 'ESRCH') return null;
  throw error;
}

async function fromPs(): Promise<Usage[]> {
  const { stdout } = await promisify(execFile)('ps', ['-axo', 'pid=,ppid=,time=']);
  return stdout
    .trim()
    .split('\n')
    .map((line) => {
      const [pid, parent, time = ''] = line.trim().split(/\s+/);
      const seconds = time.split(/[:-]/).reduce((sum, part) => sum * 60 + Number(part), 0);
      return { pid: Number(pid), parent: Number(parent), ms: seconds * 1_000 };
    });
}
