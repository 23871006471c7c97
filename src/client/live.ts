import type { TypedDocumentString } from '../generated/client.js';
import { backOff, type Pauses } from './back-off.js';
import type { SocketConstructor } from './chunked-socket.js';
import type { Credential } from './credential.js';
import type { Deliveries, Resumable } from './cursor.js';
import { results } from './follower.js';
import { socketTransport } from './socket-transport.js';
import { sseTransport } from './sse-transport.js';
import { Disconnection } from './transport.js';

/** How the connection is doing. */
export interface ConnectionState {
  /** `idle`: nothing is followed. `waiting`: it was lost, and is tried again after a pause. `closed`: for good. */
  readonly phase: 'idle' | 'connecting' | 'connected' | 'waiting' | 'closed';
  /** Why it ended last; null when it has not. */
  readonly reason: Disconnection | null;
}

/** Where to follow, and as whom. */
export interface LiveOptions {
  /** The address of /graphql, as for canopyClient. */
  readonly url: string;
  readonly credential?: Credential;
  /** `sse` where WebSockets do not pass: an HTTP request for each that is followed, of which a browser keeps six to a host unless it speaks HTTP/2. */
  readonly transport?: 'websocket' | 'sse';
  /** What `connection_init` says besides the credential. */
  readonly connectionParams?: Readonly<Record<string, unknown>>;
  /** For Node before 22, which has none of its own: that of the package `ws`. */
  readonly webSocket?: SocketConstructor;
  /** Between tries; 250 ms to 30 s when left out. */
  readonly pauses?: Pauses;
}

/** Live data over one WebSocket, or an event stream for each subscription, opened when it is needed. */
export interface LiveClient {
  /**
   * The results of a subscription, each once and in order, whatever happens to the connection: it goes on behind the cursor of the last one, as long as the
   * server keeps what came after. Without `after` it begins with what happens once the server has heard of it; whoever may miss nothing since they read
   * something gives the cursor that they have from there.
   * Ends when the server completes the subscription, by `return()`, or when `signal` is aborted. Throws OperationError for what the server refuses
   * (CURSOR_EXPIRED, NOT_FOUND, FORBIDDEN …), and Disconnection when trying again would not help or the client was closed.
   */
  follow<Result extends Deliveries, Variables extends Resumable>(
    document: TypedDocumentString<Result, Variables>,
    variables: Variables,
    options?: { readonly signal?: AbortSignal },
  ): AsyncIterableIterator<Result>;
  readonly state: ConnectionState;
  /** Calls `listener` at each change of the state. Returns what ends that. */
  onState(listener: (state: ConnectionState) => void): () => void;
  /** Ends the connection and all that is followed. */
  close(): void;
}

export function liveClient(options: LiveOptions): LiveClient {
  const { url, credential, connectionParams, webSocket, pauses } = options;
  const listeners = new Set<(state: ConnectionState) => void>();
  let state: ConnectionState = { phase: 'idle', reason: null };
  const set = (phase: ConnectionState['phase'], reason: Disconnection | null = state.reason) => {
    if (state.phase === 'closed') return;
    state = { phase, reason };
    for (const listener of listeners) listener(state);
  };
  const tries = backOff(pauses ?? { leastMs: 250, mostMs: 30_000 });
  const watch = {
    connecting: () => set('connecting'),
    connected() {
      tries.reset();
      set('connected');
    },
    disconnected: (error: Disconnection) => set(after(error), error),
  };
  const transport =
    options.transport === 'sse'
      ? sseTransport({ url, credential, watch })
      : socketTransport({ url, credential, connectionParams, webSocket: webSocket ?? ownWebSocket(), watch });

  return {
    follow(document, variables, { signal } = {}) {
      if (state.phase === 'closed') throw new Disconnection('final', 'The client was closed.');
      const leaving = new AbortController();
      const signals = signal ? AbortSignal.any([signal, leaving.signal]) : leaving.signal;
      const found = results({ transport, pauses: tries }, document, variables, signals);
      return {
        [Symbol.asyncIterator]() {
          return this;
        },
        next: () => found.next(),
        // A bare generator would hold on until its next result.
        return() {
          leaving.abort();
          return found.return();
        },
      };
    },
    get state() {
      return state;
    },
    onState(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close() {
      transport.close('final');
      set('closed', null);
    },
  };
}

/** 1000 is our own: nothing is followed any more. */
function after({ kind, code }: Disconnection): ConnectionState['phase'] {
  if (kind === 'final' || code === 1000) return 'idle';
  return kind === 'planned' ? 'connecting' : 'waiting';
}

function ownWebSocket(): SocketConstructor {
  const found: unknown = Reflect.get(globalThis, 'WebSocket');
  if (typeof found !== 'function')
    throw new Error('There is no WebSocket here: give one, such as that of the package `ws`.');
  return found as SocketConstructor;
}
