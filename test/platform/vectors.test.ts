import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { openDatabase } from '../../src/platform/database/pool.js';
import { toUnit } from '../../src/platform/embeddings/embeddings.js';
import { jsonLog } from '../../src/platform/log.js';
import { postgresVectors } from '../../src/platform/vectors/postgres.js';
import { upstashVectors } from '../../src/platform/vectors/upstash.js';
import { type VectorEntry, type Vectors, VectorsUnavailable } from '../../src/platform/vectors/vectors.js';
import { freshDatabase } from '../support/database.js';
import type { LocalService } from '../support/local-service.js';
import { upstashVector, vectorToken } from '../support/upstash-vector.js';

const log = jsonLog('silent', () => {});
const statements: string[] = [];
let database: ReturnType<typeof openDatabase>;
let drop: () => Promise<void>;
let service: LocalService;
const drivers: Record<string, Vectors> = {};

beforeAll(async () => {
  const fresh = await freshDatabase();
  drop = fresh.drop;
  database = openDatabase({ url: fresh.url, max: 10, log, observe: (text) => statements.push(text) });
  service = await upstashVector(3);
  drivers['postgres'] = postgresVectors(database);
  drivers['postgres, read through'] = postgresVectors(database, { allBytes: 1_000, oneBytes: 500 });
  drivers['upstash'] = upstashVectors({ url: service.url, token: vectorToken });
});
afterAll(async () => {
  await database.close();
  await service.close();
  await drop();
});

let spaces = 0;
let space: string;
beforeEach(() => {
  service.mood = 'well';
  service.calls.length = 0;
  space = `space_${(spaces += 1)}`;
});

const entry = (resourceId: string, numbers: readonly number[], more: Partial<VectorEntry> = {}): VectorEntry => ({
  resourceType: 'Note',
  resourceId,
  chunk: 0,
  vector: toUnit(Float32Array.from(numbers)),
  model: 'm',
  ...more,
});
const ask = { topK: 10, model: 'm' };
const north = Float32Array.from([1, 0, 0]);

describe.each(['postgres', 'postgres, read through', 'upstash'])('%s', (name) => {
  let vectors: Vectors;
  beforeAll(() => {
    vectors = drivers[name] as Vectors;
  });
  const found = async (more: Partial<typeof ask & { types: string[] }> = {}, namespace = space) =>
    (await vectors.query(namespace, north, { ...ask, ...more })).map(
      ({ resourceId, chunk }) => `${resourceId}#${chunk}`,
    );

  test('answers the nearest first, with the cosine', async () => {
    await vectors.upsert(space, [entry('a', [0, 1, 0]), entry('b', [1, 0, 0]), entry('c', [0.6, 0.8, 0])]);
    const matches = await vectors.query(space, north, { ...ask, topK: 2 });
    expect(matches.map(({ resourceType, resourceId }) => `${resourceType} ${resourceId}`)).toEqual([
      'Note b',
      'Note c',
    ]);
    expect(matches[0]?.score).toBeCloseTo(1, 5);
    expect(matches[1]?.score).toBeCloseTo(0.6, 5);
  });

  test('replaces a chunk that is written again, and finds what is written after a query', async () => {
    await vectors.upsert(space, [entry('a', [0, 1, 0]), entry('b', [0.8, 0.6, 0])]);
    expect(await found()).toEqual(['b#0', 'a#0']);
    await vectors.upsert(space, [entry('a', [1, 0, 0])]);
    await vectors.upsert(space, [entry('a', [1, 0, 0])]);
    expect(await found()).toEqual(['a#0', 'b#0']);
    expect(await vectors.count(space)).toBe(2);
  });

  test('forgets resources, the last chunks of one, and a whole namespace', async () => {
    const chunks = [0, 1, 2].map((chunk) => entry('a', [1, chunk, 0], { chunk }));
    await vectors.upsert(space, [...chunks, entry('b', [0, 1, 0]), entry("it's", [0, 0, 1])]);
    expect(await found()).toHaveLength(5);
    await vectors.remove(space, ['a'], 1);
    expect(await found()).toEqual(['a#0', 'b#0', "it's#0"]);
    await vectors.remove(space, ["it's"], 0);
    await vectors.remove(space, ['b', 'never there']);
    expect(await found()).toEqual(['a#0']);
    await vectors.removeNamespace(space);
    await vectors.removeNamespace(space);
    expect(await found()).toEqual([]);
    expect(await vectors.count(space)).toBe(0);
  });

  test('never mixes namespaces, models, or types that were not asked for', async () => {
    await vectors.upsert(space, [
      entry('a', [1, 0, 0]),
      entry('b', [1, 0, 0], { model: "other's" }),
      entry('c', [1, 0, 0], { resourceType: 'Post' }),
    ]);
    await vectors.upsert(`${space} next`, [entry('d', [1, 0, 0])]);
    expect((await found()).sort()).toEqual(['a#0', 'c#0']);
    expect(await found({ model: "other's" })).toEqual(['b#0']);
    expect(await found({ types: ['Post'] })).toEqual(['c#0']);
    expect(await found({ types: ['Post', 'Note'], topK: 1 })).toHaveLength(1);
    expect(await found({}, `${space} next`)).toEqual(['d#0']);
    expect(await found({}, 'never written')).toEqual([]);
  });

  test('takes any number of entries', async () => {
    const many = Array.from({ length: 250 }, (_, at) => entry(`r${at}`, [1, at / 250, 0]));
    await vectors.upsert(space, many);
    expect(await vectors.count(space)).toBe(250);
    expect(await found({ topK: 3 })).toEqual(['r0#0', 'r1#0', 'r2#0']);
    if (name === 'upstash') expect(service.calls.filter(({ path }) => path.startsWith('/upsert/'))).toHaveLength(3);
  });
});

describe('vectors in Postgres', () => {
  test('are read once, then only what is new', async () => {
    const [one, other] = [postgresVectors(database), postgresVectors(database)];
    await one.upsert(space, [entry('a', [1, 0, 0])]);
    await one.query(space, north, ask);
    statements.length = 0;
    await one.query(space, north, ask);
    expect(statements).toHaveLength(1);
    await other.upsert(space, [entry('b', [1, 0, 0])]);
    statements.length = 0;
    expect(await one.query(space, north, ask)).toHaveLength(2);
    expect(statements.filter((text) => text.includes('numbers'))).toHaveLength(1);
    await other.remove(space, ['a']);
    expect((await one.query(space, north, ask)).map(({ resourceId }) => resourceId)).toEqual(['b']);
  });

  test('are all found when many write at once', async () => {
    const writers = Array.from({ length: 20 }, (_, at) =>
      drivers['postgres']?.upsert(space, [entry(`w${at}`, [1, at, 0])]),
    );
    const reader = postgresVectors(database);
    for (let reads = 0; reads < 5; reads += 1) await reader.query(space, north, ask);
    await Promise.all(writers);
    expect(await reader.query(space, north, { ...ask, topK: 100 })).toHaveLength(20);
  });
});

describe('vectors at Upstash that do not answer', () => {
  test('fail within their second, and after five failures at once', async () => {
    const vectors = upstashVectors({ url: service.url, token: vectorToken });
    service.mood = 'hanging';
    const began = performance.now();
    await Promise.all(
      [1, 2, 3, 4, 5].map(() => expect(vectors.query(space, north, ask)).rejects.toThrow(VectorsUnavailable)),
    );
    expect(performance.now() - began).toBeLessThan(15_000);
    const asked = service.calls.length;
    await expect(vectors.query(space, north, ask)).rejects.toThrow(VectorsUnavailable);
    expect(service.calls).toHaveLength(asked);
  });

  test('fail when the service does, or refuses the token', async () => {
    service.mood = 'failing';
    await expect(upstashVectors({ url: service.url, token: vectorToken }).count(space)).rejects.toThrow(
      VectorsUnavailable,
    );
    service.mood = 'well';
    await expect(upstashVectors({ url: service.url, token: 'wrong' }).count(space)).rejects.toThrow(VectorsUnavailable);
  });
});
