import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** How a service behaves: as it should, with an error for each request, or without any answer. */
export type Mood = 'well' | 'failing' | 'hanging';

export interface LocalService {
  readonly url: string;
  /** Paths of the requests that came, each with its body. */
  readonly calls: { readonly path: string; readonly body: unknown }[];
  mood: Mood;
  close(): Promise<void>;
}

/** A request that the service refuses. */
export class Refused extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** A JSON service on this machine; `answer` throws Refused for what it does not take. */
export async function localService(
  token: string,
  answer: (path: string, body: unknown) => unknown,
): Promise<LocalService> {
  const service = { url: '', calls: [] as LocalService['calls'], mood: 'well' as Mood };
  const server = createServer(async (request, response) => {
    const send = (status: number, body: unknown) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    };
    const path = decodeURIComponent(request.url ?? '/');
    const body = await bodyOf(request);
    service.calls.push({ path, body });
    if (service.mood === 'hanging') return;
    if (service.mood === 'failing') return send(503, { error: 'Out of order.' });
    if (request.headers.authorization !== `Bearer ${token}`) return send(401, { error: 'Unauthorized' });
    try {
      send(200, answer(path, body));
    } catch (error) {
      send(error instanceof Refused ? error.status : 500, { error: error instanceof Error ? error.message : 'failed' });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  service.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return Object.assign(service, {
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const text = Buffer.concat(parts).toString();
  return text === '' ? {} : JSON.parse(text);
}
