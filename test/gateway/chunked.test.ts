import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { chunkLimits } from '../../src/domains/realtime/message-chunks.js';
import { cleanUp } from '../../src/jobs/clean-up.js';
import { chunkedProtocol, chunking, chunkOf, isChunk, pieces, split } from '../../src/protocol/chunks.js';
import { keyOf, post, tokenOf } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { startGateway, type TestGateway } from '../support/gateway.js';
import { socketTo, type TestSocket } from '../support/socket.js';

let gateway: TestGateway;
/** A second process on the same database. */
let other: TestGateway;
let ada: { authorization: string };
let clockOffset = 0;
const open: TestSocket[] = [];
const now = () => new Date(Date.now() + clockOffset);

beforeAll(async () => {
  gateway = await startGateway({ now });
  other = {
    ...(await startGateway({ databaseUrl: gateway.databaseUrl, issuerUrl: gateway.url, now })),
    demo: gateway.demo,
  };
  ada = await tokenOf(gateway);
});
afterAll(async () => {
  await other.close();
  await gateway.close();
});
afterEach(async () => {
  clockOffset = 0;
  for (const { socket } of open.splice(0)) socket.terminate();
});

const minuteMs = 60_000;
const rows = () => gateway.app.database.prisma.messageChunk.count();
const none = () => eventually(async () => expect(await rows()).toBe(0));

async function connected(at: TestGateway, params: object = ada): Promise<TestSocket> {
  const socket = await socketTo(at.url, { protocol: chunkedProtocol });
  open.push(socket);
  await socket.init(params);
  return socket;
}

const query = (name: string) =>
  `subscription ${name}($spaceId: ID!, $types: [String!]) { events(spaceId: $spaceId, types: $types) { __typename ... on Event { type related } } }`;

/** A subscription of at least so many bytes. What it asks for stands at its very end. */
const subscription = (name: string, bytes: number) => {
  const types = Array.from({ length: Math.ceil(bytes / 20) }, (_, at) => `nothing.${String(at).padStart(9, '0')}`);
  const variables = { spaceId: gateway.demo.spaceId, types: [...types, 'tree.written'] };
  return JSON.stringify({ type: 'subscribe', id: name, payload: { query: query(name), variables } });
};

const begun = (name: string) =>
  [gateway, other]
    .flatMap(({ lines }) => lines.map((line) => JSON.parse(line)))
    .filter(({ message, operation }) => message === 'subscription' && operation === name);

async function put(path: string, value: unknown): Promise<void> {
  const write = 'mutation ($input: WriteTreeNodeInput!) { writeTreeNode(input: $input) { eventCursor } }';
  const input = { spaceId: gateway.demo.spaceId, path, value };
  const { code, text } = await post(gateway.url, { query: write, variables: { input } }, ada);
  if (code) throw new Error(text);
}

test('the pieces of one message, sent to two servers, out of order and twice, are executed once', async () => {
  const [here, there] = [await connected(gateway), await connected(other)];
  const frames = split(subscription('Twice', 1_300_000), () => 'one-message');
  expect(frames.length).toBe(9);
  for (const [at, frame] of frames.toReversed().entries()) {
    const [first, second] = at % 2 === 0 ? [here, there] : [there, here];
    first.say(frame);
    second.say(frame);
    first.say(frame);
  }
  await eventually(async () => expect([...here.messages, ...there.messages]).toHaveLength(1));
  expect(begun('Twice')).toHaveLength(1);
  await put('/chunked/twice', 1);
  await eventually(async () =>
    expect([...here.messages, ...there.messages].map(({ payload }) => payload.data.events)).toEqual([
      { __typename: 'CaughtUp' },
      { __typename: 'Event', type: 'tree.written', related: expect.objectContaining({ path: '/chunked/twice' }) },
    ]),
  );
  // Late pieces begin nothing, whoever gets them.
  for (const frame of frames) there.say(frame);
  there.say({ type: 'ping' });
  await there.hear(({ type }) => type === 'pong');
  expect(begun('Twice')).toHaveLength(1);
  await none();
});

test('five megabytes of variables are taken, and five megabytes of results given', async () => {
  const socket = await connected(gateway);
  const long = split(subscription('Large', 5 * 1024 * 1024), () => 'large');
  expect(long.length).toBeLessThan(40);
  for (const frame of long) socket.say(frame);
  await socket.hear(({ id }) => id === 'Large');
  expect(begun('Large')).toHaveLength(1);
  await none();

  const value = 'é'.repeat(120_000);
  for (let at = 0; at < 23; at += 1) await put(`/chunked/large/${at}`, value);
  const whole =
    'subscription ($spaceId: ID!) { events(spaceId: $spaceId) { ... on Event { resource { ... on TreeNode { path children(first: 30) { nodes { value } } } } } } }';
  socket.subscribe('whole', whole, { spaceId: gateway.demo.spaceId });
  await socket.hear(({ id, payload }) => id === 'whole' && payload.data.events);
  socket.messages.length = 0;
  const frames: string[] = [];
  socket.socket.on('message', (data) => frames.push(String(data)));
  await put('/chunked/large', 'changed');
  const all = pieces();
  await eventually(async () => {
    const found = frames.splice(0).map((frame) => ({ frame, chunk: isChunk(frame) ? chunkOf(frame, 100) : null }));
    for (const { frame } of found) expect(Buffer.byteLength(frame)).toBeLessThanOrEqual(chunking.frameBytes);
    const message = found.map(({ chunk }) => chunk && all.add(chunk)).find((text) => text?.includes('/chunked/large"'));
    const { path, children } = JSON.parse(message ?? '{}').payload.data.events.resource;
    expect(path).toBe('/chunked/large');
    expect(Buffer.byteLength(message ?? '')).toBeGreaterThan(5 * 1024 * 1024);
    expect(children.nodes.map((node: { value: string }) => node.value)).toEqual(Array(23).fill(value));
  });
});

test('below 230 KB a frame is the message, the same as in the plain protocol', async () => {
  await put('/chunked/plain', 'x'.repeat(229 * 1024 - 300));
  const frames = await Promise.all(
    ['graphql-transport-ws', chunkedProtocol].map(async (protocol) => {
      const socket = await socketTo(gateway.url, { protocol });
      open.push(socket);
      await socket.init(ada);
      const heard: string[] = [];
      socket.socket.on('message', (data) => heard.push(String(data)));
      const after = Buffer.from('0.0').toString('base64url');
      const changes =
        'subscription ($spaceId: ID!, $after: EventCursor) { treeChanged(spaceId: $spaceId, after: $after, pathPrefix: "/chunked/plain") { path node { value } } }';
      socket.subscribe('1', changes, { spaceId: gateway.demo.spaceId, after });
      await socket.hear(({ type }) => type === 'next');
      return heard[0] ?? '';
    }),
  );
  expect(frames[0]?.length).toBeGreaterThan(229 * 1024 - 300);
  expect(frames[1]).toBe(frames[0]);
});

test('what is not complete within a minute is an error, and is gone', async () => {
  const socket = await connected(gateway);
  const [first, ...rest] = split(subscription('Late', 300_000), () => 'late');
  socket.say(first);
  await eventually(async () => expect(await rows()).toBe(1));
  clockOffset = minuteMs - 5_000;
  socket.say({ type: 'ping' });
  await socket.hear(({ type }) => type === 'pong');
  expect(await rows()).toBe(1);
  clockOffset = minuteMs + 1;
  expect(await socket.closed).toEqual({ code: 4408, reason: 'A message in pieces has 60 seconds' });
  await none();
  const again = await connected(other);
  for (const frame of rest) again.say(frame);
  await eventually(async () => expect(await rows()).toBe(rest.length));
  expect(begun('Late')).toEqual([]);
  clockOffset = 2 * minuteMs + 2;
  expect((await again.closed).code).toBe(4408);
  await none();
});

test('a piece that comes after the minute ends its message at once, wherever the others went', async () => {
  const [first, second] = split(subscription('Overdue', 300_000), () => 'overdue');
  await orphan('overdue', first);
  clockOffset = minuteMs;
  const socket = await connected(gateway);
  socket.say(second);
  expect((await socket.closed).code).toBe(4408);
  await none();
});

/** A piece that a server has kept which then was gone. */
async function orphan(id: string, frame: string | undefined): Promise<void> {
  const lost = await startGateway({ databaseUrl: gateway.databaseUrl, issuerUrl: gateway.url, now });
  const socket = await connected(lost);
  socket.say(frame?.replace('"id":"one"', `"id":${JSON.stringify(id)}`));
  await eventually(async () => expect(await rows()).toBe(1));
  await lost.close();
  expect(await rows()).toBe(1);
}

test('what a lost server kept is swept after an hour', async () => {
  const [first] = split(subscription('Orphan', 300_000), () => 'one');
  await orphan('orphan', first);
  clockOffset = 60 * minuteMs - 5_000;
  await cleanUp(gateway.app);
  expect(await rows()).toBe(1);
  clockOffset = 60 * minuteMs + 1;
  await cleanUp(gateway.app);
  expect(await rows()).toBe(0);
});

test("nobody's pieces complete another's message, nor are they in its way", async () => {
  const [mine, theirs] = [await connected(gateway), await connected(other, await tokenOf(gateway, 1))];
  const again = await connected(gateway, await tokenOf(gateway));
  const [first, second] = split(subscription('Mine', 300_000), () => 'shared');
  theirs.say(second);
  again.say(second);
  await eventually(async () => expect(await rows()).toBe(2));
  mine.say(first);
  await eventually(async () => expect(await rows()).toBe(3));
  expect(begun('Mine')).toEqual([]);
  mine.say(second);
  await mine.hear(({ id }) => id === 'Mine');
  expect(begun('Mine')).toHaveLength(1);
  for (const socket of [theirs, again]) socket.say(first);
  for (const socket of [theirs, again]) await socket.hear(({ id }) => id === 'Mine');
  await none();
});

test('pieces are bounded: in a message, and for whoever sends them', async () => {
  const [frame = ''] = split(subscription('Many', 300_000), () => 'many-0');
  const long = await connected(gateway);
  long.say(frame.replace('"total":2', `"total":${chunkLimits.message + 1}`));
  expect((await long.closed).code).toBe(4400);
  const sockets = [await connected(gateway), await connected(other), await connected(gateway)];
  for (let at = 0; at <= chunkLimits.sender; at += 1)
    sockets[Math.floor(at / 40)]?.say(frame.replace('many-0', `many-${at}`).replace(/"data":"[^"]+"/, '"data":"AAAA"'));
  const { code, reason } = await Promise.race(sockets.map(({ closed }) => closed));
  expect({ code, reason }).toEqual({ code: 1009, reason: `At most ${chunkLimits.sender} pieces may wait` });
  await eventually(async () => expect(await rows()).toBe(chunkLimits.sender));
  clockOffset = minuteMs + 1;
  await none();
});

test('pieces that break the protocol end the connection', async () => {
  const [frame = '', second = ''] = split(subscription('Broken', 300_000), () => 'broken');
  const before = await socketTo(gateway.url, { protocol: chunkedProtocol });
  open.push(before);
  before.say(frame);
  expect((await before.closed).code).toBe(4401);
  const unlike = await connected(gateway);
  unlike.say(frame);
  unlike.say(second.replace('"total":2', '"total":3'));
  expect((await unlike.closed).code).toBe(4400);
  await none();
  const binary = await connected(gateway);
  binary.say('{"type":"chunk","id":"bytes","index":0,"total":1,"data":"/w=="}');
  expect((await binary.closed).code).toBe(4400);
  await none();
  const unknown = await socketTo(gateway.url);
  open.push(unknown);
  await unknown.init({ authorization: keyOf(gateway) });
  unknown.say(frame);
  expect((await unknown.closed).code).toBe(4400);
});
