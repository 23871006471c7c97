import type { IncomingMessage } from 'node:http';
import type { WebSocket } from 'ws';
import type { App, RequestInfo, Viewer } from '../../core/context.js';
import { AppError } from '../../core/errors.js';
import { authenticate, type Credentials } from '../authenticate.js';
import type { EdgeSettings } from '../edge.js';
import { knownError } from '../format-error.js';
import { cookiesCount } from '../http/csrf.js';
import { addressOf, requestIdOf } from '../http/request.js';
import { close } from './transport.js';

/** What carries a connection: a socket, or an answer over HTTP that goes on. */
export interface Carrier extends Pick<WebSocket, 'OPEN'> {
  readonly readyState: number;
  close(code: number, reason: string): void;
  once(event: 'close', gone: () => void): unknown;
}

/** One socket or stream, and who is on it. */
export interface Connection {
  readonly socket: Carrier;
  readonly upgrade: IncomingMessage;
  readonly request: RequestInfo;
  /** Null until the client has said who it is. */
  credentials: Credentials | null;
  viewer: Viewer | null;
  /** Whether it was let in. */
  isAdmitted: boolean;
  /** The session of its client; null before it is let in, and for those who are no user. */
  sessionId: string | null;
}

/** A socket that has just opened; nobody is on it yet. */
export function connectionOf(socket: Carrier, upgrade: IncomingMessage, { trustedProxies }: EdgeSettings): Connection {
  const request = { requestId: requestIdOf(upgrade), ip: addressOf(upgrade, trustedProxies) };
  return {
    socket,
    upgrade,
    request,
    credentials: null,
    viewer: null,
    isAdmitted: false,
    sessionId: null,
  };
}

/** What a client came with: the token of its first message or of the upgrade, or the cookie of a page that may use it. */
export function credentialsOf(
  { upgrade }: Pick<Connection, 'upgrade'>,
  params: Readonly<Record<string, unknown>> = {},
  settings: EdgeSettings,
): Credentials {
  const tokens = [params['authorization'], params['Authorization'], upgrade.headers.authorization].filter(
    (token) => token != null,
  );
  return {
    // Several, or one that is no text, make a header that no credential has; it is refused like any other.
    authorization:
      tokens.length === 1 && typeof tokens[0] === 'string' ? tokens[0] : tokens.length > 0 ? 'several' : null,
    cookie: upgrade.headers.cookie ?? null,
    cookiesAllowed: cookiesCount(upgrade, settings.corsOrigins),
  };
}

/**
 * Looks up who is on a connection. A credential that does not count, or not any more, closes it with 4403 and answers false.
 * Rejects with SERVICE_UNAVAILABLE when that cannot be found out.
 */
export async function confirm(app: App, connection: Connection): Promise<boolean> {
  const { credentials } = connection;
  if (!credentials) return true;
  try {
    const viewer = await authenticate(app, credentials, connection.request);
    if (connection.credentials === credentials) connection.viewer = viewer;
    return true;
  } catch (error) {
    // It was given another one meanwhile.
    if (connection.credentials !== credentials) return confirm(app, connection);
    const known = knownError(error);
    if (known?.code !== 'UNAUTHENTICATED') throw known ?? error;
    forbid(app, connection, 'The credential is not valid, has expired or was revoked.');
    return false;
  }
}

/** Ends a connection that is not allowed, or not any more. */
export function forbid(app: App, { socket, request, viewer }: Connection, reason: string): void {
  if (socket.readyState !== socket.OPEN) return;
  app.log.info('A connection was closed.', {
    requestId: request.requestId,
    user: viewer?.userId ?? null,
    code: 4403,
    reason,
  });
  close(socket, 4403, reason);
}

/** The open connections, counted for each viewer. */
export function connectionList(most: number) {
  const all = new Set<Connection>();
  const viewers = new Map<string, Set<Connection>>();

  return {
    all: all as ReadonlySet<Connection>,
    /** Files a connection under its viewer, for as long as it is open; not at all when it is no more. OVERLOADED when they have too many. */
    add(connection: Connection): void {
      const { viewer, request, socket } = connection;
      // The client may have left while we looked up who it is; its close will not be heard again.
      if (socket.readyState !== socket.OPEN) return;
      const name = viewer?.apiKeyId ?? viewer?.userId ?? `address ${request.ip}`;
      const theirs = viewers.get(name) ?? new Set();
      if (theirs.size >= most) throw new AppError('OVERLOADED', `A viewer has at most ${most} connections.`);
      viewers.set(name, theirs.add(connection));
      all.add(connection);
      socket.once('close', () => {
        all.delete(connection);
        theirs.delete(connection);
        if (theirs.size === 0 && viewers.get(name) === theirs) viewers.delete(name);
      });
    },
  };
}
