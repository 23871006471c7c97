import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { type GatewayProcess, startProcess } from '../support/process.js';
import { seeded } from '../support/seeded.js';
import { make, newSpace } from '../support/tenancy.js';
import { type Person, type World, world } from '../support/world.js';

let w: World;
let spaceId: string;
let env: Record<string, string>;
let a: GatewayProcess;
let b: GatewayProcess;
let keys: { owner: string; editor: string };

const createKey = 'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret } }';
const keyOf = async (person: Person) =>
  (
    await make<{ secret: string }>(person, createKey, {
      name: 'test',
      scopes: ['tree:read', 'tree:write', 'events:read', 'spaces:read', 'spaces:write'],
    })
  ).secret;

beforeAll(async () => {
  w = await world();
  spaceId = (await newSpace(w.owner)).id;
  keys = { owner: await keyOf(w.owner), editor: await keyOf(w.editor) };
  env = {
    DATABASE_URL: w.databaseUrl,
    AUTH_SECRET: 'a secret for tests only, 32 characters',
    LOG_LEVEL: 'error',
    DATABASE_POOL: '10',
  };
  [a, b] = await Promise.all([startProcess(env), startProcess(env)]);
}, 60_000);
afterAll(async () => {
  await Promise.all([a?.stop(), b?.stop()]);
  await w.close();
});

interface Body {
  // biome-ignore lint/suspicious/noExplicitAny: tests reach into answers of any form.
  readonly data: any;
  readonly errors?: readonly { readonly extensions: { readonly code: string; readonly requestId: string } }[];
}

/** Sends an operation to a process; rejects when there is no answer. */
async function ask({ url }: GatewayProcess, key: string, query: string, variables: object = {}): Promise<Body> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` };
  return (
    await fetch(`${url}/graphql`, { method: 'POST', headers, body: JSON.stringify({ query, variables }) })
  ).json() as Promise<Body>;
}

const write =
  'mutation ($input: WriteTreeNodeInput!) { writeTreeNode(input: $input) { treeNode { id version } eventCursor } }';
const put = (process: GatewayProcess, path: string, value: unknown) =>
  ask(process, keys.owner, write, { input: { spaceId, path, value } });
const median = (times: number[]) => [...times].sort((x, y) => x - y)[Math.floor(times.length / 2)] ?? 0;
const tell = (text: string) => process.stderr.write(`  ${text}\n`);

test('a write through one process reaches a subscriber of the other', async () => {
  const client = createClient({
    url: `${b.url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${keys.owner}` },
  });
  const query =
    'subscription ($spaceId: ID!) { events(spaceId: $spaceId) { __typename ... on Event { related resource { id } } } }';
  const stream = client.iterate<{
    events: { __typename: string; related: { path: string }; resource: { id: string } };
  }>({ query, variables: { spaceId } });
  expect((await stream.next()).value.data.events.__typename).toBe('CaughtUp');
  await put(a, '/heard/first', 0);
  // What was said just before the start may come first.
  while ((await stream.next()).value.data.events.related.path !== '/heard/first');
  const times: number[] = [];
  for (let n = 0; n < 60; n += 1) {
    const began = performance.now();
    const heard = stream.next();
    const { data } = await put(a, `/heard/${n}`, n);
    const { events } = (await heard).value.data;
    times.push(performance.now() - began);
    expect([events.related.path, events.resource.id]).toEqual([`/heard/${n}`, data.writeTreeNode.treeNode.id]);
  }
  await stream.return?.();
  await client.dispose();
  tell(
    `from a write in one process to its subscriber in another: median ${median(times).toFixed(1)} ms, most ${Math.max(...times).toFixed(1)} ms`,
  );
  expect(median(times)).toBeLessThan(4_000);
}, 60_000);

test('what one process has written, the other reads at once', async () => {
  const read = 'query ($spaceId: ID!) { treeNode(spaceId: $spaceId, path: "/strong") { value } }';
  for (let n = 0; n < 100; n += 1) {
    await put(n % 2 ? a : b, '/strong', n);
    expect((await ask(n % 2 ? b : a, keys.owner, read, { spaceId })).data.treeNode.value).toBe(n);
  }
}, 60_000);

test('a role taken away through one process is refused by the other, and a role given counts there', async () => {
  const add = 'mutation ($input: AddSpaceMemberInput!) { addSpaceMember(input: $input) { spaceMember { role } } }';
  const remove = 'mutation ($input: RemoveSpaceMemberInput!) { removeSpaceMember(input: $input) { removedUserId } }';
  const read = 'query ($spaceId: ID!) { treeNode(spaceId: $spaceId, path: "/strong") { value } }';
  /** Asks until the answer is the wished one; answers how long that took. */
  const until = async (refused: boolean) => {
    const began = performance.now();
    for (;;) {
      const sent = performance.now();
      const { errors } = await ask(b, keys.editor, read, { spaceId });
      if ((errors?.[0]?.extensions.code === 'NOT_FOUND') === refused) return performance.now() - began;
      if (sent - began > 5_000) throw new Error('The other process has not heard of it within five seconds.');
    }
  };
  const times: number[] = [];
  for (let n = 0; n < 15; n += 1) {
    await ask(a, keys.owner, add, { input: { spaceId, user: { id: w.editor.id }, role: 'EDITOR' } });
    await until(false);
    await ask(a, keys.owner, remove, { input: { spaceId, userId: w.editor.id } });
    times.push(await until(true));
  }
  tell(
    `from a removal in one process to the refusal by another: median ${median(times).toFixed(1)} ms, most ${Math.max(...times).toFixed(1)} ms`,
  );
  expect(median(times)).toBeLessThan(4_000);
}, 60_000);

describe('a process that is killed in the middle of writing', () => {
  const pathsOf =
    'query ($spaceId: ID!, $path: TreePath!) { treeNode(spaceId: $spaceId, path: $path) { exists value version } }';
  const batch = 'mutation ($input: BatchTreeInput!) { batchTree(input: $input) { results { version } } }';
  const count = async (sql: string) =>
    (await w.app.database.query<{ n: number }>(`select count(*)::int as n from ${sql}`, []))[0]?.n;

  test('loses nothing that it acknowledged, and leaves nothing by halves', async () => {
    const { pick } = seeded(9);
    const acknowledged = new Map<string, number>();
    let running = true;
    const single = async (writer: number) => {
      for (let n = 0; running; n += 1) {
        const path = `/killed/${writer}/${n % 40}`;
        const { data } = await put(a, path, { writer, n });
        acknowledged.set(path, data.writeTreeNode.treeNode.version);
      }
    };
    const pair = async (writer: number) => {
      for (let n = 0; running; n += 1) {
        const paths = pick([
          ['a', 'b'],
          ['b', 'a'],
        ]).map((name) => `/killed/pair-${writer}/${name}`);
        const { data } = await ask(a, keys.owner, batch, {
          input: { spaceId, operations: paths.map((path) => ({ write: { path, value: n } })) },
        });
        for (const [at, path] of paths.entries()) acknowledged.set(path, data.batchTree.results[at].version);
      }
    };
    const writers = [0, 1, 2, 3, 4, 5].map((n) => single(n)).concat([0, 1, 2, 3].map((n) => pair(n)));
    const ended = Promise.allSettled(writers);
    // In full swing, however slow the machine.
    while (acknowledged.size < 80) await sleep(20);
    await a.stop('SIGKILL');
    running = false;
    expect((await ended).filter(({ status }) => status === 'rejected').length).toBeGreaterThan(0);
    a = await startProcess(env);
    for (const [path, version] of acknowledged) {
      const { data } = await ask(a, keys.owner, pathsOf, { spaceId, path });
      expect([path, data.treeNode.exists, data.treeNode.version >= version]).toEqual([path, true, true]);
    }
    const versions = await count(`"TreeNodeVersion" where path like '/killed/%'`);
    tell(`acknowledged before the kill: ${acknowledged.size} nodes, ${versions} versions in all`);
    expect(await count(`"Event" where related->>'path' like '/killed/%'`)).toBe(versions);
    expect(await count(`"AuditEvent" where path like '/killed/%' and action = 'tree.write' and success`)).toBe(
      versions,
    );
    const disagreeing = `(select v."nodeId" as id, v.version from "TreeNodeVersion" v where v.path like '/killed/%' except
      select "resourceId", (related->>'version')::int from "Event" where related->>'path' like '/killed/%') x`;
    expect(await count(disagreeing)).toBe(0);
    expect(
      await count(
        `"TreeNode" t where path like '/killed/%' and version <> (select count(*) from "TreeNodeVersion" v where v."nodeId" = t.id)`,
      ),
    ).toBe(0);
    expect(
      await count(
        `(select from "TreeNode" where path like '/killed/pair-%' group by "parentPath" having count(distinct value::text) > 1 or count(distinct version) > 1) x`,
      ),
    ).toBe(0);
    expect(
      await count(
        `(select "resourceId" from "AuditEvent" where path like '/killed/%' and action = 'tree.write' and success group by 1 having count(*) <> (select version from "TreeNode" t where t.id = "resourceId")) x`,
      ),
    ).toBe(0);
  }, 60_000);
});

test('both processes end in good order', async () => {
  expect(await Promise.all([a.stop(), b.stop()])).toEqual([0, 0]);
});
