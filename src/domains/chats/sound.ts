import type { Delta } from './stream.js';

/** What a model says as it can be kept: nothing of it is U+0000 or half a character. */
export function sound<Value>(value: Value): Value {
  return soundly(value) as Value;
}

function soundly(value: unknown): unknown {
  if (typeof value === 'string') return value.toWellFormed().replaceAll('\u0000', '\ufffd');
  if (Array.isArray(value)) return value.map(soundly);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [sound(key), soundly(item)]));
}

const firstHalf = /[\ud800-\udbff]$/;

/** Deltas that can be written now, and the first half of a character at their end, which waits for the second. */
export function wholeCharacters(deltas: readonly Delta[]): {
  readonly whole: readonly Delta[];
  readonly rest: Delta[];
} {
  const last = deltas.at(-1);
  const text = last && ('text' in last ? last.text : 'reasoning' in last ? last.reasoning : '');
  if (!last || !text || !firstHalf.test(text)) return { whole: deltas, rest: [] };
  const same = (piece: string): Delta => ('text' in last ? { text: piece } : { reasoning: piece });
  const begun = text.slice(0, -1);
  return { whole: [...deltas.slice(0, -1), ...(begun === '' ? [] : [same(begun)])], rest: [same(text.slice(-1))] };
}
