import type { GraphQLError } from 'graphql';
import { type ConnectionInitMessage, type Context, makeServer } from 'graphql-ws';
import type { EdgeParts } from '../edge.js';
import { knownError } from '../format-error.js';
import type { Road } from '../subscriptions/road.js';
import { type Connection, confirm, type connectionList, credentialsOf, forbid } from './connection.js';
import { close, type Protocol } from './transport.js';

const initMs = 3_000;
/** Tells clients to come back later; from the registry of RFC 6455. */
const tryAgainLater = 1013;

type Params = ConnectionInitMessage['payload'];
type Client = Context<Params, Connection>;

/** graphql-transport-ws over the road of all subscriptions. Nothing else runs. */
export function protocolOf(
  { app, settings }: EdgeParts,
  road: Road,
  connections: ReturnType<typeof connectionList>,
): Protocol {
  async function admit(connection: Connection, params: Params): Promise<boolean> {
    connection.credentials = credentialsOf(connection, params, settings);
    try {
      if (!(await confirm(app, connection))) return false;
      connections.add(connection);
      return true;
    } catch (error) {
      const known = knownError(error);
      if (!known) throw error;
      if (known.code === 'OVERLOADED') forbid(app, connection, known.message);
      else close(connection.socket, tryAgainLater, known.message);
      return false;
    }
  }

  const shown = ({ extra }: Client, errors: readonly GraphQLError[]) => road.shown(errors, extra.request.requestId);

  return makeServer<Params, Connection>({
    connectionInitWaitTimeout: initMs,
    onConnect: ({ extra, connectionParams }) => admit(extra, connectionParams),
    onSubscribe: ({ extra, subscriptions }, _, asked) => road.prepare(extra, asked, Object.keys(subscriptions).length),
    subscribe: road.begin,
    onError: (client, _, __, errors) => shown(client, errors),
    onNext: (client, _, __, ___, { errors, ...result }) =>
      errors ? { ...result, errors: shown(client, errors) } : result,
  });
}
