import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { newKeySecret } from '../src/domains/identity/api-key.js';
import type { RunDatabase } from './data/database.js';
import { nodeForPeers, peersAreInstalled } from './peers.js';
import { inProject } from './places.js';
import { type Running, startServer } from './server-process.js';

export const systemIds = ['floor', 'canopy', 'postgraphile', 'naive'] as const;
export type SystemId = (typeof systemIds)[number];

/** A system under test: how it is called, and how it is started over a database. */
export interface System {
  readonly id: SystemId;
  readonly label: string;
  /** Why it cannot run here; null when it can. */
  missing(): string | null;
  start(databaseUrl: string): Promise<Running>;
}

const pool = 10;
const secret = randomBytes(48).toString('base64');
const tsx = ['--import', import.meta.resolve('tsx')];

/** The arguments that `npm start` gives to node. */
function asStarted(): string[] {
  const { scripts } = JSON.parse(readFileSync(inProject('package.json'), 'utf8')) as { scripts: { start: string } };
  return scripts.start
    .split(' ')
    .slice(1)
    .map((word) => (word.endsWith('.js') ? inProject(word) : word));
}

/** What a server of Canopy is started with besides. */
export interface CanopyOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly nodeArgs?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Canopy as a process in production settings. */
export const startCanopy = (
  name: string,
  databaseUrl: string,
  { headers = {}, nodeArgs = [], env = {} }: CanopyOptions = {},
) =>
  startServer(name, process.execPath, [...nodeArgs, ...asStarted()], {
    path: '/graphql',
    env: {
      // What follows from a change is done by workers of their own, as where speed matters.
      JOB_WORKERS: '0',
      DATABASE_URL: databaseUrl,
      DATABASE_POOL: `${pool}`,
      AUTH_SECRET: secret,
      PUBLIC_URL: 'http://127.0.0.1',
      HOST: '127.0.0.1',
      ...env,
    },
    headers,
  });

/** The systems over one database; for Canopy, a user of it gets an API key. */
export async function systemsOver(database: RunDatabase): Promise<Record<SystemId, System>> {
  const key = await addApiKey(database);
  return {
    floor: {
      id: 'floor',
      label: 'node:http + pg',
      missing: () => null,
      start: (url) =>
        startServer('floor', process.execPath, [...tsx, inProject('bench/servers/floor.ts')], {
          path: '/',
          env: { DATABASE_URL: url },
        }),
    },
    canopy: {
      id: 'canopy',
      label: 'Canopy',
      missing: () =>
        existsSync(inProject('dist/server/server.js')) ? null : 'dist/server is missing: npm run generate',
      start: (url) => startCanopy('canopy', url, { headers: { authorization: `Bearer ${key}` } }),
    },
    postgraphile: {
      id: 'postgraphile',
      label: 'PostGraphile 5',
      missing: () => (peersAreInstalled() ? null : 'bench/peers is not installed'),
      start: (url) =>
        startServer('postgraphile', nodeForPeers(), [inProject('bench/peers/postgraphile.mjs')], {
          path: '/graphql',
          env: { DATABASE_URL: url, GRAPHILE_ENV: 'production' },
        }),
    },
    naive: {
      id: 'naive',
      label: 'Apollo + Prisma',
      missing: () => null,
      start: (url) =>
        startServer('naive', process.execPath, [...tsx, inProject('bench/servers/naive.ts')], {
          path: '/',
          env: { DATABASE_URL: url },
        }),
    },
  };
}

/** The key of the owner of the space, who is a member of others too. */
async function addApiKey({ client }: RunDatabase): Promise<string> {
  const { secret, hash, prefix } = newKeySecret('user');
  await client.query(
    `insert into "ApiKey" (id, name, prefix, hash, "userId", scopes, "spaceIds")
     select bench.id('key', 1), 'bench', $1, $2, bench.id('user', 0), '{spaces:read,tree:read,tree:write,tasks:read,knowledge:read}', '{}'`,
    [prefix, hash],
  );
  return secret;
}
