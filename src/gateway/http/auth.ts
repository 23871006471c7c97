import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import type { Issuer, IssuerClient } from '../../platform/issuer/issuer.js';

function requestOf(incoming: IncomingMessage, base: string): Request {
  const headers = new Headers();
  for (const [name, values] of Object.entries(incoming.headersDistinct)) {
    for (const value of values ?? []) headers.append(name, value);
  }
  const hasBody = incoming.method !== 'GET' && incoming.method !== 'HEAD';
  const body = hasBody ? (Readable.toWeb(incoming) as ReadableStream<Uint8Array>) : undefined; // Node's own twin of the type
  return new Request(new URL(incoming.url ?? '/', base), { method: incoming.method, headers, body, duplex: 'half' });
}

/** Lets the issuer answer a request of Node's HTTP server. Rejects, with nothing sent, when the issuer cannot answer. */
export async function answerOverHttp(
  issuer: Issuer,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  client: IssuerClient,
): Promise<void> {
  const response = await issuer.handle(requestOf(incoming, issuer.url), client);
  const body = Buffer.from(await response.arrayBuffer());
  outgoing.statusCode = response.status;
  outgoing.setHeaders(response.headers);
  // The rest of a body that nobody reads must not be taken for the next request.
  if (!incoming.complete) outgoing.setHeader('Connection', 'close');
  outgoing.end(body);
}
