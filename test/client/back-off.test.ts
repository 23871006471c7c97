import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { backOff } from '../../src/client/back-off.js';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

const pauses = { leastMs: 100, mostMs: 1_000 };
const never = new AbortController().signal;

/** How long a wait takes. */
async function lasting(wait: Promise<void>): Promise<number> {
  let isOver = false;
  void wait.then(() => {
    isOver = true;
  });
  for (let ms = 0; ; ms += 1) {
    await jest.advanceTimersByTimeAsync(ms === 0 ? 0 : 1);
    if (isOver) return ms;
  }
}

test('pauses grow up to the longest, and are short again when all is well', async () => {
  const tries = backOff(pauses, () => 1);
  const lengths: number[] = [];
  for (let at = 0; at < 6; at += 1) lengths.push(await lasting(tries.wait(never)));
  expect(lengths).toEqual([100, 200, 400, 800, 1_000, 1_000]);
  tries.reset();
  expect(await lasting(tries.wait(never))).toBe(100);
});

test('no two clients pause alike: a pause is drawn between its half and its whole', async () => {
  const [low, high] = [backOff(pauses, () => 0), backOff(pauses, () => 0.999)];
  expect([await lasting(low.wait(never)), await lasting(low.wait(never))]).toEqual([50, 100]);
  expect([await lasting(high.wait(never)), await lasting(high.wait(never))]).toEqual([99, 199]);
});

test('those who have failed together try together', async () => {
  const tries = backOff(pauses, () => 1);
  const together = Promise.all([tries.wait(never), tries.wait(never), tries.wait(never)]).then(() => {});
  expect(await lasting(together)).toBe(100);
  expect(await lasting(tries.wait(never))).toBe(200);
});

test('whoever leaves waits no longer', async () => {
  const tries = backOff(pauses, () => 1);
  const leaving = new AbortController();
  const left = tries.wait(leaving.signal);
  leaving.abort();
  expect(await lasting(left)).toBe(0);
  expect(await lasting(tries.wait(leaving.signal))).toBe(0);
});
