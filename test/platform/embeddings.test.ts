import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Embeddings, EmbeddingsUnavailable } from '../../src/platform/embeddings/embeddings.js';
import { localEmbeddings } from '../../src/platform/embeddings/local.js';
import { openAiEmbeddings } from '../../src/platform/embeddings/openai.js';
import { upstashEmbeddings } from '../../src/platform/embeddings/upstash.js';
import { type LocalService, localService, Refused } from '../support/local-service.js';
import { upstashVector, vectorToken } from '../support/upstash-vector.js';

/** As a service would embed: letters counted, not of unit length. */
const letters = (text: string) =>
  Array.from({ length: 8 }, (_, at) => 1 + text.split(String.fromCharCode(97 + at)).length);

let failures = 0;
const drivers: Record<string, Embeddings> = {};
const services: LocalService[] = [];
beforeAll(async () => {
  const openai = await localService('key', (path, body) => {
    if (failures > 0) {
      failures -= 1;
      throw new Refused(429, 'Too fast.');
    }
    if (path !== '/v1/embeddings') throw new Refused(404, path);
    const { input } = body as { input: string[] };
    // In any order, as the protocol allows.
    return { data: input.map((text, index) => ({ index, embedding: letters(text) })).reverse() };
  });
  const upstash = await upstashVector(8, letters);
  services.push(openai, upstash);
  drivers['local'] = localEmbeddings();
  drivers['openai'] = openAiEmbeddings({ url: `${openai.url}/v1/`, key: 'key', model: 'letters', dimensions: 8 });
  drivers['upstash'] = upstashEmbeddings({ url: upstash.url, token: vectorToken, model: 'letters', dimensions: 8 });
});
afterAll(async () => {
  for (const driver of Object.values(drivers)) await driver.close();
  for (const service of services) await service.close();
});

const dot = (a: Float32Array | undefined, b: Float32Array | undefined) =>
  [...(a ?? [])].reduce((sum, value, at) => sum + value * (b?.[at] ?? 0), 0);

describe.each(['local', 'openai', 'upstash'])('%s', (name) => {
  test('answers a vector of unit length for each text, in their order, the same each time', async () => {
    const driver = drivers[name] as Embeddings;
    const texts = ['a bed of beans', 'ägypten ☕', 'dead beef cafe', '', ' '];
    const vectors = await driver.embed(texts);
    expect(vectors.map(({ length }) => length)).toEqual(texts.map(() => driver.dimensions));
    for (const vector of vectors) expect(dot(vector, vector)).toBeCloseTo(1, 4);
    const [again] = await driver.embed(['dead beef cafe']);
    expect(dot(again, vectors[2])).toBeCloseTo(1, 4);
    expect(await driver.embed([])).toEqual([]);
  });
});

describe('the local model', () => {
  const likeness = async (a: string, b: string) => {
    const [one, other] = await (drivers['local'] as Embeddings).embed([a, b]);
    return dot(one, other);
  };

  test('finds meaning, names and slips of the pen nearer than what has nothing to do with them', async () => {
    const far = await likeness('watering vegetables in summer', 'quarterly tax report');
    expect(
      await likeness('watering vegetables in summer', 'how to keep tomatoes moist when it is hot'),
    ).toBeGreaterThan(far + 0.1);
    expect(await likeness('Zylphorix', 'notes about Zylphorix')).toBeGreaterThan(
      await likeness('Zylphorix', 'notes about Quarnbold'),
    );
    expect(await likeness('fertilizer', 'fertiliser')).toBeGreaterThan(await likeness('fertilizer', 'bicycle'));
  });

  test('asks more likeness for what it cannot read', async () => {
    const floorOf = async (question: string) => (await (drivers['local'] as Embeddings).ask(question)).floor;
    for (const text of ['how are tomatoes watered', 'Lettuce', 'LETTUCE'])
      expect(await floorOf(text)).toBeLessThan(0.3);
    for (const text of ['zzzqqq', 'xkcdvb', 'gbrxl vntqp']) expect(await floorOf(text)).toBeGreaterThan(0.4);
  });

  test('lets the process go on while it computes, and takes a question before what waits', async () => {
    const driver = drivers['local'] as Embeddings;
    const order: string[] = [];
    const long = 'The gardener waters tomatoes early in the morning. '.repeat(10);
    const batch = driver.embed(Array.from({ length: 40 }, () => long)).then(() => order.push('batch'));
    let longest = 0;
    let last = performance.now();
    const ticking = setInterval(() => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }, 5);
    await driver.embed(['what grows here?']).then(() => order.push('question'));
    await batch;
    clearInterval(ticking);
    expect(order).toEqual(['question', 'batch']);
    expect(longest).toBeLessThan(3_000);
  });

  test('stops for whoever no longer waits', async () => {
    await expect((drivers['local'] as Embeddings).embed(['a'], AbortSignal.abort())).rejects.toThrow('abort');
  });
});

describe('a remote model', () => {
  test('is asked for a hundred texts at a time', async () => {
    const [openai] = services as [LocalService];
    openai.calls.length = 0;
    const vectors = await drivers['openai']?.embed(Array.from({ length: 250 }, (_, at) => `text ${at}`));
    expect(vectors).toHaveLength(250);
    expect(openai.calls.map(({ body }) => (body as { input: string[] }).input.length)).toEqual([100, 100, 50]);
  });

  test('is asked again when it is busy, and not when it refuses', async () => {
    const [openai] = services as [LocalService];
    failures = 2;
    expect(await drivers['openai']?.embed(['a'])).toHaveLength(1);
    openai.calls.length = 0;
    const stranger = openAiEmbeddings({ url: `${openai.url}/v1`, key: 'wrong', model: 'letters', dimensions: 8 });
    await expect(stranger.embed(['a'])).rejects.toThrow(EmbeddingsUnavailable);
    expect(openai.calls).toHaveLength(1);
  });

  test('gives shorter vectors when asked to, and says when it cannot give longer ones', async () => {
    const [openai] = services as [LocalService];
    const of = (dimensions: number) =>
      openAiEmbeddings({ url: `${openai.url}/v1`, key: 'key', model: 'letters', dimensions });
    const [vector] = await of(4).embed(['abba']);
    expect(vector).toHaveLength(4);
    expect(dot(vector, vector)).toBeCloseTo(1, 5);
    expect(of(4).model).not.toBe(of(8).model);
    await expect(of(16).embed(['abba'])).rejects.toMatchObject({ cause: { message: expect.stringContaining('16') } });
  });

  test('that does not answer ends with the patience of whoever asks', async () => {
    const [openai] = services as [LocalService];
    openai.mood = 'hanging';
    const driver = openAiEmbeddings({ url: `${openai.url}/v1`, key: 'key', model: 'letters', dimensions: 8 });
    await expect(driver.embed(['a'], AbortSignal.timeout(50))).rejects.toThrow(EmbeddingsUnavailable);
    openai.mood = 'well';
  });
});
