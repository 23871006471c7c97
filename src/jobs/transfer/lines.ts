import { isObject } from '../../core/json.js';
import { type Item, maxLineBytes } from './format.js';

/** One line of a file. */
export interface Line {
  /** 1 for the first. */
  readonly number: number;
  /** Where it ends in the file, in bytes. */
  readonly end: number;
  /** Null when it holds none. */
  readonly item: Item | null;
  /** Why it holds none. */
  readonly fault: string | null;
}

/** The lines of a file one after the other, of which the next can be looked at. */
export interface Lines {
  next(): Promise<Line | null>;
  peek(): Promise<Line | null>;
}

const newline = 0x0a;

/** The lines of some bytes; no more of them is held than one line. What is longer than it may be is passed over. */
export async function* linesOf(body: AsyncIterable<Buffer>): AsyncGenerator<Line> {
  let held: Buffer[] = [];
  let size = 0;
  let number = 0;
  let end = 0;
  const take = (piece: Buffer) => {
    size += piece.length;
    if (size <= maxLineBytes) held.push(piece);
    else held = [];
  };
  /** Nothing for an empty line. */
  function* finish(): Generator<Line> {
    number += 1;
    if (size > 0) yield { number, end, ...itemOf(size, held) };
    [held, size] = [[], 0];
  }
  for await (const chunk of body) {
    let from = 0;
    for (let at = chunk.indexOf(newline); at >= 0; at = chunk.indexOf(newline, from)) {
      take(chunk.subarray(from, at));
      end += at + 1 - from;
      from = at + 1;
      yield* finish();
    }
    take(chunk.subarray(from));
    end += chunk.length - from;
  }
  yield* finish();
}

const decoder = new TextDecoder('utf-8', { fatal: true });
const nothing = (fault: string) => ({ item: null, fault });

function itemOf(size: number, held: readonly Buffer[]): Pick<Line, 'item' | 'fault'> {
  if (size > maxLineBytes) return nothing(`It has ${size} bytes, at most ${maxLineBytes} are read.`);
  const item = parsed(Buffer.concat(held));
  if (!isObject(item)) return nothing('It is no JSON object.');
  const { kind } = item;
  // The header has none.
  return { item: { ...item, kind: typeof kind === 'string' ? kind : '' }, fault: null };
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(decoder.decode(bytes));
  } catch {
    return null; // Neither UTF-8 nor JSON is no object, which the caller says.
  }
}

export function peekable(source: AsyncGenerator<Line>): Lines {
  let held: Promise<Line | null> | null = null;
  const read = async () => (await source.next()).value ?? null;
  return {
    peek: () => (held ??= read()),
    next() {
      const one = held ?? read();
      held = null;
      return one;
    },
  };
}
