import { CloseCode, createClient } from 'graphql-ws/client';
import { chunkedSocket, type SocketConstructor } from './chunked-socket.js';
import { OperationError } from './client.js';
import { type Credential, renewalOf } from './credential.js';
import { type Answer, Disconnection, type Transport, type Watch } from './transport.js';

export interface SocketOptions {
  /** The address of /graphql, http(s) or ws(s). */
  readonly url: string;
  readonly credential?: Credential | undefined;
  /** More of what `connection_init` says. */
  readonly connectionParams?: Readonly<Record<string, unknown>> | undefined;
  readonly webSocket: SocketConstructor;
  readonly watch: Watch;
}

const acknowledgedWithinMs = 10_000;
/** A connection that is silent is asked whether it is there, and given up when it does not say so in time. */
const silenceMs = 10_000;
const pongWithinMs = 5_000;
/** What the next subscription may come in, so that the connection stays. */
const idleMs = 300;

/** Subscriptions over one WebSocket, which is opened for the first and closed behind the last. */
export function socketTransport({ url, credential, connectionParams, webSocket, watch }: SocketOptions): Transport {
  let ending: 'planned' | 'final' | null = null;
  let wasAccepted = false;
  let renewal: ReturnType<typeof setTimeout> | undefined;
  let pong: ReturnType<typeof setTimeout> | undefined;

  async function greeting(): Promise<Record<string, unknown>> {
    const token = await credential?.();
    clearTimeout(renewal);
    const inMs = token === undefined ? null : renewalOf(token);
    if (inMs !== null) renewal = setTimeout(() => end('planned'), inMs);
    return { ...connectionParams, ...(token !== undefined && { authorization: `Bearer ${token}` }) };
  }

  function end(kind: 'planned' | 'final'): void {
    ending = kind;
    client.terminate();
  }

  /** What each ending meant when it came; others may have begun anew before all have heard of it. */
  const meant = new WeakMap<object, Disconnection>();
  const meaning = (event: unknown) =>
    (typeof event === 'object' && event !== null && meant.get(event)) || disconnectionOf(event, ending, wasAccepted);

  const client = createClient({
    url: url.replace(/^http/, 'ws'),
    webSocketImpl: chunkedSocket(webSocket),
    connectionParams: greeting,
    connectionAckWaitTimeout: acknowledgedWithinMs,
    keepAlive: silenceMs,
    lazyCloseTimeout: idleMs,
    retryAttempts: 0,
    on: {
      connecting() {
        ending = null;
        wasAccepted = false;
        watch.connecting();
      },
      connected() {
        wasAccepted = true;
        watch.connected();
      },
      ping(isReceived) {
        if (!isReceived) pong = setTimeout(() => client.terminate(), pongWithinMs);
      },
      pong(isReceived) {
        if (isReceived) clearTimeout(pong);
      },
      closed(event) {
        clearTimeout(renewal);
        clearTimeout(pong);
        const error = meaning(event);
        if (typeof event === 'object' && event !== null) meant.set(event, error);
        watch.disconnected(error);
      },
    },
  });

  return {
    subscribe(request, sink) {
      let isOver = false;
      const once = (tell: () => void) => {
        if (isOver) return;
        isOver = true;
        tell();
      };
      const leave = client.subscribe(
        {
          query: request.query,
          // Read when it is sent, which graphql-ws may do again.
          get variables() {
            return request.variables();
          },
        },
        {
          next: (answer) => {
            if (!isOver) sink.next(answer as Answer);
          },
          error: (cause) => once(() => sink.failed(Array.isArray(cause) ? new OperationError(cause) : meaning(cause))),
          complete: () => once(() => sink.completed()),
        },
      );
      return () => {
        isOver = true;
        leave();
      };
    },
    close: end,
  };
}

/** What the server will say again whenever it is asked. */
const final: readonly number[] = [
  CloseCode.BadRequest,
  CloseCode.BadResponse,
  CloseCode.Unauthorized,
  CloseCode.SubprotocolNotAcceptable,
  CloseCode.SubscriberAlreadyExists,
];
const tooBig = 1009;

/** A credential that was refused at once will be refused again; one that was accepted before has only run out. */
function disconnectionOf(event: unknown, ending: 'planned' | 'final' | null, wasAccepted: boolean): Disconnection {
  const { code, reason } = closingOf(event);
  const message = `The connection ended${reason ? `: ${reason}` : ''}${code === null ? '' : ` (${code})`}.`;
  const isFinal =
    code !== null && (final.includes(code) || code === tooBig || (code === CloseCode.Forbidden && !wasAccepted));
  return new Disconnection(ending ?? (isFinal ? 'final' : 'passing'), message, code, event);
}

function closingOf(event: unknown): { readonly code: number | null; readonly reason: string } {
  if (typeof event !== 'object' || event === null) return { code: null, reason: '' };
  const code = 'code' in event && typeof event.code === 'number' ? event.code : null;
  const reason = 'reason' in event && typeof event.reason === 'string' ? event.reason : '';
  return { code, reason: reason || (event instanceof Error ? event.message : '') };
}
