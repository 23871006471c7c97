/**
 * The sub-protocol `graphql-transport-ws.chunked.v1`: graphql-transport-ws for clients behind proxies that cut frames of more than 240 KB. A message of
 * more than 230 KB goes as several frames, each with a piece of its UTF-8 as base64; every other message is the same frame as in the plain protocol.
 * The pieces may come in any order, twice, and to any server that shares the database.
 *
 * A frame with a piece is `{"type":"chunk","id":…,"index":…,"total":…,"data":…}`, its members in this order and nothing between them.
 */
export const chunkedProtocol = 'graphql-transport-ws.chunked.v1';

const kilobyte = 1_024;

/** Bounds in bytes of UTF-8; `dataCharacters` in characters of base64. */
export const chunking = {
  /** Longer messages are split. */
  plainBytes: 230 * kilobyte,
  /** No frame of this protocol has more. */
  frameBytes: 240 * kilobyte,
  /** What one frame carries of a message: 200 KB as base64. */
  pieceBytes: 150 * kilobyte,
  dataCharacters: 200 * kilobyte,
} as const;

/** One piece of a message. */
export interface Chunk {
  /** Of the message: the sender's choice, 1–64 characters, new for each message. */
  readonly id: string;
  /** 0 for the first piece. */
  readonly index: number;
  /** How many pieces the message has. */
  readonly total: number;
  readonly data: Uint8Array;
}

/** Bytes as text; a server has a faster way than what every platform has. */
export interface Base64 {
  encode(bytes: Uint8Array): string;
  decode(text: string): Uint8Array;
}

const beginning = '{"type":"chunk",';

/** Whether a frame carries a piece of a message rather than a message. */
export const isChunk = (frame: string): boolean => frame.startsWith(beginning);

/** The frames that a message goes as: itself, unless it is too long for one. */
export function split(message: string, newId: () => string, { encode }: Base64 = portable): string[] {
  // Most messages are so short that their bytes need not be counted.
  if (message.length * 3 <= chunking.plainBytes) return [message];
  const bytes = new TextEncoder().encode(message);
  if (bytes.length <= chunking.plainBytes) return [message];
  const id = newId();
  const total = Math.ceil(bytes.length / chunking.pieceBytes);
  return Array.from({ length: total }, (_, index) => {
    const from = index * chunking.pieceBytes;
    const data = encode(bytes.subarray(from, from + chunking.pieceBytes));
    return `${beginning}"id":${JSON.stringify(id)},"index":${index},"total":${total},"data":"${data}"}`;
  });
}

/** The piece that a frame carries; null for one that breaks the protocol. A message of more than `most` pieces does. */
export function chunkOf(frame: string, most: number, { decode }: Base64 = portable): Chunk | null {
  const { id, index, total, data } = fieldsOf(frame);
  if (typeof id !== 'string' || id.length < 1 || id.length > 64) return null;
  if (!isWhole(total) || total < 1 || total > most) return null;
  if (!isWhole(index) || index < 0 || index >= total) return null;
  if (typeof data !== 'string' || data.length > chunking.dataCharacters || !isBase64(data)) return null;
  return { id, index, total, data: decode(data) };
}

const isWhole = (value: unknown): value is number => Number.isSafeInteger(value);
const isBase64 = (text: string) => text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text);

function fieldsOf(frame: string): { id?: unknown; index?: unknown; total?: unknown; data?: unknown } {
  try {
    // What begins as a chunk and is JSON is an object.
    return JSON.parse(frame) as object;
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}

/** The pieces of a message, put together by whoever gets all of them on one connection. */
export interface Pieces {
  /** Takes a piece; the message with the last of them, null before. */
  add(chunk: Chunk): string | null;
}

export function pieces(): Pieces {
  const begun = new Map<string, Map<number, Uint8Array>>();
  return {
    add({ id, index, total, data }) {
      const known = begun.get(id) ?? new Map<number, Uint8Array>();
      begun.set(id, known.set(index, data));
      if (known.size < total) return null;
      begun.delete(id);
      return textOf([...known].sort(([a], [b]) => a - b).map(([, piece]) => piece));
    },
  };
}

/** The text that the pieces are, in their order. Throws a TypeError when it is no UTF-8. */
function textOf(all: readonly Uint8Array[]): string {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  return all.map((piece) => decoder.decode(piece, { stream: true })).join('') + decoder.decode();
}

/** As many as a call may have arguments, with room to spare. */
const slice = 8_192;

const portable: Base64 = {
  encode(bytes) {
    let binary = '';
    for (let at = 0; at < bytes.length; at += slice) binary += String.fromCharCode(...bytes.subarray(at, at + slice));
    return btoa(binary);
  },
  decode(text) {
    const binary = atob(text);
    const bytes = new Uint8Array(binary.length);
    for (let at = 0; at < binary.length; at += 1) bytes[at] = binary.charCodeAt(at);
    return bytes;
  },
};
