import type { Socket } from 'node:net';
import type { Server as ProtocolServer } from 'graphql-ws';
import { CloseCode, GRAPHQL_TRANSPORT_WS_PROTOCOL } from 'graphql-ws';
import type { WebSocket } from 'ws';
import type { Log } from '../../platform/log.js';
import type { SocketLimits } from '../limits/socket.js';
import type { Framing } from './chunked.js';
import type { Carrier, Connection } from './connection.js';

const unreadBytes = 1024 * 1024;
const littleBytes = 16 * 1024;
const maxReasonBytes = 123;
/** Tells clients to come back later; from the registry of RFC 6455. */
export const tryAgainLater = 1013;

/** The protocol's server, whose `extra` is our connection. */
export type Protocol = ProtocolServer<Connection>;

/** Carries the protocol over an open socket, within its bounds: messages a second, unread output, and silence. */
export function carry(
  protocol: Protocol,
  connection: Connection,
  socket: WebSocket,
  { framing, limits }: { readonly framing: Framing; readonly limits: SocketLimits },
  log: Log,
): void {
  const { request } = connection;
  const allows = messageRate(limits.messagesPerSecond);
  const stopHeartbeat = heartbeat(socket, limits.pingMs);
  const send = sender(socket, connection.upgrade.socket, (code, reason) => {
    log.info('A connection was closed.', { requestId: request.requestId, code, reason });
    close(socket, code, reason);
  });
  const closed = protocol.opened(
    {
      // However its messages are framed, it is this protocol that a socket speaks.
      protocol: socket.protocol && GRAPHQL_TRANSPORT_WS_PROTOCOL,
      async send(text) {
        for (const frame of framing.split(text)) await send(frame);
      },
      close: (code, reason) => close(socket, code ?? CloseCode.InternalServerError, reason ?? ''),
      onMessage(answer) {
        const answered = async (message: string) => {
          try {
            await answer(message);
          } catch (error) {
            log.error('A message over WebSocket could not be answered.', { requestId: request.requestId, error });
            close(socket, CloseCode.InternalServerError, 'Internal server error');
          }
        };
        socket.on('message', (data) => {
          if (socket.readyState !== socket.OPEN) return;
          if (!allows()) return close(socket, CloseCode.TooManyInitialisationRequests, 'Too many messages');
          framing.receive(String(data), answered);
        });
      },
    },
    connection,
  );
  socket.on('ping', () => allows() || close(socket, CloseCode.TooManyInitialisationRequests, 'Too many messages'));
  // ws closes the socket itself, with the code that fits: a frame that is too large, or none at all.
  socket.on('error', (error) => log.info('A socket failed.', { requestId: request.requestId, reason: error.message }));
  socket.once('close', (code, reason) => {
    stopHeartbeat();
    closed(code, String(reason)).catch((error: unknown) =>
      log.error('A socket could not be cleaned up.', { requestId: request.requestId, error }),
    );
  });
}

/** Closes a socket; what is said after is not heard. A peer that does not answer is cut off by ws. */
export function close(socket: Carrier, code: number, reason: string): void {
  // A close frame holds 123 bytes of reason.
  socket.close(
    code,
    Buffer.from(reason)
      .subarray(0, maxReasonBytes)
      .toString()
      .replace(/\ufffd+$/, ''),
  );
}

/**
 * Sends text. Resolves once the system has taken it, so that a slow reader is sent no more than they read; at once as long as little waits. What comes
 * after another text in one turn of the event loop goes in one piece with what follows it then.
 */
function sender(
  socket: WebSocket,
  raw: Socket,
  refuse: (code: number, reason: string) => void,
): (text: string) => Promise<void> {
  let sent = 0;
  const flush = () => {
    if (sent > 1) raw.uncork();
    sent = 0;
  };
  return (text) =>
    new Promise((resolve) => {
      if (socket.readyState !== socket.OPEN) return resolve();
      if (socket.bufferedAmount > unreadBytes) {
        refuse(tryAgainLater, 'Too much unread output');
        return resolve();
      }
      sent += 1;
      if (sent === 1) setImmediate(flush);
      if (sent === 2) raw.cork();
      // An error here is that of the socket, which tells it by itself.
      socket.send(text, () => resolve());
      if (socket.bufferedAmount < littleBytes) resolve();
    });
}

/** Answers whether one more message is allowed in this second. */
function messageRate(perSecond: number): () => boolean {
  let from = 0;
  let count = 0;
  return () => {
    const now = performance.now();
    if (now - from >= 1_000) {
      from = now;
      count = 0;
    }
    return ++count <= perSecond;
  };
}

/** Cuts off a peer that does not answer a ping before the next one. */
function heartbeat(socket: WebSocket, everyMs: number): () => void {
  let alive = true;
  socket.on('pong', () => {
    alive = true;
  });
  const timer = setInterval(() => {
    if (!alive) return socket.terminate();
    alive = false;
    socket.ping();
  }, everyMs);
  return () => clearInterval(timer);
}
