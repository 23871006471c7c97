import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { keyOf, post, tokenOf } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { startGateway, type TestGateway } from '../support/gateway.js';
import { startProcess } from '../support/process.js';
import { socketTo, type TestSocket } from '../support/socket.js';

let gateway: TestGateway;
let ada: { authorization: string };
let grace: { authorization: string };
const open: TestSocket[] = [];
beforeAll(async () => {
  gateway = await startGateway();
  ada = await tokenOf(gateway);
  grace = await tokenOf(gateway, 1);
});
afterAll(() => gateway.close());
afterEach(() => {
  for (const { socket } of open.splice(0)) socket.terminate();
});

const events = 'subscription ($spaceId: ID!) { events(spaceId: $spaceId) { __typename } }';
const openMutation =
  'mutation ($input: OpenClientSessionInput!) { openClientSession(input: $input) { ticket clientSession { id } } }';

async function socket(url = gateway.url): Promise<TestSocket> {
  const one = await socketTo(url);
  open.push(one);
  return one;
}

/** Connects, and answers what the server says to it. */
async function connected(payload: object, url?: string) {
  const one = await socket(url);
  one.say({ type: 'connection_init', payload });
  const { payload: greeting } = await one.hear(({ type }) => type === 'connection_ack');
  return { ...one, sessionId: greeting?.sessionId as string | null };
}

async function opened(clientUuid: string, as = ada): Promise<{ ticket: string; sessionId: string }> {
  const { body } = await post(gateway.url, { query: openMutation, variables: { input: { clientUuid } } }, as);
  const { ticket, clientSession } = body.data.openClientSession;
  return { ticket, sessionId: clientSession.id };
}

/** The connections of one of a user's clients. */
async function connections(id: string | null, as = ada): Promise<unknown[]> {
  const query = '{ viewer { clientSessions { id connections { id connectedAt } } } }';
  const { body } = await post(gateway.url, { query }, as);
  const session = body.data.viewer.clientSessions.find((one: { id: string }) => one.id === id);
  return session?.connections ?? [];
}

const denials = (resourceId: string) =>
  gateway.app.database.query<{ errorCode: string; sessionId: string | null; userId: string }>(
    `select "errorCode", "sessionId", "userId" from "AuditEvent"
      where "resourceType" = 'ClientSession' and "resourceId" = $1 and not success order by at`,
    [resourceId],
  );

test('three sockets of a client are three connections of one session, which end with them', async () => {
  const clientUuid = randomUUID();
  const sockets = [];
  for (let at = 0; at < 3; at += 1) sockets.push(await connected({ ...ada, clientUuid }));
  const [first] = sockets;
  expect(sockets.map(({ sessionId }) => sessionId)).toEqual(sockets.map(() => first?.sessionId));
  const id = first?.sessionId ?? null;
  await eventually(async () => expect(await connections(id)).toHaveLength(3));
  expect(await connections(id, grace)).toEqual([]);
  for (const { close } of sockets) close();
  await eventually(async () => expect(await connections(id)).toEqual([]));
  expect((await connected({ ...ada, clientUuid })).sessionId).toBe(id);
  expect((await opened(clientUuid)).sessionId).toBe(id);
});

test('a client that does not say who it is has the session of its sign-in; nobody and an organization have none', async () => {
  const { sessionId } = await connected(ada);
  expect(sessionId).toMatch(/^[\da-f-]{36}$/);
  expect((await connected(ada)).sessionId).toBe(sessionId);
  expect((await connected(grace)).sessionId).not.toBe(sessionId);
  expect((await connected({})).sessionId).toBeNull();
  const anonymous = await socket();
  anonymous.say({ type: 'connection_init', payload: { clientUuid: randomUUID() } });
  expect((await anonymous.closed).code).toBe(4403);
});

test.each([
  ['clientUuid', 'laptop'],
  ['clientUuid', 7],
  ['sessionId', '../../etc'],
  ['ticket', { $ne: '' }],
])('a %s of %p closes the connection with 4400', async (name, value) => {
  const one = await socket();
  one.say({ type: 'connection_init', payload: { ...ada, [name]: value } });
  expect(await one.closed).toMatchObject({ code: 4400, reason: expect.stringContaining(name) });
});

test("whoever connects with somebody else's session is closed with 4403, and it is audited", async () => {
  const clientUuid = randomUUID();
  const { sessionId } = await opened(clientUuid);
  const one = await socket();
  one.say({ type: 'connection_init', payload: { ...grace, clientUuid, sessionId } });
  expect(await one.closed).toEqual({ code: 4403, reason: "The session is not this client's." });
  await eventually(async () => expect(await denials(sessionId)).toMatchObject([{ errorCode: 'FORBIDDEN' }]));
});

test('a connection_init that is sent again with its ticket is closed with 4403, and it is audited', async () => {
  const clientUuid = randomUUID();
  const frame = { ...ada, clientUuid, ...(await opened(clientUuid)) };
  expect((await connected(frame)).sessionId).toBe(frame.sessionId);
  const again = await socket();
  again.say({ type: 'connection_init', payload: frame });
  expect((await again.closed).code).toBe(4403);
  await eventually(async () => expect(await denials(frame.sessionId)).toMatchObject([{ errorCode: 'CONFLICT' }]));
});

test('every subscription is checked in four ways, each with a code of its own', async () => {
  const clientUuid = randomUUID();
  const mine = await connected({ ...grace, clientUuid });
  const theirs = (await opened(randomUUID())).sessionId;
  const subscribe = async (sessionId: unknown) => {
    const id = randomUUID();
    const payload = { query: events, variables: { spaceId: gateway.demo.spaceId }, extensions: { sessionId } };
    mine.say({ type: 'subscribe', id, payload });
    const { payload: answer } = await mine.hear((message) => message.id === id);
    return answer?.data ? 'ok' : ((Array.isArray(answer) ? answer : answer.errors)[0].extensions.code as string);
  };
  expect(await subscribe(mine.sessionId)).toBe('ok');
  expect(await subscribe(undefined)).toBe('ok');
  expect(await subscribe(17)).toBe('BAD_USER_INPUT');
  expect(await subscribe(theirs)).toBe('FORBIDDEN');
  expect(await subscribe(randomUUID())).toBe('FORBIDDEN');
  await eventually(async () =>
    expect(await denials(theirs)).toMatchObject([{ errorCode: 'FORBIDDEN', sessionId: mine.sessionId }]),
  );
  await gateway.app.database.query('delete from "ClientSession" where id = $1', [mine.sessionId]);
  gateway.app.memory.forgetAll();
  expect(await subscribe(mine.sessionId)).toBe('NOT_FOUND');
  // Connecting makes it again.
  expect((await connected({ ...grace, clientUuid })).sessionId).toBe(mine.sessionId);
  expect(await subscribe(mine.sessionId)).toBe('ok');
});

test('a stream over HTTP belongs to the session of its client, too', async () => {
  const clientUuid = randomUUID();
  const { sessionId, ticket } = await opened(clientUuid);
  const streamed = (headers: Record<string, string>, signal: AbortSignal | null = null) =>
    fetch(`${gateway.url}/graphql/stream`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream', ...headers },
      body: JSON.stringify({ query: events, variables: { spaceId: gateway.demo.spaceId } }),
      signal,
    });
  const leaving = new AbortController();
  const claim = { 'x-client-uuid': clientUuid, 'x-client-session': sessionId, 'x-client-ticket': ticket };
  expect((await streamed({ ...ada, ...claim }, leaving.signal)).status).toBe(200);
  await eventually(async () => expect(await connections(sessionId)).toHaveLength(1));
  leaving.abort();
  await eventually(async () => expect(await connections(sessionId)).toEqual([]));
  const answers = [
    await streamed({ ...ada, ...claim }),
    await streamed({ ...grace, 'x-client-uuid': clientUuid, 'x-client-session': sessionId }),
    await streamed({ ...ada, 'x-client-uuid': 'laptop' }),
  ];
  const codes = [];
  for (const answer of answers) codes.push([answer.status, JSON.parse(await answer.text()).errors[0].extensions.code]);
  expect(codes).toEqual([
    [409, 'CONFLICT'],
    [403, 'FORBIDDEN'],
    [400, 'BAD_USER_INPUT'],
  ]);
  await eventually(async () =>
    expect((await denials(sessionId)).map(({ errorCode }) => errorCode).sort()).toEqual(['CONFLICT', 'FORBIDDEN']),
  );
});

test('the use of a session is noted, to the minute', async () => {
  const { sessionId, subscribe, hear } = await connected({ ...ada, clientUuid: randomUUID() });
  const usedAt = async () =>
    (
      await gateway.app.database.query<{ at: Date }>('select "lastUsedAt" as at from "ClientSession" where id = $1', [
        sessionId,
      ])
    )[0]?.at.getTime() ?? 0;
  await gateway.app.database.query(
    `update "ClientSession" set "lastUsedAt" = now() - interval '1 hour' where id = $1`,
    [sessionId],
  );
  subscribe('1', events, { spaceId: gateway.demo.spaceId });
  await hear();
  await eventually(async () => expect(Date.now() - (await usedAt())).toBeLessThan(120_000));
});

test('a session is the same at another process, and what that holds is forgotten when it is killed', async () => {
  const authorization = keyOf(gateway);
  const clientUuid = randomUUID();
  const here = await connected({ authorization, clientUuid });
  const child = await startProcess({
    DATABASE_URL: gateway.databaseUrl,
    AUTH_SECRET: 'a secret for tests only, 32 characters',
    JOB_WORKERS: '0',
  });
  const there = await connected({ authorization, clientUuid }, child.url);
  expect(there.sessionId).toBe(here.sessionId);
  const held = () =>
    gateway.app.database.query<{ instanceId: string }>(
      'select "instanceId" from "ClientConnection" where "sessionId" = $1 order by "connectedAt"',
      [here.sessionId],
    );
  const shown = async () => (await connections(here.sessionId)).length;
  await eventually(async () => expect(await held()).toHaveLength(2));
  const instances = (await held()).map(({ instanceId }) => instanceId);
  expect(new Set(instances).size).toBe(2);
  await child.stop('SIGKILL');
  expect(await held()).toHaveLength(2);
  // As if the minute had passed in which nothing was heard of it.
  await gateway.app.database.query(
    `update "ServerInstance" set "beatAt" = "beatAt" - interval '60 seconds' where id = $1`,
    [instances[1]],
  );
  await eventually(async () => expect(await shown()).toBe(1));
}, 60_000);
