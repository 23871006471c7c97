import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { leaving } from '../../src/core/leaving.js';
import { post, tokenOf } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { startGateway, type TestGateway } from '../support/gateway.js';
import { startProcess } from '../support/process.js';
import { socketTo, type TestSocket } from '../support/socket.js';

let gateway: TestGateway;
let ada: { authorization: string };
const open: TestSocket[] = [];
beforeAll(async () => {
  gateway = await startGateway();
  ada = await tokenOf(gateway);
});
afterAll(() => gateway.close());
afterEach(() => {
  for (const { socket } of open.splice(0)) socket.terminate();
});

const events =
  'subscription ($spaceId: ID!, $after: EventCursor) { events(spaceId: $spaceId, after: $after) { __typename ... on Event { cursor related } ... on CaughtUp { cursor } } }';
const write = 'mutation ($input: WriteTreeNodeInput!) { writeTreeNode(input: $input) { eventCursor } }';

async function connected(url: string): Promise<TestSocket> {
  const socket = await socketTo(url);
  open.push(socket);
  await socket.init(ada);
  return socket;
}

const put = async (path: string) => {
  const { body } = await post(
    gateway.url,
    { query: write, variables: { input: { spaceId: gateway.demo.spaceId, path, value: 1 } } },
    ada,
  );
  expect(body.errors).toBeUndefined();
};

const pathOf = ({ payload }: { payload?: { data?: { events?: { related?: { path?: string } } } } }) =>
  payload?.data?.events?.related?.path;
const pathsOf = (messages: TestSocket['messages']) =>
  messages.map(pathOf).filter((path) => path?.startsWith('/drain/') === true);

/** Subscribes, hears that it is there, and what is written from then on until the server goes away. */
async function heardUntilTheEnd(url: string, act: () => Promise<void>) {
  const socket = await connected(url);
  socket.subscribe('1', events, { spaceId: gateway.demo.spaceId });
  await socket.hear(({ type }) => type === 'next');
  await put('/drain/before');
  await eventually(async () => expect(pathsOf(socket.messages)).toContain('/drain/before'));
  await act();
  expect((await socket.closed).code).toBe(1001);
  // Without a word that the subscription is complete: its client begins again.
  const last = socket.messages.at(-1);
  expect(last).toMatchObject({
    id: '1',
    type: 'next',
    payload: { errors: [{ extensions: { code: 'SERVICE_UNAVAILABLE', retryable: true } }] },
  });
  return { heard: pathsOf(socket.messages), resumeFrom: last?.payload.errors[0].extensions.resumeFrom as string };
}

async function heardFrom(after: string, until: string): Promise<(string | undefined)[]> {
  const socket = await connected(gateway.url);
  socket.subscribe('1', events, { spaceId: gateway.demo.spaceId, after });
  await eventually(async () => expect(pathsOf(socket.messages)).toContain(until));
  return pathsOf(socket.messages);
}

test('whoever follows is told where to go on before the socket is closed with 1001; there, nothing is missing and nothing comes twice', async () => {
  const other = await startGateway({ databaseUrl: gateway.databaseUrl, issuerUrl: gateway.url });
  const { heard, resumeFrom } = await heardUntilTheEnd(other.url, async () => {
    for (let at = 0; at < 20; at += 1) await put(`/drain/${at}`);
    void other.close();
  });
  await put('/drain/after');
  const rest = await heardFrom(resumeFrom, '/drain/after');
  const all = ['/drain/before', ...Array.from({ length: 20 }, (_, at) => `/drain/${at}`), '/drain/after'];
  expect([...heard, ...rest]).toEqual(all);
  expect(leaving(other.app).listeners).toBe(0);
  expect(other.app.tail.followers).toBe(0);
});

test('a process that is told to end says so to each of its subscriptions, and ends', async () => {
  const child = await startProcess({
    DATABASE_URL: gateway.databaseUrl,
    AUTH_SECRET: 'a secret for tests only, 32 characters',
    PUBLIC_URL: gateway.url,
    JOB_WORKERS: '0',
  });
  let ended: Promise<number | null> = Promise.resolve(null);
  const { heard, resumeFrom } = await heardUntilTheEnd(child.url, async () => {
    ended = child.stop('SIGTERM');
  });
  expect(await ended).toBe(0);
  await put('/drain/later');
  expect([...heard, ...(await heardFrom(resumeFrom, '/drain/later'))]).toEqual(['/drain/before', '/drain/later']);
}, 60_000);

test('a subscriber who reads nothing does not hold up the end', async () => {
  const other = await startGateway({ databaseUrl: gateway.databaseUrl, issuerUrl: gateway.url });
  const socket = await connected(other.url);
  socket.subscribe('1', events, { spaceId: gateway.demo.spaceId });
  await socket.hear(({ type }) => type === 'next');
  socket.socket.pause();
  const began = performance.now();
  await other.close();
  expect(performance.now() - began).toBeLessThan(10_000);
});
