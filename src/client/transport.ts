import type { GraphqlError } from './client.js';

/** A subscription as it goes over the wire. */
export interface Request {
  readonly query: string;
  /** As they are now. */
  variables(): Record<string, unknown>;
}

/** One result as the server sends it. */
export interface Answer {
  readonly data?: unknown;
  readonly errors?: readonly GraphqlError[];
}

/** Why a subscription ended that the server did not complete. */
export class Disconnection extends Error {
  override readonly name = 'Disconnection';
  /** `passing`: try again, after a pause. `planned`: at once, the client itself has ended the connection. `final`: it would only happen again. */
  readonly kind: 'passing' | 'planned' | 'final';
  /** The close code of a WebSocket, the status of an HTTP response; null when there was none. */
  readonly code: number | null;

  constructor(kind: Disconnection['kind'], message: string, code: number | null = null, cause?: unknown) {
    super(message, { cause });
    this.kind = kind;
    this.code = code;
  }
}

/** What a subscription is told. After `failed` or `completed` nothing more. */
export interface Sink {
  next(answer: Answer): void;
  failed(error: Error): void;
  completed(): void;
}

/** A way to the server. It does not try again by itself. */
export interface Transport {
  /** Begins a subscription. Returns what ends it; after that its sink hears nothing. */
  subscribe(request: Request, sink: Sink): () => void;
  /** Ends the connections; what runs over them fails with a Disconnection. */
  close(kind: 'planned' | 'final'): void;
}

/** What a transport reports of itself. */
export interface Watch {
  connecting(): void;
  connected(): void;
  disconnected(error: Disconnection): void;
}
