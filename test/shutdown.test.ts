import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { endAll } from '../src/signals.js';
import { post, send } from './support/client.js';
import { freshDatabase } from './support/database.js';
import { eventually } from './support/eventually.js';
import { freePort, type GatewayProcess, type Launched, launch, startProcess } from './support/process.js';
import { socketTo } from './support/socket.js';

const patient = 90_000;
const running: Launched[] = [];
/** Locks that a test that fails leaves behind would stop the next one. */
const releases: (() => Promise<void>)[] = [];
let database: Awaited<ReturnType<typeof freshDatabase>>;
let home: string;

beforeAll(async () => {
  database = await freshDatabase();
  home = await mkdtemp(join(tmpdir(), 'canopy-shutdown-'));
});
afterEach(async () => {
  for (const release of releases.splice(0)) await release();
  for (const { child } of running.splice(0)) if (child.exitCode === null) child.kill('SIGKILL');
});
afterAll(async () => {
  await database.drop();
  await rm(home, { recursive: true, force: true });
});

const onDatabase = (more: Record<string, string> = {}) => ({ DATABASE_URL: database.url, CANOPY_HOME: home, ...more });

async function started(env: Record<string, string>): Promise<GatewayProcess> {
  const gateway = await startProcess(env);
  running.push(gateway);
  return gateway;
}

/** Waits until a gateway has heard that it shall end. */
const drains = ({ url }: GatewayProcess) =>
  eventually(async () => expect((await send(`${url}/api/ready`)).status).toBe(503));

/** A gateway with an operation that runs until `release`. */
async function busy() {
  const gateway = await started(onDatabase());
  const lock = new pg.Client({ connectionString: database.url });
  await lock.connect();
  await lock.query('begin');
  await lock.query('lock table "Space" in access exclusive mode');
  const answer = post(gateway.url, {
    query: '{ space(by: { id: "space_01h455vb4pex5vsknk084sn02q" }) { id } }',
  }).catch((error: unknown) => error as Error);
  await eventually(async () => {
    const { rowCount } = await lock.query(`select from pg_locks where relation = '"Space"'::regclass and not granted`);
    expect(rowCount).toBe(1);
  });
  const release = () => lock.end();
  releases.push(release);
  return { gateway, answer, release };
}

test(
  'what runs is finished, sockets hear 1001, nothing new is taken, and the exit code is 0',
  async () => {
    const { gateway, answer, release } = await busy();
    const socket = await socketTo(gateway.url);
    await socket.init();
    gateway.child.kill('SIGTERM');
    await drains(gateway);
    expect((await send(`${gateway.url}/api/health`)).status).toBe(200);
    const late = await post(gateway.url, { query: '{ __typename }' });
    expect({ status: late.status, code: late.code, after: late.headers.get('retry-after') }).toEqual({
      status: 503,
      code: 'SERVICE_UNAVAILABLE',
      after: '1',
    });
    await expect(socketTo(gateway.url)).rejects.toThrow('503');
    expect((await socket.closed).code).toBe(1001);
    await release();
    expect(await answer).toMatchObject({ status: 200, body: { data: { space: null } } });
    const began = performance.now();
    expect(await gateway.ended).toBe(0);
    expect(performance.now() - began).toBeLessThan(8_000);
  },
  patient,
);

test('a part that cannot be ended keeps none of the others running, and all that went wrong is told', async () => {
  const ended: string[] = [];
  const failing = (name: string) => () => Promise.reject(new Error(`${name} is stuck`));
  const fine = (name: string) => async () => void ended.push(name);
  const all = endAll([failing('the gateway'), fine('the app'), failing('the pool'), fine('the database')]);
  await expect(all).rejects.toMatchObject({
    message: 'Error: the gateway is stuck; Error: the pool is stuck',
    errors: [{ message: 'the gateway is stuck' }, { message: 'the pool is stuck' }],
  });
  expect(ended).toEqual(['the app', 'the database']);
});

test(
  'a second one ends it at once',
  async () => {
    const { gateway, answer, release } = await busy();
    gateway.child.kill('SIGTERM');
    await drains(gateway);
    await sleep(700);
    expect(gateway.child.exitCode).toBeNull();
    const began = performance.now();
    expect(await gateway.stop()).toBe(1);
    expect(performance.now() - began).toBeLessThan(5_000);
    expect(await answer).toMatchObject({ message: 'fetch failed' });
    await release();
  },
  patient,
);

test(
  'the same signal twice in a moment, as npm sends Ctrl-C, is one',
  async () => {
    const { gateway, answer, release } = await busy();
    gateway.child.kill('SIGINT');
    gateway.child.kill('SIGINT');
    await release();
    expect(await answer).toMatchObject({ status: 200 });
    expect(await gateway.ended).toBe(0);
  },
  patient,
);

test(
  'one that comes while it starts is obeyed once it has',
  async () => {
    const early = launch(onDatabase({ PORT: `${await freePort()}` }));
    running.push(early);
    await sleep(1_500);
    early.child.kill('SIGTERM');
    expect([0, null]).toContain(await early.ended);
  },
  patient,
);

test.each([
  ['SIGTERM to npm', (npm: Launched) => npm.child.kill('SIGTERM')],
  ['Ctrl-C in the terminal', (npm: Launched) => process.kill(-Number(npm.child.pid), 'SIGINT')],
])(
  'also under npm: %s',
  async (_, signal) => {
    const port = await freePort();
    const npm = launch(onDatabase({ PORT: `${port}`, DEMO_WORLD: 'false' }), { command: ['npm', 'start'] });
    running.push(npm);
    await npm.prints('Canopy is ready.');
    const socket = await socketTo(`http://127.0.0.1:${port}`);
    signal(npm);
    expect((await socket.closed).code).toBe(1001);
    await npm.ended;
    await expect(send(`http://127.0.0.1:${port}/api/health`)).rejects.toThrow();
  },
  patient,
);
