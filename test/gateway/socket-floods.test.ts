import { once } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import { leaving } from '../../src/core/leaving.js';
import { keyOf, logLine, post, tokenOf } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { startGateway, type TestGateway } from '../support/gateway.js';
import { socketTo, type TestSocket } from '../support/socket.js';

const many = 1_000;
let gateway: TestGateway;
let strict: TestGateway;
let ada: { authorization: string };
const open: TestSocket[] = [];
beforeAll(async () => {
  gateway = await startGateway({
    sockets: {
      connections: 40,
      subscriptions: many,
      messagesPerSecond: 10 * many,
      messageBytes: 64 * 1024,
    },
  });
  strict = await startGateway({
    databaseUrl: gateway.databaseUrl,
    issuerUrl: gateway.url,
    sockets: { connections: 3 },
  });
  ada = await tokenOf(gateway);
});
afterAll(async () => {
  await strict.close();
  await gateway.close();
});
afterEach(async () => {
  for (const { socket } of open.splice(0)) socket.terminate();
  await nobodyFollows();
});

const events = 'subscription ($spaceId: ID!) { events(spaceId: $spaceId) { __typename } }';
const here = () => ({ spaceId: gateway.demo.spaceId });

async function connected(url = gateway.url, params: object = ada): Promise<TestSocket> {
  const socket = await socketTo(url);
  open.push(socket);
  await socket.init(params);
  return socket;
}

/** What follows and listens, exactly. */
const following = ({ app }: TestGateway) => ({ followers: app.tail.followers, listeners: leaving(app).listeners });
const nobodyFollows = () =>
  eventually(async () => {
    for (const one of [gateway, strict]) expect(following(one)).toEqual({ followers: 0, listeners: 0 });
  });

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
/** What is in use, once all garbage is gone. */
function heapUsed(): number {
  collect();
  return process.memoryUsage().heapUsed;
}

describe('a thousand subscriptions on one connection', () => {
  test('are a thousand followers where that is allowed, and none once they or their connection are gone', async () => {
    const socket = await connected();
    for (let at = 0; at < many; at += 1) socket.subscribe(`${at}`, events, here());
    await eventually(async () => expect(following(gateway)).toEqual({ followers: many, listeners: many }));
    expect((await socket.refusal(events, here()))[0]?.extensions.code).toBe('RATE_LIMITED');
    for (let at = 0; at < many / 2; at += 1) socket.say({ type: 'complete', id: `${at}` });
    await eventually(async () => expect(following(gateway)).toEqual({ followers: many / 2, listeners: many / 2 }));
    socket.socket.terminate();
    await nobodyFollows();
  });

  test('beyond a hundred are refused by the usual limits, and too many at once end the connection with 4429', async () => {
    const one = await connected(strict.url);
    for (let at = 0; at < many; at += 1) one.subscribe(`${at}`, events, here());
    expect((await one.closed).code).toBe(4429);
    await nobodyFollows();
  });

  test('take no memory once they are gone', async () => {
    const flood = async () => {
      const socket = await connected();
      for (let at = 0; at < many; at += 1) socket.subscribe(`${at}`, events, here());
      await eventually(async () => expect(following(gateway).followers).toBe(many));
      const full = heapUsed();
      socket.socket.terminate();
      await nobodyFollows();
      return full;
    };
    const warm = await flood();
    expect(warm).toBeGreaterThan(0);
    const level = heapUsed();
    const held = (await flood()) - level;
    for (let round = 0; round < 10; round += 1) await flood();
    // After ten thousand subscriptions there is less left than one thousand take.
    expect(heapUsed() - level).toBeLessThan(held);
  }, 120_000);

  test('that end while they begin leave nothing', async () => {
    const socket = await connected();
    for (let at = 0; at < 200; at += 1) {
      socket.subscribe(`${at}`, events, here());
      socket.say({ type: 'complete', id: `${at}` });
    }
    for (let at = 200; at < 400; at += 1) socket.subscribe(`${at}`, events, here());
    socket.socket.terminate();
    await nobodyFollows();
  });
});

describe('a malformed client is closed, and the others go on:', () => {
  const frames: readonly (readonly [string, number, (socket: WebSocket) => void])[] = [
    ['a message of null', 4400, (socket) => socket.send('null')],
    ['a message that is a list', 4400, (socket) => socket.send('[{"type":"ping"}]')],
    ['a subscription without an id', 4400, (socket) => socket.send('{"type":"subscribe","payload":{"query":"{a}"}}')],
    ['JSON that is cut off', 4400, (socket) => socket.send('{"type":"connection_init","payload":')],
    ['deeply nested JSON', 4400, (socket) => socket.send('['.repeat(20_000))],
    ['bytes that are no text', 4400, (socket) => socket.send(Buffer.from([0xff, 0xfe, 0x00, 0x80]))],
    ['a text frame that is not UTF-8', 1007, (socket) => socket.send(Buffer.from([0xc3, 0x28]), { binary: false })],
    ['a frame larger than is allowed', 1009, (socket) => socket.send('x'.repeat(64 * 1024 + 1))],
    [
      'a message in more fragments than are allowed',
      1008,
      (socket) => {
        for (let at = 0; at < 200; at += 1) socket.send('x', { fin: false });
      },
    ],
  ];
  test.each(frames)('%s', async (_, code, act) => {
    const other = await connected();
    const { socket, closed } = await socketTo(gateway.url);
    act(socket);
    expect((await closed).code).toBe(code);
    other.subscribe('1', events, here());
    await other.hear(({ type }) => type === 'next');
  });

  test('a peer that is silent is cut off', async () => {
    const brisk = await startGateway({
      databaseUrl: gateway.databaseUrl,
      issuerUrl: gateway.url,
      sockets: { pingMs: 1_000 },
    });
    const silent = new WebSocket(`${brisk.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', {
      autoPong: false,
    });
    silent.once('open', () => silent.send(JSON.stringify({ type: 'connection_init', payload: ada })));
    const [code] = (await once(silent, 'close')) as [number];
    expect(code).toBe(1006);
    await brisk.close();
  });

  test('a peer that reads nothing of what it asked for is closed with 1013', async () => {
    const query = 'mutation ($input: WriteTreeNodeInput!) { writeTreeNode(input: $input) { eventCursor } }';
    const nodes =
      'subscription ($spaceId: ID!) { events(spaceId: $spaceId) { ... on Event { resource { ... on TreeNode { value } } } } }';
    const deaf = await connected(strict.url);
    for (let at = 0; at < 45; at += 1) deaf.subscribe(`${at}`, nodes, here());
    await eventually(async () => expect(following(strict).followers).toBe(45));
    deaf.socket.pause();
    const value = 'x'.repeat(200_000);
    for (let at = 0; at < 3; at += 1)
      await post(strict.url, { query, variables: { input: { ...here(), path: '/deaf', value } } }, ada);
    await logLine(strict, ({ code }) => code === 1013);
    deaf.socket.resume();
    // What was said before may take it longer to read than is waited for.
    expect([1013, 1006]).toContain((await deaf.closed).code);
  });
});

test('a viewer has so many connections and no more, and one that ends makes room; other viewers have their own', async () => {
  for (let at = 0; at < 3; at += 1) await connected(strict.url);
  const over = await socketTo(strict.url);
  over.say({ type: 'connection_init', payload: ada });
  expect(await over.closed).toMatchObject({ code: 4403, reason: expect.stringContaining('at most 3') });
  await connected(strict.url, { authorization: keyOf(gateway) });
  open[0]?.close();
  await open[0]?.closed;
  await eventually(async () => void (await connected(strict.url)));
});
