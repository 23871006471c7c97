import type { GraphQLError } from 'graphql';
import { type ConnectionInitMessage, type Context, makeServer } from 'graphql-ws';
import type { EdgeParts } from '../edge.js';
import type { SocketLimits } from '../limits/socket.js';
import type { Road } from '../subscriptions/road.js';
import { admission } from './admission.js';
import type { Connection } from './connection.js';
import type { Protocol } from './transport.js';

type Params = ConnectionInitMessage['payload'];
type Client = Context<Params, Connection>;

/** graphql-transport-ws over the road of all subscriptions. Nothing else runs. */
export function protocolOf(parts: EdgeParts, road: Road, { initMs }: Pick<SocketLimits, 'initMs'>): Protocol {
  const { admit, refresh } = admission(parts);

  const shown = ({ extra }: Client, errors: readonly GraphQLError[]) => road.shown(errors, extra.request.requestId);

  return makeServer<Params, Connection>({
    connectionInitWaitTimeout: initMs,
    onConnect: ({ extra, connectionParams }) => admit(extra, connectionParams),
    onPing: ({ extra }, payload) => refresh(extra, payload),
    onSubscribe: ({ extra, subscriptions }, _, asked) => road.prepare(extra, asked, Object.keys(subscriptions).length),
    subscribe: road.begin,
    onError: (client, _, __, errors) => shown(client, errors),
    onNext: (client, _, __, ___, { errors, ...result }) =>
      errors ? { ...result, errors: shown(client, errors) } : result,
  });
}
