import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { boundedServer } from '../src/gateway/http/server.js';
import { post, send } from './support/client.js';
import { emptyDatabase } from './support/database.js';
import { freePort, type GatewayProcess, type Launched, launch, startProcess } from './support/process.js';

const patient = 90_000;
const strong = 'a-secret-that-is-long-enough-for-anyone';
const running: Launched[] = [];
let database: Awaited<ReturnType<typeof emptyDatabase>>;
let home: string;

beforeAll(async () => {
  database = await emptyDatabase();
  home = await mkdtemp(join(tmpdir(), 'canopy-server-'));
  await chmod(home, 0o711);
});
afterEach(() => {
  for (const { child } of running.splice(0)) if (child.exitCode === null) child.kill('SIGKILL');
});
afterAll(async () => {
  await database.drop();
  await rm(home, { recursive: true, force: true });
});

const onDatabase = (more: Record<string, string> = {}) => ({ DATABASE_URL: database.url, CANOPY_HOME: home, ...more });

async function started(
  env: Record<string, string>,
  options?: Parameters<typeof startProcess>[1],
): Promise<GatewayProcess> {
  const gateway = await startProcess(env, options);
  running.push(gateway);
  return gateway;
}

/** What a process says that does not start. */
async function failure(env: Record<string, string>): Promise<string> {
  const attempt = launch(env);
  running.push(attempt);
  expect(await attempt.ended).toBe(1);
  expect(attempt.output()).not.toMatch(/^\s+at /m);
  return attempt.output();
}

async function taken(port: number): Promise<Server> {
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

describe('settings that do not work', () => {
  test(
    'are all listed at once, each with what to do, and nothing starts',
    async () => {
      const wrong = {
        PORT: 'many',
        DATABASE_URL: 'mysql://x',
        DATABASE_POOL: '1',
        PUBLIC_URL: 'example',
        CORS_ORIGINS: 'https://a.example/path',
        INTROSPECTION: 'maybe',
        GRAPHIQL: 'yes',
        LOG_LEVEL: 'loud',
        AUTH_SECRET: 'short',
        OIDC_ISSUERS: '{',
      };
      const output = await failure({ ...wrong, CANOPY_HOME: home });
      for (const name of Object.keys(wrong)) expect(output).toMatch(new RegExp(`^  - ${name}: .+`, 'm'));
    },
    patient,
  );

  test(
    'in production: no secret, no address, the demo world',
    async () => {
      const output = await failure({ NODE_ENV: 'production', DEMO_WORLD: 'true', CANOPY_HOME: home });
      for (const name of ['AUTH_SECRET', 'PUBLIC_URL', 'DEMO_WORLD'])
        expect(output).toMatch(new RegExp(`^  - ${name}: .+`, 'm'));
    },
    patient,
  );

  test(
    'a port that was asked for and is taken',
    async () => {
      const port = await freePort();
      const other = await taken(port);
      expect(await failure(onDatabase({ PORT: `${port}` }))).toContain(
        `port ${port} (PORT) is taken by another program`,
      );
      other.close();
    },
    patient,
  );

  test(
    'a database that is not there, and one that does not let us in',
    async () => {
      const port = `${await freePort()}`;
      expect(
        await failure({ PORT: port, CANOPY_HOME: home, DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' }),
      ).toMatch(/DATABASE_URL cannot be used: .*ECONNREFUSED/);
      const url = new URL(database.url);
      url.pathname = '/no_such_database';
      expect(await failure({ PORT: port, CANOPY_HOME: home, DATABASE_URL: url.href })).toMatch(
        /DATABASE_URL cannot be used: .*no_such_database/,
      );
    },
    patient,
  );
});

describe('settings', () => {
  test(
    'that name no port take the next free one and say so',
    async () => {
      const others = await Promise.all([taken(4_000)].map((one) => one.catch(() => null)));
      const gateway = launch({ ...onDatabase(), DEMO_WORLD: 'false' });
      running.push(gateway);
      await gateway.prints('Canopy is ready.');
      const [, port] = /Port 4000 is taken, so this is port (\d+)\./.exec(gateway.output()) ?? [];
      expect(Number(port)).toBeGreaterThan(4_000);
      expect((await send(`http://127.0.0.1:${port}/api/ready`)).status).toBe(200);
      gateway.child.kill('SIGTERM');
      expect(await gateway.ended).toBe(0);
      for (const other of others) other?.close();
    },
    patient,
  );

  test(
    'are read from .env, and the environment wins',
    async () => {
      const cwd = await mkdtemp(join(tmpdir(), 'canopy-env-'));
      const port = await freePort();
      await writeFile(
        join(cwd, '.env'),
        `PORT=${port}\nGRAPHIQL=false\nINTROSPECTION=off\nCORS_ORIGINS=\nDATABASE_URL=${database.url}\n`,
      );
      const gateway = launch({ CANOPY_HOME: home, INTROSPECTION: 'public' }, { cwd });
      running.push(gateway);
      await gateway.prints('Canopy is ready.');
      const url = `http://127.0.0.1:${port}`;
      expect((await send(`${url}/graphiql`)).status).toBe(404);
      expect((await post(url, { query: '{ __schema { queryType { name } } }' })).code).toBeNull();
      gateway.child.kill('SIGTERM');
      expect(await gateway.ended).toBe(0);
      await rm(cwd, { recursive: true });
    },
    patient,
  );

  test(
    'of production are safe by default',
    async () => {
      const gateway = await started(
        onDatabase({
          NODE_ENV: 'production',
          AUTH_SECRET: strong,
          PUBLIC_URL: 'https://api.example.com',
          HOST: '127.0.0.1',
        }),
      );
      expect((await send(`${gateway.url}/graphiql`)).code).toBe('NOT_FOUND');
      expect((await send(`${gateway.url}/schema.graphql`)).code).toBe('NOT_FOUND');
      const answer = await post(gateway.url, { query: '{ __schema { queryType { name } } }' });
      expect(answer.code).toBe('GRAPHQL_VALIDATION_FAILED');
      expect(answer.headers.get('strict-transport-security')).toBe('max-age=31536000');
      expect(await gateway.stop()).toBe(0);
    },
    patient,
  );

  test(
    "of a Postgres of one's own have it migrated",
    async () => {
      const fresh = await emptyDatabase();
      const gateway = await started({ DATABASE_URL: fresh.url, CANOPY_HOME: home });
      expect((await send(`${gateway.url}/api/ready`)).status).toBe(200);
      const client = new pg.Client({ connectionString: fresh.url });
      await client.connect();
      const { rows } = await client.query(
        'select count(*)::int as applied from _prisma_migrations where finished_at is not null',
      );
      expect(rows[0].applied).toBeGreaterThan(0);
      await client.end();
      expect(gateway.output()).not.toContain('embedded Postgres');
      expect(await gateway.stop()).toBe(0);
      await fresh.drop();
    },
    patient,
  );
});

describe('the embedded Postgres', () => {
  test(
    'is there with one command, and answers soon',
    async () => {
      const fresh = await mkdtemp(join(tmpdir(), 'canopy-first-'));
      await chmod(fresh, 0o711);
      const began = performance.now();
      const gateway = await started({ CANOPY_HOME: fresh, DEMO_WORLD: 'true' });
      const answer = await post(gateway.url, { query: '{ __typename }' });
      process.stderr.write(`first start to first answer: ${Math.round(performance.now() - began)} ms\n`);
      expect(answer.status).toBe(200);
      expect(performance.now() - began).toBeLessThan(60_000);
      expect(await gateway.stop()).toBe(0);
      await rm(fresh, { recursive: true });
    },
    patient,
  );

  test(
    'serves two gateways of one home, as long as there is one',
    async () => {
      const shared = await mkdtemp(join(tmpdir(), 'canopy-shared-'));
      await chmod(shared, 0o711);
      const first = await started({ CANOPY_HOME: shared });
      const second = await started({ CANOPY_HOME: shared });
      expect(second.output()).toContain('embedded Postgres joined');
      expect(await first.stop()).toBe(0);
      expect((await send(`${second.url}/api/ready`)).status).toBe(200);
      expect(await second.stop()).toBe(0);
      await rm(shared, { recursive: true });
    },
    patient,
  );
});

test('until it is ready a server says that it starts', async () => {
  const server = boundedServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const answer = await post(url, { query: '{ __typename }' });
  expect({ status: answer.status, code: answer.code }).toEqual({ status: 503, code: 'SERVICE_UNAVAILABLE' });
  expect(answer.headers.get('retry-after')).toBe('1');
  expect((await send(`${url}/api/ready`)).status).toBe(503);
  expect((await send(`${url}/api/health`)).status).toBe(200);
  server.close();
});
