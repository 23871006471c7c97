import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Mood } from './local-service.js';
import type { RedisServer, Reply } from './redis-server.js';

export const redisToken = 'redis-token';

/** Speaks as much of Upstash's REST as we call, commands and SSE subscriptions, in front of a real Redis. */
export interface UpstashRest {
  readonly url: string;
  mood: Mood;
  /** How many commands have come. */
  readonly commands: number;
  /** Subscriptions that are open now. */
  readonly open: number;
  /** Ends all subscriptions in good order, as a server does that is replaced. */
  end(): void;
  /** Subscriptions that are open now stay so, and say nothing more. */
  mute(): void;
  close(): Promise<void>;
}

/** Starts one. */
export async function upstashRest(redis: RedisServer): Promise<UpstashRest> {
  const streams = new Set<ServerResponse>();
  const muted = new WeakSet<ServerResponse>();
  let commands = 0;
  let connection = redis.connect();

  async function command(body: unknown): Promise<unknown> {
    if (!connection.isOpen) connection = redis.connect();
    return { result: encoded(await connection.call((body as unknown[]).map(String))) };
  }

  async function subscribe(channels: readonly string[], response: ServerResponse): Promise<void> {
    const listening = redis.connect();
    const say = (reply: Reply) => {
      if (!muted.has(response)) response.write(`data: ${(reply as readonly Reply[]).join(',')}\n\n`);
    };
    // The stream of a Redis that is gone stays open, and silent.
    listening.onPush = say;
    const began = await listening.call(['SUBSCRIBE', ...channels]);
    streams.add(response);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    say(began);
    response.on('close', () => {
      streams.delete(response);
      listening.end();
    });
  }

  const server = createServer(async (request, response) => {
    const send = (status: number, body: unknown) => {
      if (response.headersSent) return;
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    };
    const body = await textOf(request);
    if (request.url === '/') commands += 1;
    if (rest.mood === 'hanging') return;
    if (rest.mood === 'failing') return send(503, { error: 'Out of order.' });
    if (request.headers.authorization !== `Bearer ${redisToken}`)
      return send(401, { error: 'WRONGPASS invalid or missing auth token' });
    const [what, ...names] = (request.url ?? '/').split('/').filter(Boolean).map(decodeURIComponent);
    try {
      if (what === 'subscribe') await subscribe(names, response);
      else if (what === undefined) send(200, await command(JSON.parse(body)));
      else send(400, { error: 'ERR this server does not speak of that.' });
    } catch (error) {
      send(500, { error: error instanceof Error ? error.message : 'failed' });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const rest: UpstashRest = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    mood: 'well',
    get commands() {
      return commands;
    },
    get open() {
      return streams.size;
    },
    end() {
      for (const response of streams) response.end();
    },
    mute() {
      for (const response of streams) muted.add(response);
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      connection.end();
    },
  };
  return rest;
}

/** As they answer who asks for base64, which the client does: every string but a plain OK. */
function encoded(reply: Reply): unknown {
  if (typeof reply === 'string') return reply === 'OK' ? reply : Buffer.from(reply).toString('base64');
  return Array.isArray(reply) ? reply.map(encoded) : reply;
}

async function textOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}
