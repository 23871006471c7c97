import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Viewer } from '../../core/context.js';
import { AppError } from '../../core/errors.js';
import { contextFor } from '../../core/operation.js';
import type { SessionClaim } from '../../domains/realtime/client-sessions.js';
import { liveConnections } from '../../domains/realtime/live-connections.js';
import { claimedSession } from '../client-session.js';
import type { EdgeParts } from '../edge.js';
import type { Exchange } from '../http/request.js';
import { credentialsOf } from '../socket/connection.js';
import type { Road } from '../subscriptions/road.js';
import { type Form, sharedEvents } from './form.js';
import { type Stream, streamOf } from './stream.js';

/** How long a place is kept for the stream that it was asked for. */
const reservedMs = 10_000;

/** The streams of this process. They count as connections of their viewers, as sockets do. */
export interface Streams {
  /**
   * A new one for who asks, in the session of the client that the headers `x-client-uuid`, `x-client-session` and `x-client-ticket` tell of.
   * OVERLOADED when they have too many connections; what `claimedSession` refuses.
   */
  open(exchange: Exchange, form: Form): Promise<Stream>;
  /** Keeps a place for a stream of several subscriptions, and answers its name. */
  reserve(exchange: Exchange): Promise<string>;
  /** The stream of that name, for the viewer who reserved it; to everybody else, and when it has ended, NOT_FOUND. */
  named(exchange: Exchange, token: string): Stream;
  /** Tells everybody that the server goes away, and ends all. */
  close(): void;
}

/** The streams of a gateway. */
export function streamsOf({ app, settings, connections, draining }: EdgeParts, road: Road): Streams {
  const all = new Set<Stream>();
  const byToken = new Map<string, Stream>();

  async function open(exchange: Exchange, form: Form): Promise<Stream> {
    const { request: upgrade, viewer, requestId, ip } = exchange;
    const request = { requestId, ip };
    const credentials = credentialsOf({ upgrade }, {}, settings);
    const sessionId = await claimedSession(contextFor(app, viewer, request), claimOf(upgrade));
    if (draining()) throw goingAway();
    const from = {
      upgrade,
      request,
      credentials,
      viewer,
      isAdmitted: true,
      sessionId,
    };
    const stream = streamOf(road, form, from);
    const { socket } = stream.connection;
    connections.add(stream.connection);
    all.add(stream);
    socket.once('close', () => all.delete(stream));
    if (sessionId !== null) socket.once('close', liveConnections(app).open(sessionId));
    return stream;
  }

  return {
    open,
    async reserve(exchange) {
      const stream = await open(exchange, sharedEvents);
      const token = randomBytes(18).toString('base64url');
      byToken.set(token, stream);
      const late = setTimeout(() => {
        if (!stream.isAnswered) stream.end();
      }, reservedMs).unref();
      stream.connection.socket.once('close', () => {
        clearTimeout(late);
        byToken.delete(token);
      });
      return token;
    },
    named({ request: upgrade, viewer }, token) {
      const stream = byToken.get(token);
      if (!stream || !isSame(stream.connection.viewer, viewer))
        throw new AppError('NOT_FOUND', 'There is no such stream.');
      // The last credential that was shown is the one that is asked about: a token is renewed by using the next.
      stream.connection.credentials = credentialsOf({ upgrade }, {}, settings);
      return stream;
    },
    close() {
      for (const { connection } of all) connection.socket.close(1001, 'The server is shutting down; resume elsewhere.');
    },
  };
}

/** What a client says of itself in its headers. */
const claimOf = ({ headers }: IncomingMessage): SessionClaim => ({
  clientUuid: headers['x-client-uuid'],
  sessionId: headers['x-client-session'],
  ticket: headers['x-client-ticket'],
});

/** The refusal of everything new by a server that is about to end. */
export const goingAway = () =>
  new AppError('SERVICE_UNAVAILABLE', 'The server is shutting down; try again.', {
    retryable: true,
    retryAfterSeconds: 1,
  });

/** Whether two requests come from one viewer, by one session or key and with the same scopes. */
function isSame(one: Viewer | null, other: Viewer | null): boolean {
  return identity(one) === identity(other);
}

const identity = (viewer: Viewer | null) =>
  viewer &&
  JSON.stringify([
    viewer.userId,
    viewer.apiKeyId,
    viewer.organizationId,
    viewer.sessionId,
    viewer.scopes && [...viewer.scopes].sort(),
  ]);
