import { describe, expect, test } from '@jest/globals';
import { chunking, chunkOf, isChunk, pieces, split } from '../../src/protocol/chunks.js';

const most = 100;
const id = () => 'message-1';
const KB = 1_024;

/** A message of so many bytes. */
const message = (bytes: number) => JSON.stringify({ type: 'next', payload: 'x'.repeat(bytes - 28) });

function joined(frames: readonly string[]): string | null {
  const all = pieces();
  const answers = frames.map((frame) => {
    const chunk = chunkOf(frame, most);
    if (!chunk) throw new Error(`No piece: ${frame.slice(0, 100)}`);
    return all.add(chunk);
  });
  expect(answers.slice(0, -1).every((answer) => answer === null)).toBe(true);
  return answers.at(-1) ?? null;
}

describe('a message', () => {
  test.each([2 * KB, 229 * KB, 230 * KB])('of %i bytes is one frame, as it is', (bytes) => {
    const text = message(bytes);
    expect(Buffer.byteLength(text)).toBe(bytes);
    expect(split(text, id)).toEqual([text]);
  });

  test.each([231 * KB, 300 * KB, 5 * KB * KB])(
    'of %i bytes goes in frames of at most 240 KB, and comes whole',
    (bytes) => {
      const text = message(bytes);
      const frames = split(text, id);
      expect(frames.length).toBe(Math.ceil(bytes / (150 * KB)));
      expect(Math.max(...frames.map((frame) => Buffer.byteLength(frame)))).toBeLessThanOrEqual(240 * KB);
      expect(frames.every(isChunk)).toBe(true);
      expect(joined(frames)).toBe(text);
      expect(joined(frames.toReversed())).toBe(text);
    },
  );

  test('is measured in bytes, and may be cut within a character', () => {
    const text = JSON.stringify(`\ufeff${'aé€🌱'.repeat(30_000)}`);
    expect(text.length).toBeLessThan(chunking.plainBytes);
    const frames = split(text, id);
    expect(frames.length).toBe(2);
    expect(joined(frames)).toBe(text);
  });

  test('keeps apart from others that come at the same time', () => {
    const all = pieces();
    const [first, second] = ['a', 'b'].map((name) => split(JSON.stringify(name.repeat(300 * KB)), () => name));
    const mixed = (first ?? []).flatMap((frame, at) => [frame, second?.[at] ?? '']);
    const answers = mixed.map((frame) =>
      all.add(chunkOf(frame, most) ?? { id: '', index: 0, total: 0, data: new Uint8Array() }),
    );
    expect(answers.slice(0, -2)).toEqual(mixed.slice(0, -2).map(() => null));
    expect(answers.slice(-2)).toEqual(['a', 'b'].map((name) => JSON.stringify(name.repeat(300 * KB))));
  });
});

describe('a piece is refused', () => {
  const frame = (fields: object) =>
    `{"type":"chunk",${JSON.stringify({ id: 'a', index: 0, total: 2, data: 'AAAA', ...fields }).slice(1)}`;

  test('unless it breaks nothing', () => {
    expect(chunkOf(frame({}), most)).toEqual({ id: 'a', index: 0, total: 2, data: new Uint8Array(3) });
  });

  test.each([
    ['no id', { id: undefined }],
    ['an empty id', { id: '' }],
    ['a long id', { id: 'x'.repeat(65) }],
    ['an id that is no text', { id: 7 }],
    ['an index below zero', { index: -1 }],
    ['an index past the last', { index: 2 }],
    ['half an index', { index: 0.5 }],
    ['more pieces than a message may have', { total: most + 1 }],
    ['no pieces', { total: 0 }],
    ['a total that is no number', { total: '2' }],
    ['data that is no base64', { data: 'AA-A' }],
    ['data that is cut', { data: 'AAA' }],
    ['too much data', { data: 'A'.repeat(chunking.dataCharacters + 4) }],
  ])('with %s', (_, fields) => {
    expect(chunkOf(frame(fields), most)).toBeNull();
  });

  test('that is no JSON', () => {
    expect(chunkOf('{"type":"chunk",', most)).toBeNull();
  });
});
