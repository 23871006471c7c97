import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A stand between a gateway and its Postgres that can make the faults of a network. */
export interface FaultyProxy {
  /** The same database through the proxy. */
  readonly url: string;
  /** Ends every connection, as a server that stops does; new ones are taken. */
  cut(): void;
  /** Passes nothing on and says nothing, in either direction; new connections are taken and hang too. */
  hang(): void;
  /** Ends every connection and takes no new ones. */
  refuse(): Promise<void>;
  /** All is well again. What hung goes on. */
  resume(): Promise<void>;
  /** Cuts the first connection that sends bytes that fit, right after the server has them and before it can answer. */
  cutAfter(fits: (sent: Buffer) => boolean): void;
  /** Connections that are open now. */
  readonly open: number;
  close(): Promise<void>;
}

/** Starts one in front of the Postgres of `databaseUrl`. */
export async function proxyTo(databaseUrl: string): Promise<FaultyProxy> {
  const target = new URL(databaseUrl);
  const pairs = new Set<readonly [Socket, Socket]>();
  let hangs = false;
  let fatal: ((sent: Buffer) => boolean) | null = null;

  const server = createServer({ pauseOnConnect: true }, (client) => {
    const upstream = connect(Number(target.port), target.hostname);
    const pair = [client, upstream] as const;
    pairs.add(pair);
    const end = () => {
      pairs.delete(pair);
      client.destroy();
      upstream.destroy();
    };
    for (const socket of pair) socket.on('error', end).on('close', end).setNoDelay();
    client.on('data', (sent) => {
      if (!fatal?.(sent)) return void upstream.write(sent);
      fatal = null;
      // The server gets it all and works on; the answer finds nobody.
      client.destroy();
      upstream.removeAllListeners('data');
      upstream.end(sent);
    });
    upstream.on('data', (answer) => client.write(answer));
    if (hangs) upstream.pause();
    else client.resume();
  });

  const listen = async (port: number) => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  const port = await listen(0);
  const cut = () => {
    for (const [client, upstream] of pairs) {
      client.destroy();
      upstream.destroy();
    }
  };
  const url = new URL(databaseUrl);
  url.host = `127.0.0.1:${port}`;

  return {
    url: url.href,
    cut,
    hang() {
      hangs = true;
      for (const pair of pairs) for (const socket of pair) socket.pause();
    },
    async refuse() {
      const closed = once(server, 'close');
      server.close();
      cut();
      await closed;
    },
    async resume() {
      hangs = false;
      for (const pair of pairs) for (const socket of pair) socket.resume();
      if (!server.listening) await listen(port);
    },
    cutAfter(fits) {
      fatal = fits;
    },
    get open() {
      return pairs.size;
    },
    async close() {
      cut();
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      await closed;
    },
  };
}
