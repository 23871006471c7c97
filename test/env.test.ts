import { expect, test } from '@jest/globals';
import { readEnv, WrongSettings } from '../src/env.js';

const upstash = { UPSTASH_VECTOR_REST_URL: 'https://v.example', UPSTASH_VECTOR_REST_TOKEN: 't' };
const endpoint = { EMBEDDINGS_URL: 'https://api.example/v1', EMBEDDINGS_MODEL: 'm' };

test('vectors and embeddings are ours unless others are named', () => {
  expect(readEnv({})).toMatchObject({ vectors: null, embeddings: null });
  expect(
    readEnv({ ...upstash, ...endpoint, EMBEDDINGS_KEY: 'k', EMBEDDINGS_DIMENSIONS: '512', EMBEDDINGS_FLOOR: '0.4' }),
  ).toMatchObject({
    vectors: { url: 'https://v.example', token: 't' },
    embeddings: { url: 'https://api.example/v1', key: 'k', model: 'm', dimensions: 512, floor: 0.4 },
  });
  expect(readEnv({ ...upstash, EMBEDDINGS_MODEL: 'm', EMBEDDINGS_FLOOR: '' }).embeddings).toMatchObject({
    inStore: true,
    model: 'm',
    floor: 0.2,
  });
});

const redis = { UPSTASH_REDIS_REST_URL: 'https://r.example', UPSTASH_REDIS_REST_TOKEN: 't' };
const direct = { DATABASE_URL: 'postgres://u:p@host/db' };
const pooled = { DATABASE_URL: 'postgres://u:p@host/db?sslmode=require&pgbouncer=true' };

test.each([
  [{}, 'postgres'],
  [direct, 'postgres'],
  [pooled, 'process'],
  [redis, { url: 'https://r.example', token: 't' }],
  [
    { ...redis, ...pooled },
    { url: 'https://r.example', token: 't' },
  ],
  [{ ...redis, WAKEUPS: 'postgres' }, 'postgres'],
  [{ ...redis, WAKEUPS: 'process' }, 'process'],
])('what wakes other processes, by %j', (settings, wakeups) => {
  expect(readEnv(settings).wakeups).toEqual(wakeups);
});

test.each([
  [{ UPSTASH_REDIS_REST_URL: 'https://r.example' }, 'UPSTASH_REDIS_REST_TOKEN'],
  [{ UPSTASH_REDIS_REST_TOKEN: 't' }, 'UPSTASH_REDIS_REST_URL'],
  [{ WAKEUPS: 'upstash' }, 'WAKEUPS'],
  [{ WAKEUPS: 'kafka' }, 'WAKEUPS'],
  [{ ...pooled, WAKEUPS: 'postgres' }, 'WAKEUPS'],
  [{ UPSTASH_VECTOR_REST_URL: 'https://v.example' }, 'UPSTASH_VECTOR_REST_TOKEN'],
  [{ UPSTASH_VECTOR_REST_TOKEN: 't' }, 'UPSTASH_VECTOR_REST_URL'],
  [{ EMBEDDINGS_URL: 'https://api.example/v1' }, 'EMBEDDINGS_MODEL'],
  [{ EMBEDDINGS_MODEL: 'm' }, 'EMBEDDINGS_URL'],
  [{ ...endpoint, EMBEDDINGS_DIMENSIONS: '3' }, 'EMBEDDINGS_DIMENSIONS'],
  [{ ...endpoint, EMBEDDINGS_FLOOR: '1.1' }, 'EMBEDDINGS_FLOOR'],
])('half a setting is none: %j', (settings, named) => {
  expect(() => readEnv(settings)).toThrow(WrongSettings);
  expect(() => readEnv(settings)).toThrow(named);
});
