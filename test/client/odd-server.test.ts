import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { WebSocket, WebSocketServer } from 'ws';
import { type LiveClient, liveClient } from '../../src/client/live.js';
import { FollowEventsDocument, type FollowEventsSubscription } from '../../src/generated/client.js';
import { chunkedProtocol } from '../../src/protocol/chunks.js';

type Delivery = FollowEventsSubscription['events'];

/** What a server does with one subscription: what it says, and how it ends it. */
interface Part {
  readonly says: readonly (
    | Delivery
    | { readonly code: string; readonly retryable?: boolean; readonly resumeFrom?: string }
  )[];
  /** A close code; `complete`; or nothing more. */
  readonly ending?: number | 'complete';
}

const open: { close(): unknown }[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

/** A server that speaks the plain protocol, plays these parts one after the other, and tells what it was asked. */
async function playing(
  ...parts: readonly Part[]
): Promise<{ client: LiveClient; asked: unknown[]; offered: string[] }> {
  const left = [...parts];
  const asked: unknown[] = [];
  const offered: string[] = [];
  const server = new WebSocketServer({
    port: 0,
    handleProtocols(protocols) {
      offered.push(...protocols);
      return 'graphql-transport-ws';
    },
  });
  await once(server, 'listening');
  server.on('connection', (socket) => {
    const say = (message: object) => socket.send(JSON.stringify(message));
    socket.on('message', (data) => {
      const { type, id, payload } = JSON.parse(String(data));
      if (type === 'connection_init') say({ type: 'connection_ack' });
      if (type !== 'subscribe') return;
      asked.push(payload.variables.after);
      const part = left.shift();
      for (const said of part?.says ?? [])
        say(
          'code' in said
            ? { type: 'next', id, payload: { errors: [{ message: said.code, extensions: said }] } }
            : { type: 'next', id, payload: { data: { events: said } } },
        );
      if (part?.ending === 'complete') say({ type: 'complete', id });
      else if (part?.ending) socket.close(part.ending);
    });
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`;
  const client = liveClient({ url, webSocket: WebSocket, pauses: { leastMs: 1, mostMs: 10 } });
  open.push(client, server);
  return { client, asked, offered };
}

const event = (cursor: string): Delivery => ({
  __typename: 'Event',
  cursor,
  type: 'tree.written',
  resourceType: 'TreeNode',
  resourceId: 'node_1',
  related: {},
  occurredAt: '2026-01-01T00:00:00.000Z',
});
const caughtUp = (cursor: string): Delivery => ({ __typename: 'CaughtUp', cursor });

/** Everything until its end. */
async function heard(client: LiveClient): Promise<string[]> {
  const all: string[] = [];
  for await (const { events } of client.follow(FollowEventsDocument, { spaceId: 'space_1', after: 'from' }))
    all.push(`${events.__typename} ${'cursor' in events ? events.cursor : ''}`);
  return all;
}

test('a server that repeats itself is heard once; what only has the same cursor is another thing', async () => {
  const { client, asked, offered } = await playing(
    { says: [event('a'), event('a'), event('b'), caughtUp('b')], ending: 1001 },
    { says: [event('a'), event('b'), caughtUp('b'), event('c')], ending: 1012 },
    { says: [caughtUp('c')], ending: 'complete' },
  );
  expect(await heard(client)).toEqual(['Event a', 'Event b', 'CaughtUp b', 'Event c', 'CaughtUp c']);
  expect(asked).toEqual(['from', 'b', 'c']);
  expect(offered.slice(0, 2)).toEqual([chunkedProtocol, 'graphql-transport-ws']);
});

test('what a server left out is asked for again, and nobody notices', async () => {
  const { client, asked } = await playing(
    { says: [event('a'), { __typename: 'Lagged', missed: 2, resumeFrom: 'a' }, event('d')] },
    { says: [event('b'), event('c'), event('d')], ending: 'complete' },
  );
  expect(await heard(client)).toEqual(['Event a', 'Event b', 'Event c', 'Event d']);
  expect(asked).toEqual(['from', 'a']);
});

test('an error that may pass is tried again behind the last delivery; any other is the end', async () => {
  const { client, asked } = await playing(
    { says: [event('a'), { code: 'SERVICE_UNAVAILABLE', retryable: true }], ending: 'complete' },
    { says: [event('b'), { code: 'CURSOR_EXPIRED' }], ending: 'complete' },
  );
  const events = client.follow(FollowEventsDocument, { spaceId: 'space_1', after: null });
  expect((await events.next()).value?.events).toEqual(event('a'));
  expect((await events.next()).value?.events).toEqual(event('b'));
  await expect(events.next()).rejects.toMatchObject({ name: 'OperationError', code: 'CURSOR_EXPIRED' });
  expect((await events.next()).done).toBe(true);
  expect(asked).toEqual([null, 'a']);
});

test('a server that goes away says where to resume, also before the first delivery', async () => {
  const { client, asked } = await playing(
    { says: [{ code: 'SERVICE_UNAVAILABLE', retryable: true, resumeFrom: 'here' }], ending: 1001 },
    { says: [event('a')], ending: 'complete' },
  );
  expect(await heard(client)).toEqual(['Event a']);
  expect(asked).toEqual(['from', 'here']);
});

test.each([1000, 1001, 1011, 1012, 1013, 4403, 4408, 4429, 4500])(
  'a connection that was let in and is closed with %i is made anew',
  async (code) => {
    const { client, asked } = await playing(
      { says: [event('a')], ending: code },
      { says: [event('b')], ending: 'complete' },
    );
    expect(await heard(client)).toEqual(['Event a', 'Event b']);
    expect(asked).toEqual(['from', 'a']);
  },
);

test.each([1009, 4400, 4401, 4409])('a connection that is closed with %i is not', async (code) => {
  const { client, asked } = await playing({ says: [event('a')], ending: code });
  await expect(heard(client)).rejects.toMatchObject({ name: 'Disconnection', kind: 'final', code });
  expect(asked).toEqual(['from']);
});
