import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import { canopyClient } from '../../src/client/client.js';
import { type ConnectionState, type LiveClient, type LiveOptions, liveClient } from '../../src/client/live.js';
import type { Disconnection } from '../../src/client/transport.js';
import { FollowEventsDocument, FollowTreeDocument, WriteNodeDocument } from '../../src/generated/client.js';
import { send, tokenOf } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { startGateway, type TestGateway } from '../support/gateway.js';
import { type FaultyProxy, proxyTo } from '../support/proxy.js';

let gateway: TestGateway;
/** Another process on the same database, and the network before each. */
let other: TestGateway;
let network: FaultyProxy;
const open: LiveClient[] = [];

beforeAll(async () => {
  gateway = await startGateway();
  other = await startGateway({ databaseUrl: gateway.databaseUrl, issuerUrl: gateway.url });
  network = await proxyTo(gateway.demo.graphql);
});
afterAll(async () => {
  await network.close();
  await other.close();
  await gateway.close();
});
afterEach(() => {
  for (const client of open.splice(0)) client.close();
});

const key = () => gateway.demo.apiKeys[0]?.key ?? '';
const pauses = { leastMs: 5, mostMs: 50 };

function live(options: Partial<LiveOptions> = {}): LiveClient {
  const client = liveClient({ url: network.url, credential: key, webSocket: WebSocket, pauses, ...options });
  open.push(client);
  return client;
}

const spaceId = () => gateway.demo.spaceId;
let writes = 0;

async function put(path: string, value: unknown): Promise<string> {
  const client = canopyClient({ url: gateway.demo.graphql, credential: key });
  const input = { spaceId: spaceId(), path, value };
  const { writeTreeNode } = await client.run(WriteNodeDocument, { input, key: `live-${(writes += 1)}` });
  return writeTreeNode.eventCursor ?? '';
}

/** The version of the next change after that one: while others write, a cursor may stand a little before the change that it came with. */
async function nextAfter(
  version: number,
  changes: AsyncIterator<{ treeChanged: { version: number } }>,
): Promise<number> {
  for (;;) {
    const { done, value } = await changes.next();
    if (done) throw new Error('Nothing more is followed.');
    if (value.treeChanged.version > version) return value.treeChanged.version;
  }
}

/** Resolves at the first state of this phase from now on. */
const reaches = (client: LiveClient, phase: ConnectionState['phase']) =>
  new Promise<ConnectionState>((resolve) => {
    const stop = client.onState((state) => {
      if (state.phase !== phase) return;
      stop();
      resolve(state);
    });
  });

describe.each(['websocket', 'sse'] as const)('over a network that is cut again and again, by %s', (transport) => {
  const place = `/live/${transport}`;

  test('each change comes once and in order', async () => {
    const from = await put(`${place}/cuts`, 0);
    const client = live({ transport });
    const versions: number[] = [];
    const phases: string[] = [];
    client.onState(({ phase }) => phases.push(phase));
    const leaving = new AbortController();
    const followed = (async () => {
      const changes = client.follow(
        FollowTreeDocument,
        { spaceId: spaceId(), pathPrefix: `${place}/cuts`, after: from },
        { signal: leaving.signal },
      );
      for await (const { treeChanged } of changes) versions.push(treeChanged.version);
    })();
    const last = 120;
    let cuts = 0;
    for (let version = 2; version <= last; version += 1) {
      await put(`${place}/cuts`, version);
      if (version % 3 !== 0) continue;
      // Some are cut as they are connected to, some in the middle of a delivery, some while nothing happens.
      if (client.state.phase !== 'connected') await reaches(client, 'connected');
      network.cut();
      cuts += 1;
    }
    await eventually(async () => expect(versions.at(-1)).toBe(last));
    leaving.abort();
    await followed;
    expect(cuts).toBeGreaterThan(35);
    // While others write, a cursor may stand a little before the change that it came with.
    const later = versions[0] === 1 ? versions.slice(1) : versions;
    expect(later).toEqual(Array.from({ length: last - 1 }, (_, at) => at + 2));
    expect(phases.filter((phase) => phase === 'waiting').length).toBeGreaterThan(30);
  });

  test('a server that is gone is waited for, and several that are followed go on together', async () => {
    const from = await put(`${place}/gone/a`, 0);
    await put(`${place}/gone/b`, 0);
    const client = live({ transport });
    const heard: Record<string, number[]> = { a: [], b: [] };
    const leaving = new AbortController();
    const follow = async (name: string) => {
      const variables = { spaceId: spaceId(), pathPrefix: `${place}/gone/${name}`, after: from };
      for await (const { treeChanged } of client.follow(FollowTreeDocument, variables, { signal: leaving.signal }))
        heard[name]?.push(treeChanged.version);
    };
    const followed = [follow('a'), follow('b')];
    await eventually(async () => expect(heard['b']).toEqual([1]));
    await network.refuse();
    await reaches(client, 'connecting');
    expect((await reaches(client, 'waiting')).reason?.kind).toBe('passing');
    await put(`${place}/gone/a`, 1);
    await put(`${place}/gone/b`, 1);
    await network.resume();
    await eventually(async () => expect(heard).toEqual({ a: [2], b: [1, 2] }));
    // One connection for both, or one for each.
    expect(network.open).toBe(transport === 'sse' ? 2 : 1);
    leaving.abort();
    await Promise.all(followed);
    if (client.state.phase !== 'idle') await reaches(client, 'idle');
  });

  test('it is refused with the code that the server says', async () => {
    const nowhere = { spaceId: 'space_00000000000000000000000000' };
    const refused = (options: Partial<LiveOptions>, variables: object) =>
      live({ transport, ...options })
        .follow(FollowEventsDocument, { spaceId: spaceId(), ...variables })
        .next();
    await expect(refused({}, nowhere)).rejects.toMatchObject({ name: 'OperationError', code: 'NOT_FOUND' });
    await expect(refused({}, { after: '?' })).rejects.toMatchObject({ name: 'OperationError', code: 'BAD_USER_INPUT' });
    let asked = 0;
    const credential = () => `cnp_nothing${(asked += 1)}`;
    await expect(refused({ credential }, {})).rejects.toMatchObject(
      transport === 'sse' ? { name: 'OperationError', code: 'UNAUTHENTICATED' } : { kind: 'final', code: 4403 },
    );
    expect(asked).toBe(1);
  });

  test('it ends by return, also while it waits, and the connection with it; and when the client is closed', async () => {
    const client = live({ transport });
    const events = client.follow(FollowEventsDocument, { spaceId: spaceId() });
    expect((await events.next()).value?.events.__typename).toBe('CaughtUp');
    const waiting = events.next();
    const idle = reaches(client, 'idle');
    await events.return?.();
    expect((await waiting).done).toBe(true);
    await idle;
    const again = client.follow(FollowEventsDocument, { spaceId: spaceId() });
    await again.next();
    const coming = again.next();
    client.close();
    await expect(coming).rejects.toMatchObject({
      name: 'Disconnection',
      kind: 'final',
    } satisfies Partial<Disconnection>);
    expect(client.state.phase).toBe('closed');
    expect(() => client.follow(FollowEventsDocument, { spaceId: spaceId() })).toThrow('closed');
  });
});

describe('over a socket', () => {
  test('a network that takes everything and says nothing is given up', async () => {
    const from = await put('/live/silent', 0);
    const client = live();
    const changes = client.follow(FollowTreeDocument, { spaceId: spaceId(), pathPrefix: '/live/silent', after: from });
    const coming = changes.next();
    await reaches(client, 'connected');
    network.hang();
    await put('/live/silent', 1);
    expect((await reaches(client, 'waiting')).reason).toMatchObject({ kind: 'passing', code: 4499 });
    await network.resume();
    const first = (await coming).value?.treeChanged.version;
    expect(first === 1 ? await nextAfter(1, changes) : first).toBe(2);
    await changes.return?.();
  });

  test('it goes on at another server', async () => {
    const from = await put('/live/elsewhere', 0);
    const ending = await startGateway({ databaseUrl: gateway.databaseUrl, issuerUrl: gateway.url });
    let at = ending;
    const sockets: string[] = [];
    // What a proxy does that leads to any of several servers.
    class Anywhere extends WebSocket {
      constructor(_: string, protocols: string[]) {
        super(`${at.url.replace('http', 'ws')}/graphql`, protocols);
        sockets.push(at.url);
      }
    }
    const client = live({ webSocket: Anywhere });
    const variables = { spaceId: spaceId(), pathPrefix: '/live/elsewhere', after: from };
    const changes = client.follow(FollowTreeDocument, variables);
    await put('/live/elsewhere', 1);
    expect(await nextAfter(1, changes)).toBe(2);
    at = other;
    await ending.close();
    await put('/live/elsewhere', 2);
    expect((await changes.next()).value?.treeChanged.version).toBe(3);
    expect(sockets).toEqual([ending.url, other.url]);
    await changes.return?.();
  });
  test('is all there for whoever takes it slowly, and little of it waits in memory', async () => {
    const from = await put('/live/slow', 0);
    const operations = Array.from({ length: 25 }, (_, at) => ({ write: { path: `/live/slow/${at}`, value: at } }));
    for (let batch = 0; batch < 50; batch += 1) {
      const body = JSON.stringify({ spaceId: spaceId(), operations });
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${key()}` };
      expect((await send(`${gateway.url}/api/data/batch`, { method: 'POST', headers, body })).status).toBe(200);
    }
    const client = live();
    const changes = client.follow(FollowTreeDocument, { spaceId: spaceId(), pathPrefix: '/live/slow', after: from });
    const seen = [(await changes.next()).value?.treeChanged];
    // A thousand have come and nobody took them: the server is left, and with it the connection.
    await reaches(client, 'idle');
    while (seen.length < 1_250) seen.push((await changes.next()).value?.treeChanged);
    expect(new Set(seen.map((change) => `${change?.path} ${change?.version}`)).size).toBe(1_250);
    expect(new Set(seen.map((change) => change?.cursor)).size).toBe(1_250);
    await changes.return?.();
  });
});

test('what is too long for a frame goes and comes in pieces, and a burst no faster than the server listens', async () => {
  await put('/live/long', 'x'.repeat(250_000));
  const sentAt: number[] = [];
  class Counting extends WebSocket {
    override send(data: string): void {
      sentAt.push(performance.now());
      super.send(data);
    }
  }
  const client = live({ webSocket: Counting });
  const types = [...Array.from({ length: 60_000 }, (_, at) => `nothing.${at}-${at}`), 'tree.written'];
  const before = await put('/live/longer', 'é'.repeat(125_000));
  const leaving = new AbortController();
  // More than the server takes in a second.
  const many = Array.from({ length: 90 }, () =>
    client.follow(FollowEventsDocument, { spaceId: spaceId() }, { signal: leaving.signal }),
  );
  const long = client.follow(FollowEventsDocument, { spaceId: spaceId(), types, after: before });
  const value = client.follow(FollowTreeDocument, { spaceId: spaceId(), pathPrefix: '/live', after: before });
  const begun = Promise.all([...many, long].map((events) => events.next()));
  await put('/live/long', 'y'.repeat(250_000));
  for (const { value: first } of await begun) expect(first?.events.__typename).toMatch(/CaughtUp|Event/);
  const { value: change } = await value.next();
  expect(change?.treeChanged).toMatchObject({ path: '/live/long', node: { value: 'y'.repeat(250_000) } });
  expect(client.state.phase).toBe('connected');
  expect(sentAt.length).toBeGreaterThan(100);
  // A timer may be early by a little.
  for (const [at, sent] of sentAt.entries())
    expect((sentAt[at + 42] ?? Number.POSITIVE_INFINITY) - sent).toBeGreaterThan(950);
  leaving.abort();
});

describe.each(['websocket', 'sse'] as const)('a token, by %s', (transport) => {
  let offset = 0;
  let clocked: TestGateway;
  beforeAll(async () => {
    clocked = await startGateway({ now: () => new Date(Date.now() + offset) });
  });
  afterAll(() => clocked.close());

  /** What came, and how often a token was asked for. */
  async function following(path: string) {
    let asked = 0;
    const credential = async () => {
      asked += 1;
      return (await tokenOf(clocked)).authorization.slice('Bearer '.length);
    };
    const client = live({ url: clocked.demo.graphql, credential, transport });
    const writer = canopyClient({ url: clocked.demo.graphql, credential });
    const write = async (value: number) => {
      const input = { spaceId: clocked.demo.spaceId, path, value };
      const { writeTreeNode } = await writer.run(WriteNodeDocument, { input, key: `${path}-${value}` });
      return writeTreeNode.eventCursor;
    };
    const after = await write(1);
    asked = 0;
    const changes = client.follow(FollowTreeDocument, { spaceId: clocked.demo.spaceId, pathPrefix: path, after });
    return { client, write, changes, asked: () => asked };
  }

  test('is asked for anew before it runs out', async () => {
    // Tokens count for fifteen minutes from when this server believes it to be.
    offset = -(15 * 60 - 15) * 1_000;
    const { client, write, changes, asked } = await following(`/live/${transport}/renewed`);
    const phases: string[] = [];
    client.onState(({ phase }) => phases.push(phase));
    const coming = changes.next();
    await reaches(client, 'connected');
    await reaches(client, 'connected');
    expect(phases).not.toContain('waiting');
    expect(client.state.reason?.kind).toBe('planned');
    expect(asked()).toBe(2);
    await write(2);
    const first = (await coming).value?.treeChanged.version;
    expect(first === 1 ? await nextAfter(1, changes) : first).toBe(2);
    await changes.return?.();
  });

  test('is asked for anew when it has run out meanwhile', async () => {
    offset = 0;
    const { client, write, changes, asked } = await following(`/live/${transport}/expired`);
    const coming = changes.next();
    await reaches(client, 'connected');
    offset = 20 * 60 * 1_000;
    expect((await reaches(client, 'waiting')).reason).toMatchObject({
      kind: 'passing',
      code: transport === 'sse' ? null : 4403,
    });
    await reaches(client, 'connected');
    expect(asked()).toBe(2);
    await write(2);
    const first = (await coming).value?.treeChanged.version;
    expect(first === 1 ? await nextAfter(1, changes) : first).toBe(2);
    await changes.return?.();
  });
});
