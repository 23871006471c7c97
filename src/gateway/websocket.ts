import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { GRAPHQL_TRANSPORT_WS_PROTOCOL } from 'graphql-ws';
import { type ServerOptions, WebSocketServer } from 'ws';
import { chunkedProtocol } from '../protocol/chunks.js';
import type { EdgeParts } from './edge.js';
import { refuseRaw } from './http/raw.js';
import { requestIdOf } from './http/request.js';
import { framings } from './socket/chunked.js';
import { confirm, connectionOf } from './socket/connection.js';
import { protocolOf } from './socket/protocol.js';
import { carry, close } from './socket/transport.js';
import { roadOf } from './subscriptions/road.js';

const maxFragments = 64;
/** How long a peer may take to answer that it is being closed. */
const closeMs = 1_000;
/** Word of a revocation comes with the next event; where none comes, within this. */
const recheckMs = 3_000;
const sliceMs = 50;

/** The WebSocket side of /graphql, where subscriptions run. */
export interface WebSockets {
  /** Refuses new clients, and tells every other that the server goes away (1001). Resolves when all are gone. */
  close(): Promise<void>;
}

/** Answers the upgrades of a server. */
export function webSockets(server: Server, parts: EdgeParts): WebSockets {
  const { app, settings, connections, limits } = parts;
  const protocol = protocolOf(parts, roadOf(parts), limits);
  const framing = framings(app);
  // The types of ws do not know of closeTimeout yet.
  const options: ServerOptions & { closeTimeout: number } = {
    noServer: true,
    maxPayload: limits.messageBytes,
    maxFragments,
    closeTimeout: closeMs,
    handleProtocols: choose,
  };
  const sockets = new WebSocketServer(options);

  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const requestId = requestIdOf(request);
    if (parts.draining())
      return refuseRaw(socket, {
        status: 503,
        code: 'SERVICE_UNAVAILABLE',
        message: 'The server is shutting down.',
        requestId,
      });
    if (request.url?.split('?')[0] !== '/graphql')
      return refuseRaw(socket, {
        status: 404,
        code: 'NOT_FOUND',
        message: 'There is nothing at this address.',
        requestId,
      });
    sockets.handleUpgrade(request, socket, head, (opened) => {
      const connection = connectionOf(opened, request, settings);
      carry(protocol, connection, opened, { framing: framing.of(connection, opened), limits }, app.log);
    });
  });
  sockets.on('wsClientError', (_error, socket, request) => {
    refuseRaw(socket, {
      status: 400,
      code: 'BAD_REQUEST',
      message: 'Only WebSocket, version 13, can be upgraded to.',
      requestId: requestIdOf(request),
    });
  });

  let round = connections.all.values();
  // A few at a time: ten thousand in one go would hold up everybody else.
  const recheck = setInterval(() => {
    for (let left = Math.ceil((connections.all.size * sliceMs) / recheckMs); left > 0; left -= 1) {
      const { value: connection, done } = round.next();
      if (done) {
        round = connections.all.values();
        return;
      }
      // What cannot be found out now is asked again, and before anything is delivered.
      confirm(app, connection).catch((error: unknown) =>
        app.log.warn('A credential could not be confirmed.', { requestId: connection.request.requestId, error }),
      );
    }
  }, sliceMs);
  recheck.unref();

  return {
    async close() {
      clearInterval(recheck);
      framing.stop();
      const gone = [...sockets.clients].map((socket) => new Promise((resolve) => socket.once('close', resolve)));
      for (const socket of sockets.clients) close(socket, 1001, 'Going away');
      await Promise.all(gone);
      sockets.close();
    },
  };
}

/** Who can take messages in pieces gets them so where they are long. */
const choose = (offered: ReadonlySet<string>) =>
  [chunkedProtocol, GRAPHQL_TRANSPORT_WS_PROTOCOL].find((protocol) => offered.has(protocol)) ?? false;
