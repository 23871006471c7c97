import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type GatewayProcess, startProcess } from '../support/process.js';
import { type RedisServer, redisServer } from '../support/redis-server.js';
import { socketTo } from '../support/socket.js';
import { make, newSpace } from '../support/tenancy.js';
import { redisToken, type UpstashRest, upstashRest } from '../support/upstash-redis.js';
import { type World, world } from '../support/world.js';

const patient = 240_000;
const patienceMs = 60_000;
const createKey = 'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret } }';
const write = 'mutation ($input: WriteTreeNodeInput!) { writeTreeNode(input: $input) { treeNode { path } } }';
const events = 'subscription ($spaceId: ID!) { events(spaceId: $spaceId) { __typename ... on Event { related } } }';

let w: World;
let redis: RedisServer;
let rest: UpstashRest;
let a: GatewayProcess;
let b: GatewayProcess;
let spaceId: string;
let key: string;
beforeAll(async () => {
  w = await world();
  spaceId = (await newSpace(w.owner)).id;
  const scopes = ['tree:read', 'tree:write', 'events:read', 'spaces:read'];
  key = (await make<{ secret: string }>(w.owner, createKey, { name: 'test', scopes })).secret;
  redis = await redisServer();
  rest = await upstashRest(redis);
  const env = {
    DATABASE_URL: w.databaseUrl,
    AUTH_SECRET: 'a secret for tests only, 32 characters',
    LOG_LEVEL: 'error',
    UPSTASH_REDIS_REST_URL: rest.url,
    UPSTASH_REDIS_REST_TOKEN: redisToken,
  };
  [a, b] = await Promise.all([startProcess(env), startProcess(env)]);
}, 60_000);
afterAll(async () => {
  await Promise.all([a?.stop(), b?.stop()]);
  await rest.close();
  await redis.kill();
  await w.close();
});

const median = (times: number[]) => [...times].sort((x, y) => x - y)[Math.floor(times.length / 2)] ?? 0;
const tell = (text: string) => process.stderr.write(`  ${text}\n`);

/** Waits until both processes say so of their wake-ups. */
async function health(status: number): Promise<void> {
  for (const until = Date.now() + patienceMs; ; await sleep(50)) {
    const answers = await Promise.all([a, b].map(({ url }) => fetch(`${url}/api/health/wakeups`)));
    if (answers.every((answer) => answer.status === status)) return;
    if (Date.now() > until) throw new Error(`Wake-ups are not ${status}: ${answers.map((answer) => answer.status)}`);
  }
}

test(
  'an event of one process is heard on the other at once; by the slow poll while Redis is gone; at once when it is back',
  async () => {
    const socket = await socketTo(b.url);
    socket.say({ type: 'connection_init', payload: { authorization: `Bearer ${key}` } });
    await socket.hear(({ type }) => type === 'connection_ack');
    socket.say({ id: '1', type: 'subscribe', payload: { query: events, variables: { spaceId } } });
    await socket.hear(({ payload }) => payload?.data?.events.__typename === 'CaughtUp');

    let writes = 0;
    /** How long so many writes through one process take to be heard on the other. */
    const heardIn = async (count: number) => {
      const times: number[] = [];
      for (let n = 0; n < count; n += 1) {
        const path = `/heard/${(writes += 1)}`;
        const body = JSON.stringify({ query: write, variables: { input: { spaceId, path, value: n } } });
        const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` };
        const began = performance.now();
        const answer = await (await fetch(`${a.url}/graphql`, { method: 'POST', headers, body })).json();
        expect(answer).toMatchObject({ data: { writeTreeNode: { treeNode: { path } } } });
        // The very next one: nothing is left out, and nothing comes twice.
        const next = await socket.hear(({ payload }) => payload?.data?.events.__typename === 'Event');
        expect(next.payload.data.events.related.path).toBe(path);
        times.push(performance.now() - began);
      }
      return times;
    };

    await health(200);
    await heardIn(5);
    const before = await heardIn(30);
    await redis.kill();
    const without = await heardIn(8);
    await health(503);
    expect((await fetch(`${b.url}/api/ready`)).status).toBe(200);
    await redis.start();
    await health(200);
    const after = await heardIn(30);
    socket.close();
    for (const [name, times] of Object.entries({ before, without, after }))
      tell(`${name}: median ${median(times).toFixed(1)} ms, most ${Math.max(...times).toFixed(1)} ms`);
    expect(median(before)).toBeLessThan(median(without) / 2);
    expect(median(after)).toBeLessThan(median(without) / 2);
  },
  patient,
);

test('both end in good order, and leave nobody listening', async () => {
  expect(await Promise.all([a.stop(), b.stop()])).toEqual([0, 0]);
  expect(rest.open).toBe(0);
});
