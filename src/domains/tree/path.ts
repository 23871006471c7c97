import { badInput } from '../../core/errors.js';

export const maxPathBytes = 1_024;
export const maxSegments = 32;
export const maxSegmentBytes = 255;
/** Paths at or below it belong to the system: read by all who read, written by nobody. */
export const reserved = '/_system';

// Letters, marks, numbers, punctuation, symbols, inner spaces; the zero-width joiners that some scripts and emoji are written with.
const allowed = /^[\p{L}\p{M}\p{N}\p{P}\p{S}\p{Zs}\u200c\u200d]+$/u;
// Percent-encoded once or more, overlong or not: what stands behind us may decode.
const encoded = /%(25)*(00|2e|2f|5c|c0|c1|e0%(25)*80)/i;
const edgeSpace = /^\p{Zs}|\p{Zs}$/u;
const visible = /[\p{L}\p{N}\p{P}\p{S}]/u;

// In any width: the form that compares by compatibility finds them in `．．` and `‥` too.
const dots = new Set(['.', '..']);

/** What most paths are made of: nothing below is about them but the numbers. */
const plain = /^(?:\/[a-zA-Z0-9_-]{1,255}){1,32}$/;

/** What is wrong with a path, in words; null when nothing is. */
function fault(path: string): string | null {
  if (path.length <= maxPathBytes && plain.test(path)) return null;
  if (!path.isWellFormed()) return 'must be well-formed Unicode';
  if (path === '/') return null;
  if (!path.startsWith('/')) return 'must begin with /';
  if (path.endsWith('/')) return 'must not end with /';
  if (Buffer.byteLength(path) > maxPathBytes) return `must be at most ${maxPathBytes} bytes`;
  const segments = path.slice(1).split('/');
  if (segments.length > maxSegments) return `must have at most ${maxSegments} segments`;
  for (const segment of segments) {
    if (segment === '') return 'must not have empty segments';
    if (dots.has(segment.normalize('NFKC'))) return 'must not have the segments . and ..';
    if (Buffer.byteLength(segment) > maxSegmentBytes) return `must have segments of at most ${maxSegmentBytes} bytes`;
    if (segment.includes('\\')) return 'must not have backslashes';
    if (encoded.test(segment)) return 'must not have encoded dots, slashes or NUL';
    if (!allowed.test(segment)) return 'must not have control, format, bidi or unassigned characters';
    if (!visible.test(segment)) return 'must not have segments of which nothing is seen';
    if (edgeSpace.test(segment)) return 'must not have segments that begin or end with a space';
  }
  return null;
}

/** The path in its one form, NFC. BAD_USER_INPUT, naming `argument`, for text that is no path. */
export function parsePath(text: string, argument = 'path'): string {
  // Only what is near the limit is worth normalising: NFC of a megabyte is work for nothing.
  if (text.length > maxPathBytes * 4) throw badInput(argument, `must be at most ${maxPathBytes} bytes`);
  const path = text.normalize('NFC');
  const wrong = fault(path);
  if (wrong) throw badInput(argument, wrong);
  return path;
}

/** A path that people may write to. */
export function writablePath(text: string, argument = 'path'): string {
  const path = parsePath(text, argument);
  if (isAtOrBelow(path, reserved)) throw badInput(argument, `${reserved} is reserved`);
  return path;
}

/** The last segment; empty for the root. */
export const nameOf = (path: string) => path.slice(path.lastIndexOf('/') + 1);

/** The path one level up; the root's is empty, so that it is nobody's child. */
export function parentOf(path: string): string {
  if (path === '/') return '';
  return path.slice(0, path.lastIndexOf('/')) || '/';
}

/** How many segments; 0 for the root. */
export const depthOf = (path: string) => (path === '/' ? 0 : path.split('/').length - 1);

/** Whether `path` is `prefix` or lies below it, by whole segments. */
export function isAtOrBelow(path: string, prefix: string): boolean {
  return path === prefix || prefix === '/' || path.startsWith(`${prefix}/`);
}

/** The paths strictly below `prefix` are those between these two, by bytes: `0` is what follows `/`. */
export function below(prefix: string): { readonly from: string; readonly to: string } {
  return prefix === '/' ? { from: '/', to: '0' } : { from: `${prefix}/`, to: `${prefix}0` };
}

/** Where `path`, which lies at or below `from`, is once `from` has become `to`. BAD_USER_INPUT when that would be no path. */
export function rebase(path: string, from: string, to: string): string {
  const rest = from === '/' ? (path === '/' ? '' : path) : path.slice(from.length);
  return parsePath(to === '/' ? rest || '/' : `${to}${rest}`, 'toPath');
}
