import { CloseCode } from 'graphql-ws';
import type { Viewer } from '../../core/context.js';
import { contextFor } from '../../core/operation.js';
import { liveConnections } from '../../domains/realtime/live-connections.js';
import { authenticate } from '../authenticate.js';
import { claimedSession } from '../client-session.js';
import type { EdgeParts } from '../edge.js';
import { knownError } from '../format-error.js';
import { type Connection, confirm, credentialsOf, forbid } from './connection.js';
import { close, tryAgainLater } from './transport.js';

/** The payload of a client's message. */
type Payload = Record<string, unknown> | undefined;

/** What a client that was let in is told: its session, and when its credential stops to count. Null: none, and never by itself. */
interface Greeting extends Record<string, unknown> {
  readonly sessionId: string | null;
  readonly expiresAt: string | null;
}

/** How clients come onto their connections and stay there. */
export interface Admission {
  /** Looks up who is on a connection, by `authorization`, and which client, by `clientUuid`, `sessionId` and `ticket`; false when it was closed. */
  admit(connection: Connection, payload: Payload): Promise<Greeting | false>;
  /** Takes the credential in `authorization` of a ping instead of the one that runs out, when it is the same user's and may do the same. */
  refresh(connection: Connection, payload: Payload): Promise<void>;
}

export function admission({ app, settings, connections }: EdgeParts): Admission {
  /** Closes a connection that something stands against. */
  function turnAway(connection: Connection, error: unknown): void {
    const known = knownError(error);
    if (!known) throw error;
    const { code, message, details } = known;
    if (code === 'BAD_USER_INPUT') {
      const [field] = details.fields ?? [];
      close(connection.socket, CloseCode.BadRequest, field ? `${field.path} ${field.message}` : message);
    } else if (details.retryable) close(connection.socket, tryAgainLater, message);
    else forbid(app, connection, message);
  }

  return {
    async admit(connection, payload) {
      const { socket, request } = connection;
      connection.credentials = credentialsOf(connection, payload, settings);
      try {
        if (!(await confirm(app, connection))) return false;
        const { clientUuid, sessionId, ticket } = payload ?? {};
        const ctx = contextFor(app, connection.viewer, request);
        connection.sessionId = await claimedSession(ctx, { clientUuid, sessionId, ticket });
        connections.add(connection);
      } catch (error) {
        turnAway(connection, error);
        return false;
      }
      // Who has left meanwhile is not there.
      if (connection.sessionId !== null && socket.readyState === socket.OPEN)
        socket.once('close', liveConnections(app).open(connection.sessionId));
      connection.isAdmitted = true;
      return { sessionId: connection.sessionId, expiresAt: endOf(connection.viewer) };
    },
    async refresh(connection, payload) {
      if (payload?.['authorization'] === undefined) return;
      const { authorization } = payload;
      // The pong repeats the payload: without the secret, and with the time until which it counts.
      delete payload['authorization'];
      if (!connection.isAdmitted) return close(connection.socket, CloseCode.Unauthorized, 'Unauthorized');
      const credentials = { authorization: `${authorization}`, cookiesAllowed: false };
      try {
        const viewer = await authenticate(app, credentials, connection.request);
        if (!isSame(connection.viewer, viewer)) return forbid(app, connection, 'The credential is not the same.');
        connection.credentials = credentials;
        connection.viewer = viewer;
        payload['expiresAt'] = endOf(viewer);
      } catch (error) {
        turnAway(connection, error);
      }
    },
  };
}

const endOf = (viewer: Viewer | null) => viewer?.expiresAt?.toISOString() ?? null;

/** Whether two credentials are the same user's or program's and may do the same: what runs goes on with the first one's rights. */
function isSame(one: Viewer | null, other: Viewer | null): boolean {
  if (!one || !other) return false;
  const isAlike = (a: ReadonlySet<string> | null, b: ReadonlySet<string> | null) =>
    a === b || (a !== null && b !== null && a.size === b.size && [...a].every((name) => b.has(name)));
  return (
    one.userId === other.userId &&
    one.apiKeyId === other.apiKeyId &&
    one.organizationId === other.organizationId &&
    isAlike(one.scopes, other.scopes) &&
    isAlike(one.spaceIds, other.spaceIds)
  );
}
