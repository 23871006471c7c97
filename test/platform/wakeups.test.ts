import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { Database } from '../../src/platform/database/database.js';
import { openDatabase } from '../../src/platform/database/pool.js';
import { jsonLog } from '../../src/platform/log.js';
import { postgresWakeups } from '../../src/platform/wakeups/postgres.js';
import { processWakeups } from '../../src/platform/wakeups/process.js';
import { upstashWakeups } from '../../src/platform/wakeups/upstash.js';
import { eventLog, type Wakeups } from '../../src/platform/wakeups/wakeups.js';
import { freshDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { connectionsTo } from '../support/pool.js';
import { type FaultyProxy, proxyTo } from '../support/proxy.js';
import { type RedisServer, redisServer } from '../support/redis-server.js';
import { redisToken, type UpstashRest, upstashRest } from '../support/upstash-redis.js';

const patient = 60_000;
const lines: string[] = [];
const log = jsonLog('info', (line) => lines.push(line));

/** A driver, and how its service is made to fail. */
interface Stage {
  make(): Wakeups;
  breakDown(): Promise<void>;
  mend(): Promise<void>;
  /** Connections that listen at the service. */
  listening(): Promise<number>;
}

const stages: Record<string, Stage> = {};
let ends: (() => Promise<void>)[] = [];
let redis: RedisServer;
let rest: UpstashRest;
let proxy: FaultyProxy;
let database: Database;
const quick = { silence: 300, answer: 600 };

beforeAll(async () => {
  // The client writes there of streams that break off.
  jest.spyOn(console, 'error').mockImplementation(() => {});
  const fresh = await freshDatabase();
  proxy = await proxyTo(fresh.url);
  database = openDatabase({ url: proxy.url, max: 5, log });
  const direct = connectionsTo(fresh.url, 1);
  const listeners = `select from pg_stat_activity where application_name = 'canopy wakeups' and datname = current_database()`;
  stages['postgres'] = {
    make: () => postgresWakeups({ url: proxy.url, database, log }),
    breakDown: () => proxy.refuse(),
    mend: () => proxy.resume(),
    listening: async () => (await direct.query(listeners)).rows.length,
  };
  redis = await redisServer();
  rest = await upstashRest(redis);
  stages['upstash'] = {
    make: () => upstashWakeups({ url: rest.url, token: redisToken }, log, quick),
    breakDown: () => redis.kill(),
    mend: () => redis.start(),
    listening: async () => rest.open,
  };
  ends = [() => database.close(), () => proxy.close(), () => direct.end(), fresh.drop, rest.close, redis.kill];
}, patient);
afterAll(async () => {
  for (const end of ends) await end();
});

const made: Wakeups[] = [];
afterEach(async () => {
  rest.mood = 'well';
  for (const wakeups of made.splice(0)) await wakeups.close();
  for (const { listening } of Object.values(stages)) await eventually(async () => expect(await listening()).toBe(0));
});

function start(name: string): Wakeups {
  const wakeups = stages[name]?.make() ?? processWakeups(log);
  made.push(wakeups);
  return wakeups;
}

/** All that is heard, in order. */
async function earOf(wakeups: Wakeups): Promise<(string | null)[]> {
  const heard: (string | null)[] = [];
  await wakeups.listen((topic) => heard.push(topic));
  return heard;
}

const hears = (ear: (string | null)[], topic: string | null) => eventually(async () => expect(ear).toContain(topic));
const times = (ear: (string | null)[], topic: string) => ear.filter((heard) => heard === topic).length;

describe.each(['process', 'postgres', 'upstash'])('%s', (name) => {
  test('wakes every listener of its process at once, with the topic', async () => {
    const wakeups = start(name);
    const ears = [await earOf(wakeups), await earOf(wakeups)];
    expect(wakeups.connected).toBe(true);
    for (const topic of [undefined, 'chat_1']) {
      wakeups.wake(topic);
      for (const ear of ears) expect(ear.at(-1)).toBe(topic ?? eventLog);
    }
  });

  test('says nothing of a wake-up that was not, and of one that comes again in a moment at its end', async () => {
    const wakeups = start(name);
    const ear = await earOf(wakeups);
    for (let n = 0; n < 100; n += 1) wakeups.wake('chat_1');
    expect(times(ear, 'chat_1')).toBe(1);
    await eventually(async () => expect(times(ear, 'chat_1')).toBeGreaterThan(1));
    expect(times(ear, 'chat_1')).toBeLessThan(4);
    expect(new Set(ear)).toEqual(new Set([null, 'chat_1']));
  });

  test('after its close nothing is heard, sent or thrown', async () => {
    const [one, other] = [start(name), start(name)];
    const ears = [await earOf(one), await earOf(other)];
    await one.close();
    one.wake('chat_1');
    other.wake('chat_2');
    expect(one.connected).toBe(false);
    await hears(ears[1] ?? [], 'chat_2');
    expect(ears.flat()).not.toContain('chat_1');
    expect(ears[0]).not.toContain('chat_2');
  });
});

test('within one process, no other is woken', async () => {
  const [one, other] = [start('process'), start('process')];
  const ear = await earOf(other);
  one.wake('chat_1');
  other.wake('chat_2');
  await hears(ear, 'chat_2');
  expect(ear).not.toContain('chat_1');
});

describe.each(['postgres', 'upstash'])('%s between processes', (name) => {
  let stage: Stage;
  beforeAll(() => {
    stage = stages[name] as Stage;
  });

  test('wakes all listeners of all, by topic, once for all that is woken in a moment', async () => {
    const [one, two, three] = [start(name), start(name), start(name)];
    const ears = await Promise.all([two, two, three].map(earOf));
    await earOf(one);
    for (let n = 0; n < 200; n += 1) for (const topic of [undefined, 'chat_1', 'chat_2']) one.wake(topic);
    for (const ear of ears) for (const topic of [eventLog, 'chat_1', 'chat_2']) await hears(ear, topic);
    one.wake('last');
    for (const ear of ears) {
      await hears(ear, 'last');
      for (const topic of [eventLog, 'chat_1', 'chat_2']) expect(times(ear, topic)).toBe(1);
    }
  });

  test(
    'while its service is down nothing is thrown and the own process is woken; when it is back, null is heard, and the others again',
    async () => {
      const [one, other] = [start(name), start(name)];
      const ears = [await earOf(one), await earOf(other)];
      for (const ear of ears) ear.length = 0;
      await stage.breakDown();
      await eventually(async () => expect([one.connected, other.connected]).toEqual([false, false]));
      one.wake('chat_1');
      expect(ears[0]).toEqual(['chat_1']);
      expect(ears[1]).toEqual([]);
      await stage.mend();
      for (const ear of ears) await hears(ear, null);
      one.wake('chat_2');
      await hears(ears[1] ?? [], 'chat_2');
      expect([one.connected, other.connected]).toEqual([true, true]);
    },
    patient,
  );

  test(
    'a process that starts while its service is down goes on, and hears as soon as it is there',
    async () => {
      await stage.breakDown();
      const late = start(name);
      const ear = await earOf(late);
      expect([ear, late.connected]).toEqual([[], false]);
      await stage.mend();
      await hears(ear, null);
      const other = start(name);
      await earOf(other);
      other.wake('chat_1');
      await hears(ear, 'chat_1');
    },
    patient,
  );

  test(
    'an outage is told in few words, and never a secret',
    async () => {
      const wakeups = start(name);
      await earOf(wakeups);
      lines.length = 0;
      await stage.breakDown();
      await eventually(async () => expect(wakeups.connected).toBe(false));
      for (let n = 0; n < 5; n += 1) {
        wakeups.wake();
        await sleep(20);
      }
      await stage.mend();
      await eventually(async () => expect(wakeups.connected).toBe(true));
      const told = lines.filter((line) => line.includes('ake-ups'));
      expect(told.length).toBeGreaterThan(1);
      expect(told.length).toBeLessThan(5);
      expect(lines.join('')).not.toContain(redisToken);
    },
    patient,
  );
});

describe('a stream of Upstash that says nothing any more', () => {
  test.each([
    ['because it was ended in good order', () => rest.end()],
    ['though it is open', () => rest.mute()],
  ])('%s, is noticed by silence and taken up again', async (_how, fault) => {
    const [one, other] = [start('upstash'), start('upstash')];
    const ears = [await earOf(one), await earOf(other)];
    for (const ear of ears) ear.length = 0;
    fault();
    for (const ear of ears) await hears(ear, null);
    one.wake('chat_1');
    await hears(ears[1] ?? [], 'chat_1');
    await eventually(async () => expect(rest.open).toBe(2));
  });

  test.each(['failing', 'hanging'] as const)('while the service is %s, it is asked again', async (mood) => {
    const wakeups = start('upstash');
    const ear = await earOf(wakeups);
    ear.length = 0;
    rest.mood = mood;
    rest.end();
    await eventually(async () => expect(wakeups.connected).toBe(false));
    wakeups.wake('chat_1');
    expect(ear).toEqual(['chat_1']);
    rest.mood = 'well';
    await hears(ear, null);
  });

  test('while one answer is waited for, what else is woken goes together', async () => {
    const [one, other] = [start('upstash'), start('upstash')];
    const ear = await earOf(other);
    await earOf(one);
    const before = rest.commands;
    rest.mood = 'hanging';
    one.wake('first');
    await eventually(async () => expect(rest.commands).toBe(before + 1));
    rest.mood = 'well';
    for (let n = 0; n < 20; n += 1) {
      one.wake(`chat_${n}`);
      await sleep(5);
    }
    for (let n = 0; n < 20; n += 1) await hears(ear, `chat_${n}`);
    expect(rest.commands).toBeLessThan(before + 10);
  });

  test('a healthy one is left alone, however long nothing happens', async () => {
    const wakeups = start('upstash');
    const ear = await earOf(wakeups);
    let heartbeats = 0;
    const listener = redis.connect();
    listener.onPush = () => (heartbeats += 1);
    await listener.call(['SUBSCRIBE', 'canopy-wakeups']);
    await eventually(async () => expect(heartbeats).toBeGreaterThan(4));
    listener.end();
    expect([ear, wakeups.connected, rest.open]).toEqual([[null], true, 1]);
  });
});

test('a wrong token is an outage like any other', async () => {
  const wakeups = upstashWakeups({ url: rest.url, token: 'another' }, log, quick);
  made.push(wakeups);
  const ear = await earOf(wakeups);
  wakeups.wake();
  expect([ear, wakeups.connected]).toEqual([[eventLog], false]);
});
