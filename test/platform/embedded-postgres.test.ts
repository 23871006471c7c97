import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, lstat, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import pg from 'pg';
import { type Embedded, embeddedPostgres, removeEmbeddedPostgres } from '../../src/platform/database/embedded.js';

let home = '';
const processes: ChildProcess[] = [];

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'canopy-embedded-'));
  await chmod(home, 0o711);
});

afterEach(async () => {
  for (const child of processes.splice(0)) child.kill('SIGKILL');
  await removeEmbeddedPostgres(home);
  await rm(home, { recursive: true, force: true });
});

test('data survives a restart', async () => {
  const first = await start();
  await query(first.url, "create table kept as select 'still here' as word");
  await first.stop();
  const second = await start();
  expect(await query(second.url, 'select word from kept')).toEqual([{ word: 'still here' }]);
  await second.stop();
});

test('a stopped server leaves nothing behind that runs', async () => {
  const { url, stop } = await start();
  await Promise.all([stop(), stop()]);
  await expect(query(url, 'select 1')).rejects.toThrow('ECONNREFUSED');
});

test('the server of a gateway that was killed is taken over, with its data', async () => {
  const { child, url } = await startElsewhere();
  await query(url, "create table kept as select 'still here' as word");
  child.kill('SIGKILL');
  await once(child, 'exit');
  const heir = await start();
  expect(heir.url).toBe(url);
  expect(await query(heir.url, 'select word from kept')).toEqual([{ word: 'still here' }]);
  await heir.stop();
  await expect(query(url, 'select 1')).rejects.toThrow('ECONNREFUSED');
});

test('a server that was killed is started again, with its data', async () => {
  const killed = await start();
  await query(killed.url, "create table kept as select 'still here' as word");
  process.kill(await postmaster(), 'SIGKILL');
  const next = await start();
  expect(await query(next.url, 'select word from kept')).toEqual([{ word: 'still here' }]);
  await next.stop();
  await killed.stop();
});

test('two gateways of one home share a server until the last one leaves', async () => {
  const [one, two] = await Promise.all([start(), startElsewhere()]);
  expect(two.url).toBe(one.url);
  await one.stop();
  expect(await query(two.url, 'select 1 as one')).toEqual([{ one: 1 }]);
  two.child.kill('SIGTERM');
  await once(two.child, 'exit');
  await expect(query(two.url, 'select 1')).rejects.toThrow('ECONNREFUSED');
});

test('a password is needed, and only its owner can read it', async () => {
  const { url, stop } = await start();
  const wrong = new URL(url);
  wrong.password = 'guessed';
  await expect(query(wrong.href, 'select 1')).rejects.toThrow('password authentication failed');
  expect((await lstat(join(home, 'postgres/password'))).mode & 0o777).toBe(0o600);
  expect((await lstat(join(home, 'postgres/data'))).mode & 0o777).toBe(0o700);
  expect(await query(url, 'show listen_addresses')).toEqual([{ listen_addresses: '127.0.0.1' }]);
  await stop();
});

function start(): Promise<Embedded> {
  return embeddedPostgres({ home, log: { info: () => {}, warn: () => {} }, settings: ['fsync=off'] });
}

async function startElsewhere(): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'test/support/hold-postgres.ts', home], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  processes.push(child);
  const [line] = await once(child.stdout, 'data');
  return { child, url: String(line).trim() };
}

async function postmaster(): Promise<number> {
  const lock = await readFile(join(home, 'postgres/data/postmaster.pid'), 'utf8');
  return Number(lock.split('\n')[0]);
}

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}
