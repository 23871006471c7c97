import { badInput } from './errors.js';

export const maxLevels = 64;

/** Text that the database keeps and every client can read back. */
export const isSoundText = (text: string): boolean => text.isWellFormed() && !text.includes('\u0000');

/** RFC 8785: no spaces, keys sorted by UTF-16 code units, numbers and strings as ECMAScript writes them. BAD_USER_INPUT names `argument`. */
export function canonicalJson(value: unknown, argument: string, level = 0): string {
  if (value === null || value === undefined || typeof value === 'boolean') return String(value ?? null);
  if (typeof value === 'string') return string(value, argument);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw badInput(argument, 'numbers must be finite');
    return JSON.stringify(value);
  }
  if (typeof value !== 'object') throw badInput(argument, 'must be JSON');
  if (level >= maxLevels) throw badInput(argument, `must be at most ${maxLevels} levels deep`);
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item, argument, level + 1)).join()}]`;
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, item]) => `${string(key, argument)}:${canonicalJson(item, argument, level + 1)}`).join()}}`;
}

function string(text: string, argument: string): string {
  if (text.includes('\u0000')) throw badInput(argument, 'text must not hold U+0000');
  if (!text.isWellFormed()) throw badInput(argument, 'text must not hold lone surrogates');
  return JSON.stringify(text);
}

/** RFC 7396: null removes a key, objects merge, everything else replaces. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  // A Map, because `__proto__` is data like any other key.
  const merged = new Map(Object.entries(isObject(target) ? target : {}));
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key);
    else merged.set(key, mergePatch(merged.get(key), value));
  }
  return Object.fromEntries(merged);
}

/** Whether a value is a JSON object. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
