import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { cursorOf, dropOldEvents } from '../../src/core/event-log.js';
import { logLine, post, tokenOf } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { startGateway, type TestGateway } from '../support/gateway.js';
import { type Heard, transports } from '../support/transports.js';

let gateway: TestGateway;
let ada: { authorization: string };
let cleo: { authorization: string };
/** How many follow the log in this process. */
let following = 0;
/** A cursor behind which events have been dropped. */
let expired: string;

let clockOffset = 0;

const dayMs = 24 * 60 * 60 * 1_000;

async function dropAnOldDay(): Promise<string> {
  const { database } = gateway.app;
  const at = new Date(Date.now() - 20 * dayMs);
  await database.query('select canopy_make_partitions($1)', [at]);
  const insert = `insert into "Event" (type, "spaceId", "resourceType", "resourceId", "createdAt")
    values ('tree.written', $1, 'TreeNode', 'x', $2) returning txid::text as txid, seq::text as seq`;
  const values = [gateway.demo.spaceId, at];
  const [row] = await database.query<{ txid: string; seq: string }>(insert, values);
  await database.query(insert, values);
  await dropOldEvents(database, new Date());
  return cursorOf({ txid: BigInt(row?.txid ?? 0), seq: BigInt(row?.seq ?? 0) });
}

beforeAll(async () => {
  gateway = await startGateway({ now: () => new Date(Date.now() + clockOffset) });
  [ada, cleo] = await Promise.all([tokenOf(gateway), tokenOf(gateway, 2)]);
  const { tail } = gateway.app;
  const original = tail.follow;
  tail.follow = (spaceId, follower, signal) => {
    following += 1;
    signal.addEventListener('abort', () => (following -= 1), { once: true });
    return original(spaceId, follower, signal);
  };
  expired = await dropAnOldDay();
});
afterAll(() => gateway.close());

const events = `subscription Everything($spaceId: ID!, $after: EventCursor) { events(spaceId: $spaceId, after: $after) { __typename
  ... on Event { cursor type related resource { ... on TreeNode { value } } } ... on CaughtUp { cursor } } }`;
const here = () => ({ spaceId: gateway.demo.spaceId });

async function run(name: string, result: string, input: object, headers = ada) {
  const type = `${name[0]?.toUpperCase()}${name.slice(1)}Input`;
  const query = `mutation ($input: ${type}!) { ${name}(input: $input) { ${result} } }`;
  const answer = await post(gateway.url, { query, variables: { input } }, headers);
  if (answer.code) throw new Error(answer.text);
  return answer.body.data[name];
}

const put = (path: string, value: unknown) => run('writeTreeNode', 'eventCursor', { ...here(), path, value });

const litres = ({ data }: Heard) => data.events.resource?.value;
const isCaughtUp = (data: Heard['data']) => data.events.__typename === 'CaughtUp';

const mutation = [
  'a mutation',
  'mutation { revokeApiKey(input: { id: "x" }) { revokedApiKeyId } }',
  {},
  'BAD_REQUEST',
] as const;

describe.each(transports)('over $name', ({ name, follow }) => {
  const start = async (headers = ada) => {
    const stream = follow(gateway.url, headers, events, here());
    await stream.hear(isCaughtUp);
    await put('/begin', name);
    await stream.hear(({ events: { resource } }) => resource?.value === name);
    return stream;
  };

  test('replay goes over into what happens now, without a gap, in order, with the cursors of the query', async () => {
    const path = `/seam-${transports.findIndex((one) => one.name === name)}`;
    const { eventCursor } = await put(path, 0);
    for (let at = 1; at <= 10; at += 1) await put(path, at);
    const stream = follow(gateway.url, ada, events, { ...here(), after: eventCursor });
    const heard = [await stream.next()];
    const writing = (async () => {
      for (let at = 11; at <= 30; at += 1) await put(path, at);
    })();
    for (;;) {
      const result = await stream.next();
      heard.push(result);
      // An event has the resource as it is now: what it says of itself tells which it is.
      const { related } = result?.data.events ?? {};
      if (related?.path === path && related.version === 31) break;
    }
    await writing;
    stream.leave();
    const found = heard.flatMap((one) => (one?.data.events.related?.path === path ? [one.data.events] : []));
    // While others write, a cursor may stand a little before the change that it came with.
    const versions = found.map(({ related }) => related.version).filter((version) => version > 1);
    expect(versions).toEqual(Array.from({ length: 30 }, (_, at) => at + 2));
    expect(heard.filter((one) => one && isCaughtUp(one.data))).toHaveLength(1);
    const query = `query ($spaceId: ID!, $after: EventCursor) { events(spaceId: $spaceId, after: $after, first: 100) { nodes { cursor related } } }`;
    const { body } = await post(gateway.url, { query, variables: { ...here(), after: eventCursor } }, ada);
    const logged = body.data.events.nodes.filter(
      ({ related }: { related: { path?: string } }) => related.path === path,
    );
    expect(found.map(({ cursor }) => cursor)).toEqual(logged.map(({ cursor }: { cursor: string }) => cursor));
  });

  test('it goes on behind the last cursor, and hears nothing twice', async () => {
    const first = await start();
    const { data } = (await (async () => {
      await put('/resume', `${name} 1`);
      return first.hear(({ events: { resource } }) => resource?.value === `${name} 1`);
    })()) as Required<Heard>;
    first.leave();
    await put('/resume', `${name} 2`);
    const second = follow(gateway.url, ada, events, { ...here(), after: data.events.cursor });
    // What has not been read to the end when it begins comes after the word that replay is over.
    expect(litres(await second.hear((heard) => !isCaughtUp(heard)))).toBe(`${name} 2`);
    second.leave();
  });

  test('who is removed from the space hears the refusal, and nothing more', async () => {
    const stream = await start(cleo);
    const { body } = await post(gateway.url, { query: '{ viewer { user { id } } }' }, cleo);
    const userId = body.data.viewer.user.id;
    await run('removeSpaceMember', 'eventCursor', { ...here(), userId });
    await put('/begin', 'not heard');
    const { heard, code } = await stream.end();
    stream.leave();
    await run('addSpaceMember', 'eventCursor', { ...here(), user: { id: userId }, role: 'VIEWER' });
    await eventually(async () => {
      const query = 'query ($spaceId: ID!) { events(spaceId: $spaceId, first: 1) { nodes { type } } }';
      expect((await post(gateway.url, { query, variables: here() }, cleo)).code).toBeNull();
    });
    expect(code).toBe('NOT_FOUND');
    expect(JSON.stringify(heard)).not.toContain('not heard');
  });

  test('a key that is revoked ends it in time', async () => {
    const { secret, apiKey } = await run('createApiKey', 'secret apiKey { id }', {
      name: 'follower',
      scopes: ['tree:read', 'events:read'],
    });
    const stream = await start({ authorization: `Bearer ${secret}` });
    await run('revokeApiKey', 'revokedApiKeyId', { id: apiKey.id });
    const since = performance.now();
    await put('/begin', 'not heard');
    const { heard, code } = await stream.end();
    // Five seconds are promised; a loaded machine takes its time besides.
    expect(performance.now() - since).toBeLessThan(8_000);
    expect(code).toBe(name === 'WebSocket' ? 'closed with 4403' : 'UNAUTHENTICATED');
    expect(JSON.stringify(heard)).not.toContain('not heard');
    const again = await follow(gateway.url, { authorization: `Bearer ${secret}` }, events, here()).end();
    expect(again.code).toBe(name === 'WebSocket' ? 'closed with 4403' : 'UNAUTHENTICATED');
  });

  // With parts, a mutation is answered as by any POST.
  const others = name === 'multipart' ? [] : [mutation];
  test('a key that has expired ends it in time', async () => {
    const { secret } = await run('createApiKey', 'secret', {
      name: 'follower',
      scopes: ['tree:read', 'events:read'],
      expiresAt: new Date(Date.now() + 60_000).toISOString(),
    });
    const stream = await start({ authorization: `Bearer ${secret}` });
    clockOffset = 61_000;
    const { heard, code } = await stream.end();
    clockOffset = 0;
    expect(code).toBe(name === 'WebSocket' ? 'closed with 4403' : 'UNAUTHENTICATED');
    expect(heard).toEqual([]);
  });

  test.each([
    ...others,
    ['a syntax error', 'subscription {', {}, 'GRAPHQL_PARSE_FAILED'],
    ['an unknown field', 'subscription { eventz(spaceId: "x") { __typename } }', {}, 'GRAPHQL_VALIDATION_FAILED'],
    [
      'too deep a document',
      `subscription { events(spaceId: "x") { ... on Event { resource { ... on TreeNode ${'{ parent '.repeat(10)}{ id }${' }'.repeat(10)} } } } }`,
      {},
      'MAX_DEPTH_LIMIT',
    ],
    [
      'two operations without a name',
      'subscription A { events(spaceId: "x") { __typename } } subscription B { events(spaceId: "x") { __typename } }',
      {},
      'OPERATION_RESOLUTION_FAILURE',
    ],
    ['a missing variable', events, {}, 'BAD_USER_INPUT'],
    ['a space that is not there', events, { spaceId: 'space_00000000000000000000000000' }, 'NOT_FOUND'],
    ['a cursor that is none', events, { after: '?' }, 'BAD_USER_INPUT'],
    ['a cursor from before what is kept', events, { after: 'expired' }, 'CURSOR_EXPIRED'],
  ])('%s is refused', async (_, query, variables, code) => {
    const given = {
      ...('after' in variables && here()),
      ...variables,
      ...('after' in variables && variables.after === 'expired' && { after: expired }),
    };
    const stream = follow(gateway.url, ada, query, given);
    expect(await stream.end()).toEqual({ heard: [], code });
    stream.leave();
  });

  test('nobody hears nothing', async () => {
    const stream = follow(gateway.url, {}, events, here());
    expect(await stream.end()).toEqual({ heard: [], code: 'UNAUTHENTICATED' });
    stream.leave();
  });

  test('a credential that does not count is refused at once', async () => {
    const { code } = await follow(gateway.url, { authorization: 'Bearer abc' }, events, here()).end();
    expect(code).toBe(name === 'WebSocket' ? 'closed with 4403' : 'UNAUTHENTICATED');
  });

  test('nothing follows any more for clients that have gone', async () => {
    await eventually(async () => expect(following).toBe(0));
    const streams = await Promise.all([start(), start(), start()]);
    expect(following).toBe(3);
    for (const stream of streams) stream.leave();
    await eventually(async () => expect(following).toBe(0));
  });

  test('it is in the log', async () => {
    const operation = name.replace(/\W/g, '');
    const stream = follow(gateway.url, ada, events.replace('Everything', operation), here());
    await stream.hear(isCaughtUp);
    stream.leave();
    expect(await logLine(gateway, (line) => line['operation'] === operation)).toMatchObject({
      message: 'subscription',
      user: expect.stringMatching(/^user_/),
      requestId: expect.stringMatching(/^[\w-]+$/),
    });
  });
});
