import { expect, test } from '@jest/globals';
import { readEnv, WrongSettings } from '../src/env.js';

const upstash = { UPSTASH_VECTOR_REST_URL: 'https://v.example', UPSTASH_VECTOR_REST_TOKEN: 't' };
const endpoint = { EMBEDDINGS_URL: 'https://api.example/v1', EMBEDDINGS_MODEL: 'm' };

test('vectors and embeddings are ours unless others are named', () => {
  expect(readEnv({})).toMatchObject({ vectors: null, embeddings: null });
  expect(readEnv({ ...upstash, ...endpoint, EMBEDDINGS_KEY: 'k', EMBEDDINGS_DIMENSIONS: '512' })).toMatchObject({
    vectors: { url: 'https://v.example', token: 't' },
    embeddings: { url: 'https://api.example/v1', key: 'k', model: 'm', dimensions: 512 },
  });
  expect(readEnv({ ...upstash, EMBEDDINGS_MODEL: 'm' }).embeddings).toMatchObject({ inStore: true, model: 'm' });
});

test.each([
  [{ UPSTASH_VECTOR_REST_URL: 'https://v.example' }, 'UPSTASH_VECTOR_REST_TOKEN'],
  [{ UPSTASH_VECTOR_REST_TOKEN: 't' }, 'UPSTASH_VECTOR_REST_URL'],
  [{ EMBEDDINGS_URL: 'https://api.example/v1' }, 'EMBEDDINGS_MODEL'],
  [{ EMBEDDINGS_MODEL: 'm' }, 'EMBEDDINGS_URL'],
  [{ ...endpoint, EMBEDDINGS_DIMENSIONS: '3' }, 'EMBEDDINGS_DIMENSIONS'],
])('half a setting is none: %j', (settings, named) => {
  expect(() => readEnv(settings)).toThrow(WrongSettings);
  expect(() => readEnv(settings)).toThrow(named);
});
