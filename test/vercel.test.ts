import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from './support/eventually.js';
import { type Pgbouncer, pgbouncer } from './support/pgbouncer.js';
import { freePort, type Launched, launch } from './support/process.js';
import { type RedisServer, redisServer } from './support/redis-server.js';
import { socketTo } from './support/socket.js';
import { make, newSpace } from './support/tenancy.js';
import { redisToken, type UpstashRest, upstashRest } from './support/upstash-redis.js';
import { vercelBlobServer, vercelToken } from './support/vercel-blob.js';
import { type World, world } from './support/world.js';

const patient = 120_000;
const root = fileURLToPath(new URL('../', import.meta.url));
const host = join(root, 'test/support/function-host.mjs');
const cronSecret = 'a secret of the clock';
const entry = 'api/server.js';

interface Config {
  readonly functions: Record<string, { readonly includeFiles: string; readonly maxDuration: number }>;
  readonly rewrites: readonly { readonly source: string; readonly destination: string }[];
  readonly crons: readonly { readonly path: string; readonly schedule: string }[];
}

let config: Config;
let included: readonly string[];
let bundle: string;
let w: World;
let pooler: Pgbouncer;
let redis: RedisServer;
let rest: UpstashRest;
let blobs: Awaited<ReturnType<typeof vercelBlobServer>>;
let launched: Launched;
let url: string;
let key: string;
let spaceId: string;

beforeAll(async () => {
  config = JSON.parse(await readFile(join(root, 'vercel.json'), 'utf8')) as Config;
  included = /^\{(.+)\}\/\*\*$/.exec(config.functions[entry]?.includeFiles ?? '')?.[1]?.split(',') ?? [];
  w = await world();
  spaceId = (await newSpace(w.owner)).id;
  const createKey = 'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret } }';
  const scopes = ['tree:read', 'tree:write', 'events:read', 'spaces:read', 'search:read'];
  key = (await make<{ secret: string }>(w.owner, createKey, { name: 'test', scopes })).secret;
  pooler = await pgbouncer(w.databaseUrl, 5);
  redis = await redisServer();
  rest = await upstashRest(redis);
  blobs = await vercelBlobServer();
  bundle = await functionBundle();
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  launched = launch(settings(), { cwd: bundle, command: [process.execPath, host, join(bundle, entry), `${port}`] });
  await launched.prints('The function is called.');
}, patient);
afterAll(async () => {
  launched?.child.kill('SIGKILL');
  await rest.close();
  await redis.kill();
  await blobs.close();
  await pooler.close();
  await w.close();
  await rm(bundle, { recursive: true, force: true });
});

/** As README tells: what goes together on Vercel. */
const settings = (): Record<string, string> => ({
  VERCEL: '1',
  NODE_ENV: 'production',
  PUBLIC_URL: 'https://canopy.example.com',
  AUTH_SECRET: 'a secret for tests only, 32 characters',
  DATABASE_URL: pooler.url,
  DATABASE_POOL: '4',
  UPSTASH_REDIS_REST_URL: rest.url,
  UPSTASH_REDIS_REST_TOKEN: redisToken,
  BLOB_READ_WRITE_TOKEN: vercelToken,
  VERCEL_BLOB_API_URL: process.env['VERCEL_BLOB_API_URL'] ?? '',
  CRON_SECRET: cronSecret,
  LOG_LEVEL: 'warn',
});

/** A directory with the function and what the configuration includes, of the project nothing else. */
async function functionBundle(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'canopy-function-'));
  await mkdir(join(directory, 'api'));
  await cp(join(root, entry), join(directory, entry));
  await cp(join(root, 'package.json'), join(directory, 'package.json'));
  for (const folder of included.filter((one) => !one.startsWith('node_modules/')))
    await cp(join(root, folder), join(directory, folder), { recursive: true });
  // Packages are found by whoever bundles.
  await symlink(join(root, 'node_modules'), join(directory, 'node_modules'));
  return directory;
}

const headers = () => ({ 'content-type': 'application/json', authorization: `Bearer ${key}` });

// biome-ignore lint/suspicious/noExplicitAny: tests reach into answers of any form.
async function ask(query: string, variables: object = {}): Promise<any> {
  const body = JSON.stringify({ query, variables });
  return (await fetch(`${url}/graphql`, { method: 'POST', headers: headers(), body })).json();
}

const put = (path: string, value: unknown) =>
  ask('mutation ($input: WriteTreeNodeInput!) { writeTreeNode(input: $input) { treeNode { path } } }', {
    input: { spaceId, path, value },
  });
const clock = (path: string, authorization = `Bearer ${cronSecret}`) =>
  fetch(`${url}${path}`, { headers: { authorization } });
const events = 'subscription ($spaceId: ID!) { events(spaceId: $spaceId) { __typename ... on Event { related } } }';

describe('the function that Vercel calls', () => {
  test('answers over HTTP', async () => {
    const { viewer } = (await ask('{ viewer { spaces { nodes { id } } } }')).data;
    expect(viewer.spaces.nodes).toContainEqual({ id: spaceId });
    expect(await put('/written', 1)).toEqual({ data: { writeTreeNode: { treeNode: { path: '/written' } } } });
    for (const part of ['', '/db', '/blob', '/wakeups', '/vector'])
      expect([part, (await fetch(`${url}/api/health${part}`)).status]).toEqual([part, 200]);
  });

  test('answers over WebSocket', async () => {
    const socket = await socketTo(url);
    socket.say({ type: 'connection_init', payload: { authorization: `Bearer ${key}` } });
    await socket.hear(({ type }) => type === 'connection_ack');
    socket.say({ id: '1', type: 'subscribe', payload: { query: events, variables: { spaceId } } });
    await socket.hear(({ payload }) => payload?.data?.events.__typename === 'CaughtUp');
    await put('/heard', 1);
    await socket.hear(({ payload }) => payload?.data?.events.related?.path === '/heard');
    socket.close();
  });

  test('answers with event streams', async () => {
    const leaving = new AbortController();
    const stream = await fetch(`${url}/graphql/stream`, {
      method: 'POST',
      headers: { ...headers(), accept: 'text/event-stream' },
      body: JSON.stringify({ query: events, variables: { spaceId } }),
      signal: leaving.signal,
    });
    expect(stream.headers.get('content-type')).toContain('text/event-stream');
    let text = '';
    const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader();
    const until = async (words: string) => {
      while (!text.includes(words)) {
        const { value, done } = (await reader?.read()) ?? { value: '', done: true };
        if (done) throw new Error(`The stream ended with: ${text}`);
        text += value;
      }
    };
    await until('CaughtUp');
    await put('/streamed', 1);
    await until('/streamed');
    leaving.abort();
  });

  test(
    'does its jobs when the clock calls with the secret, and for nobody else',
    async () => {
      await put('/cake', 'We bake a walnut cake on Sundays.');
      const search =
        '{ search(text: "walnut", mode: SEMANTIC) { nodes { node { ... on TreeNode { path } } } degraded } }';
      expect((await ask(search)).data.search.nodes).toEqual([]);
      for (const { path } of config.crons) {
        expect((await clock(path, 'Bearer another')).status).toBe(401);
        expect([path, (await clock(path)).status]).toEqual([path, 200]);
      }
      // A busy machine may have no time for the meaning of a text.
      await eventually(async () =>
        expect((await ask(search)).data.search).toEqual({ nodes: [{ node: { path: '/cake' } }], degraded: [] }),
      );
    },
    patient,
  );

  test('keeps nothing on the disk, whose parts are all that is included', async () => {
    const folders = new Set(included.map((folder) => folder.split('/')[0] ?? ''));
    expect((await readdir(bundle)).sort()).toEqual([...new Set(['api', 'package.json', ...folders])].sort());
    const lines = launched.output().split('\n');
    const told = lines.filter((line) => /"level":"(warn|error)"/.test(line) && !line.includes('by meaning'));
    expect(told).toEqual([]);
  });

  test('ends in good order', async () => {
    launched.child.kill('SIGTERM');
    expect(await launched.ended).toBe(0);
    expect(rest.open).toBe(0);
  });
});

test('what the configuration names is there', async () => {
  const [name, { maxDuration }] = Object.entries(config.functions)[0] as [string, { maxDuration: number }];
  expect(config.rewrites).toEqual([{ source: '/(.*)', destination: `/${name.replace(/\.js$/, '')}` }]);
  // All plans allow as much; the routes of the clock take 50 s at most.
  expect(maxDuration).toBe(300);
  for (const folder of included) expect(await readdir(join(root, folder))).not.toEqual([]);
});

test(
  'on Vercel all settings that it cannot do without are asked for at once',
  async () => {
    const { VERCEL, NODE_ENV } = settings();
    const attempt = launch({ VERCEL: `${VERCEL}`, NODE_ENV: `${NODE_ENV}` }, { cwd: bundle });
    expect(await attempt.ended).toBe(1);
    for (const name of ['DATABASE_URL', 'BLOB_READ_WRITE_TOKEN', 'CRON_SECRET', 'AUTH_SECRET', 'PUBLIC_URL'])
      expect(attempt.output()).toMatch(new RegExp(`^  - ${name}: .+`, 'm'));
  },
  patient,
);
