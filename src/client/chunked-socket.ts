import { GRAPHQL_TRANSPORT_WS_PROTOCOL } from 'graphql-ws/client';
import { chunkedProtocol, chunkOf, isChunk, pieces, split } from '../protocol/chunks.js';

/** What is used of a WebSocket: the browser's, Node's, or that of the package `ws`. */
export interface Socket {
  readonly readyState: number;
  readonly protocol: string;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  send(data: string): void;
  close(code?: number, reason?: string): void;
}

export type SocketConstructor = new (url: string, protocols: string[]) => Socket;

/** Tells the messages of one sender apart; the server keeps senders apart. */
const newId = () => `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;

type Listener = ((event: unknown) => void) | null;

/**
 * The server closes connections from which it takes more than fifty frames in a second. At most forty go in one, so that it may be late and find those of
 * more than one at its door.
 */
const burst = 20;
const refillMs = 50;
/** The largest answer of the server, 32 MiB of stored JSON, and what is around it. */
const mostPieces = 512;
const open = 1;

/**
 * A WebSocket for graphql-ws that offers the server to speak in pieces, and takes part in it without anyone noticing; with a server that does not, it is
 * an ordinary one. It sends no faster than the server listens.
 */
export function chunkedSocket(Base: SocketConstructor): new (url: string) => object {
  return class ChunkedSocket {
    static readonly CONNECTING = 0;
    static readonly OPEN = open;
    static readonly CLOSING = 2;
    static readonly CLOSED = 3;

    onopen: Listener = null;
    onmessage: Listener = null;
    onerror: Listener = null;
    onclose: Listener = null;
    readonly #inner: Socket;
    readonly #pieces = pieces();
    readonly #waiting: string[] = [];
    #allowed = burst;
    #timer: ReturnType<typeof setInterval> | null = null;

    constructor(url: string) {
      const inner = new Base(url, [chunkedProtocol, GRAPHQL_TRANSPORT_WS_PROTOCOL]);
      this.#inner = inner;
      inner.onopen = (event: unknown) => this.onopen?.(event);
      inner.onerror = (event: unknown) => this.onerror?.(event);
      inner.onmessage = ({ data }: { readonly data: unknown }) => this.#hear(String(data));
      inner.onclose = (event: unknown) => {
        this.#rest();
        this.onclose?.(event);
      };
    }

    get readyState(): number {
      return this.#inner.readyState;
    }

    send(message: string): void {
      const frames = this.#inner.protocol === chunkedProtocol ? split(message, newId) : [message];
      this.#waiting.push(...frames);
      this.#sendOn();
    }

    close(code?: number, reason?: string): void {
      this.#rest();
      this.#inner.close(code, reason);
    }

    #hear(frame: string): void {
      const isPiece = this.#inner.protocol === chunkedProtocol && isChunk(frame);
      const chunk = isPiece ? chunkOf(frame, mostPieces) : null;
      // graphql-ws refuses what is no message, a broken piece too, and closes the connection.
      const message = chunk ? this.#pieces.add(chunk) : frame;
      if (message !== null) this.onmessage?.({ data: message });
    }

    #sendOn(): void {
      while (this.#allowed > 0 && this.#inner.readyState === open) {
        const frame = this.#waiting.shift();
        if (frame === undefined) break;
        this.#allowed -= 1;
        this.#inner.send(frame);
      }
      if (this.#allowed < burst) this.#timer ??= setInterval(() => this.#refill(), refillMs);
    }

    #refill(): void {
      this.#allowed += 1;
      if (this.#waiting.length > 0) this.#sendOn();
      else if (this.#allowed === burst) this.#rest();
    }

    #rest(): void {
      if (this.#timer !== null) clearInterval(this.#timer);
      this.#timer = null;
    }
  };
}
