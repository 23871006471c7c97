import type { VectorMatch, VectorQuestion } from './vectors.js';

/** A row of the table Vector. */
export interface VectorRow {
  readonly resourceType: string;
  readonly resourceId: string;
  readonly chunk: number;
  readonly model: string;
  readonly revision: string;
  readonly numbers: Buffer;
}

interface Entry extends VectorMatch {
  readonly model: string;
  readonly vector: Float32Array;
}

/** How many are compared before others get their turn: some 5 ms. */
const pause = 4_000;
/** What an entry takes besides its numbers. */
const entryBytes = 300;

const keyOf = ({ resourceId, chunk }: { resourceId: string; chunk: number }) => `${resourceId} ${chunk}`;

/** The vectors of one namespace in memory, as of a revision. */
export class WarmNamespace {
  revision = '0';
  removals = '0';
  bytes = 0;
  readonly #entries = new Map<string, Entry>();

  put(row: VectorRow): void {
    const key = keyOf(row);
    const vector = floatsOf(row.numbers);
    const { resourceType, resourceId, chunk, model } = row;
    this.#drop(key);
    this.#entries.set(key, { resourceType, resourceId, chunk, model, vector, score: 0 });
    this.bytes += vector.byteLength + entryBytes;
  }

  /** Forgets all but these. */
  keep(rows: readonly { resourceId: string; chunk: number }[]): void {
    const kept = new Set(rows.map(keyOf));
    for (const key of [...this.#entries.keys()]) if (!kept.has(key)) this.#drop(key);
  }

  #drop(key: string): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    this.bytes -= entry.vector.byteLength + entryBytes;
    this.#entries.delete(key);
  }

  /** The nearest of all, exactly. */
  async nearest(vector: Float32Array, question: VectorQuestion, best = new Nearest(question.topK)): Promise<Nearest> {
    let compared = 0;
    for (const entry of this.#entries.values()) {
      if (entry.model !== question.model || question.types?.includes(entry.resourceType) === false) continue;
      best.add({ ...entry, score: dot(vector, entry.vector) });
      if ((compared += 1) % pause === 0) await new Promise(setImmediate);
    }
    return best;
  }
}

/** The best so many of what is added. */
export class Nearest {
  readonly #size: number;
  #found: VectorMatch[] = [];
  #least = Number.NEGATIVE_INFINITY;

  constructor(size: number) {
    this.#size = size;
  }

  add({ resourceType, resourceId, chunk, score }: VectorMatch): void {
    if (score < this.#least) return;
    this.#found.push({ resourceType, resourceId, chunk, score });
    // Sorted now and then, not at each.
    if (this.#found.length >= 4 * this.#size) this.#cut();
  }

  #cut(): void {
    this.#found.sort((a, b) => b.score - a.score || compare(keyOf(a), keyOf(b)));
    this.#found.length = Math.min(this.#found.length, this.#size);
    if (this.#found.length === this.#size) this.#least = this.#found.at(-1)?.score ?? this.#least;
  }

  sorted(): VectorMatch[] {
    this.#cut();
    return this.#found;
  }
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let at = 0; at < a.length; at += 1) sum += (a[at] as number) * (b[at] as number);
  return sum;
}

/** The numbers as they are stored: little-endian, 4 bytes each. */
export const bytesOf = (vector: Float32Array) => Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength);

/** A copy: a view would keep all that came with it from the database, and may not begin at a multiple of four. */
const floatsOf = (bytes: Buffer) =>
  new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
