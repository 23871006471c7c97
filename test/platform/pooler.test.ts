import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { emptyDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { type Pgbouncer, pgbouncer } from '../support/pgbouncer.js';
import { connectionsTo } from '../support/pool.js';
import { type GatewayProcess, launch, startProcess } from '../support/process.js';
import { socketTo, type TestSocket } from '../support/socket.js';

const patient = 120_000;
/** Connections of the pooler to the server: far fewer than what two processes would hold. */
const serverConnections = 4;

const publicUrl = 'http://localhost:4000';

let database: Awaited<ReturnType<typeof emptyDatabase>>;
let pooler: Pgbouncer;
let a: GatewayProcess;
let b: GatewayProcess;
beforeAll(async () => {
  database = await emptyDatabase();
  pooler = await pgbouncer(database.url, serverConnections);
  const env = {
    DATABASE_URL: pooler.url,
    AUTH_SECRET: 'a secret for tests only, 32 characters',
    LOG_LEVEL: 'warn',
    PUBLIC_URL: publicUrl,
  };
  // Both bring the database up to date, through the pooler.
  [a, b] = await Promise.all([startProcess(env), startProcess(env)]);
}, patient);
afterAll(async () => {
  await Promise.all([a?.stop(), b?.stop()]);
  await pooler?.close();
  await database.drop();
});

let credential = '';
let spaceId = '';

/** Asks a process, and answers its data; rejects with its errors. */
// biome-ignore lint/suspicious/noExplicitAny: tests reach into answers of any form.
async function ask({ url }: GatewayProcess, query: string, variables: object = {}): Promise<any> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${credential}` };
  const answer = await fetch(`${url}/graphql`, { method: 'POST', headers, body: JSON.stringify({ query, variables }) });
  const { data, errors } = (await answer.json()) as { data: unknown; errors?: unknown };
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
}

async function auth(path: string, body?: object): Promise<Response> {
  const headers = {
    'content-type': 'application/json',
    origin: publicUrl,
    ...(credential && { authorization: `Bearer ${credential}` }),
  };
  const answer = await fetch(`${a.url}/api/auth${path}`, {
    headers,
    ...(body && { method: 'POST', body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer;
}

const put = (process: GatewayProcess, path: string, value: unknown) =>
  ask(process, 'mutation ($input: WriteTreeNodeInput!) { writeTreeNode(input: $input) { treeNode { version } } }', {
    input: { spaceId, path, value },
  });

/** A socket to the second process that follows the space. */
async function follower(): Promise<TestSocket> {
  const socket = await socketTo(b.url);
  socket.say({ type: 'connection_init', payload: { authorization: `Bearer ${credential}` } });
  await socket.hear(({ type }) => type === 'connection_ack');
  const query = 'subscription ($spaceId: ID!) { events(spaceId: $spaceId) { __typename ... on Event { related } } }';
  socket.say({ id: '1', type: 'subscribe', payload: { query, variables: { spaceId } } });
  await socket.hear(({ payload }) => payload?.data?.events.__typename === 'CaughtUp');
  return socket;
}

test(
  'signs up, in and on, and makes spaces and keys',
  async () => {
    const person = { email: 'ada@example.org', password: 'correct horse battery' };
    await auth('/sign-up/email', { ...person, name: 'Ada' });
    credential = (await auth('/sign-in/email', person)).headers.get('set-auth-token') ?? '';
    credential = ((await (await auth('/token')).json()) as { token: string }).token;
    expect((await ask(b, '{ viewer { user { name } } }')).viewer.user.name).toBe('Ada');
    const input = { slug: 'beds', name: 'Beds' };
    const create = 'mutation ($input: CreateSpaceInput!) { createSpace(input: $input) { space { id } } }';
    spaceId = (await ask(a, create, { input })).createSpace.space.id;
    const scopes = [
      'tree:read',
      'tree:write',
      'events:read',
      'spaces:read',
      'tasks:read',
      'tasks:write',
      'search:read',
    ];
    const key = 'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret } }';
    credential = (await ask(b, key, { input: { name: 'test', scopes } })).createApiKey.secret;
    expect((await ask(a, '{ viewer { spaces { nodes { id } } } }')).viewer.spaces.nodes).toEqual([{ id: spaceId }]);
  },
  patient,
);

test(
  'many at once write, batch, read and list, over fewer connections than they are',
  async () => {
    const batch = 'mutation ($input: BatchTreeInput!) { batchTree(input: $input) { results { version } } }';
    const at = (n: number) => (n % 2 ? a : b);
    await Promise.all(
      Array.from({ length: 60 }, async (_, n) => {
        await put(at(n), `/one/${n}`, n);
        const operations = [1, 2, 3].map((m) => ({ write: { path: `/many/${n}/${m}`, value: m } }));
        await ask(at(n), batch, { input: { spaceId, operations } });
        const read =
          'query ($spaceId: ID!, $path: TreePath!) { treeNode(spaceId: $spaceId, path: $path) { value version } }';
        expect((await ask(at(n + 1), read, { spaceId, path: `/one/${n}` })).treeNode).toEqual({ value: n, version: 1 });
      }),
    );
    const list =
      'query ($id: ID!) { space(by: { id: $id }) { tree(pathPrefix: "/one", first: 100) { nodes { path } totalCount } } }';
    expect((await ask(a, list, { id: spaceId })).space.tree.totalCount).toBe(60);
  },
  patient,
);

test(
  'a repeated call with one key is done once, though both come at the same time',
  async () => {
    const write = `mutation ($input: WriteTreeNodeInput!, $key: String!) {
      writeTreeNode(input: $input) @idempotent(key: $key) { treeNode { version } } }`;
    const key = randomUUID();
    const twice = await Promise.all(
      [a, b].map((process) => ask(process, write, { input: { spaceId, path: '/twice', value: 1 }, key })),
    );
    expect(twice.map(({ writeTreeNode }) => writeTreeNode.treeNode.version)).toEqual([1, 1]);
  },
  patient,
);

test(
  'jobs are done behind a change: what was written is found, and a task runs to its end',
  async () => {
    await put(a, '/cake', 'We bake a walnut cake on Sundays.');
    const search =
      'query ($text: String!) { search(text: $text, mode: EXACT) { nodes { node { ... on TreeNode { path } } } } }';
    await eventually(async () =>
      expect((await ask(b, search, { text: 'walnut' })).search.nodes).toEqual([{ node: { path: '/cake' } }]),
    );
    const create = 'mutation ($input: CreateTaskInput!) { createTask(input: $input) { task { id } } }';
    const { id } = (await ask(a, create, { input: { spaceId, type: 'tree.checksum' } })).createTask.task;
    await eventually(async () =>
      expect((await ask(b, 'query ($id: ID!) { task(id: $id) { status } }', { id })).task.status).toBe('COMPLETED'),
    );
  },
  patient,
);

test(
  'a subscriber of one process hears what is written through the other, in order and within the slow poll',
  async () => {
    const socket = await follower();
    for (let n = 0; n < 5; n += 1) {
      await put(a, `/heard/${n}`, n);
      const { payload } = await socket.hear(({ payload }) =>
        `${payload?.data?.events.related?.path}`.startsWith('/heard'),
      );
      expect(payload.data.events.related.path).toBe(`/heard/${n}`);
    }
    socket.close();
  },
  patient,
);

test('nothing is left in the sessions of the server', async () => {
  const direct = connectionsTo(database.url, 1);
  const locks = `select l.locktype from pg_locks l join pg_database d on d.oid = l.database
    where d.datname = current_database() and l.locktype = 'advisory'`;
  await eventually(async () => expect((await direct.query(locks)).rows).toEqual([]));
  const sessions = 'select from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()';
  expect((await direct.query(sessions)).rows.length).toBeLessThanOrEqual(serverConnections);
  await direct.end();
  // What would not work behind a pooler would be told.
  expect([a.output(), b.output()].join('\n')).not.toMatch(/"level":"(warn|error)"/);
});

test(
  'when the pooler has ended and is there again, all goes on by itself, and a subscriber has missed nothing',
  async () => {
    const socket = await follower();
    await pooler.restart();
    for (let n = 0; n < 3; n += 1) {
      // What was cut off may have been in use.
      await eventually(async () => void (await put(a, `/again/${n}`, n)));
      await socket.hear(({ payload }) => payload?.data?.events.related?.path === `/again/${n}`);
    }
    await put(a, '/pie', 'We bake a quince pie on Mondays.');
    const search = '{ search(text: "quince", mode: EXACT) { nodes { node { ... on TreeNode { path } } } } }';
    await eventually(async () => expect((await ask(b, search)).search.nodes).toEqual([{ node: { path: '/pie' } }]));
    socket.close();
  },
  patient,
);

test(
  'a pooler that is not named as one is told apart from a server',
  async () => {
    const attempt = launch({ DATABASE_URL: pooler.plainUrl, CANOPY_HOME: '/tmp', PORT: '0' });
    expect(await attempt.ended).toBe(1);
    expect(attempt.output()).toContain('leads through a pooler. Add pgbouncer=true');
  },
  patient,
);
