import type { Fetcher, FetcherParams, Observable } from '@graphiql/toolkit';
import { type ExecutionResult, getOperationAST, parse } from 'graphql';
import { type Sink, subscribe } from './subscribe.js';

/**
 * Sends operations to `/graphql`: subscriptions over WebSocket, the others over HTTP. Both carry what `authorization`
 * gives at that moment, unless the headers of the operation name an Authorization of their own.
 */
export function createFetcher(authorization: () => Promise<string | null>): Fetcher {
  return (given, options) => {
    const headers = new Headers(options?.headers);
    const credential = async () => headers.get('authorization') ?? (await authorization());
    // GraphiQL parses with a delay: just after a change of tabs its document and operation are still those of the last one.
    const document = parse(given.query);
    const operation = getOperationAST(document, given.operationName) ?? getOperationAST(document);
    const params = { ...given, operationName: operation?.name?.value };
    if (operation?.operation === 'subscription') {
      const observable = {
        subscribe: (sink: Sink) => ({ unsubscribe: subscribe(params, operation, credential, sink) }),
      };
      // GraphiQL calls the form with one object only; the type asks for the two others as well.
      return observable as unknown as Observable<ExecutionResult>;
    }
    return post(params, headers, credential);
  };
}

async function post(params: FetcherParams, headers: Headers, credential: () => Promise<string | null>) {
  const authorization = await credential();
  if (authorization) headers.set('authorization', authorization);
  headers.set('content-type', 'application/json');
  headers.set('accept', 'application/graphql-response+json, application/json');
  const response = await fetch('/graphql', {
    method: 'POST',
    credentials: 'omit',
    headers,
    body: JSON.stringify(params),
  }).catch((cause) => {
    throw new Error('The server could not be reached.', { cause });
  });
  const text = await response.text();
  if (!response.headers.get('content-type')?.includes('json')) {
    throw new Error(`The server answered HTTP ${response.status}: ${text.slice(0, 500)}`);
  }
  return JSON.parse(text);
}
