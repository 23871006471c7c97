import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** One address in front of several servers, which take turns; with the faults of a network. */
export interface Balancer {
  readonly url: string;
  /** Ends each connection with this probability, without a word. */
  cut(share: number): void;
  close(): Promise<void>;
}

/** Starts one in front of servers at these ports. Each piece of data is held back for up to `delayMs`, in its order. */
export async function balancerTo(ports: readonly number[], { delayMs = 0 } = {}): Promise<Balancer> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let turn = 0;

  /** The next server that takes the connection; null when none does. */
  async function upstreamFor(): Promise<Socket | null> {
    for (const _ of ports) {
      const socket = connect(ports[turn++ % ports.length] ?? 0, '127.0.0.1');
      const taken = await Promise.race([
        once(socket, 'connect').then(() => true),
        once(socket, 'close').then(() => false),
      ]).catch(() => false);
      if (taken) return socket;
    }
    return null;
  }

  /** Timers alone would not keep the order. */
  function pass(from: Socket, to: Socket): void {
    let last: Promise<unknown> = Promise.resolve();
    from.on('data', (data) => {
      const arrives = sleep(Math.random() * delayMs);
      last = last.then(() => arrives).then(() => to.write(data));
    });
  }

  const server = createServer({ pauseOnConnect: true }, async (client) => {
    client.on('error', () => client.destroy());
    const upstream = await upstreamFor();
    if (!upstream) return void client.destroy();
    const pair = [client, upstream] as const;
    pairs.add(pair);
    const end = () => {
      pairs.delete(pair);
      // What is still held back may arrive.
      setTimeout(() => pair.forEach((socket) => void socket.destroy()), 2 * delayMs);
    };
    for (const socket of pair) socket.on('error', end).on('close', end).setNoDelay();
    pass(client, upstream);
    pass(upstream, client);
    client.resume();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut(share) {
      for (const pair of pairs) if (Math.random() < share) for (const socket of pair) socket.destroy();
    },
    async close() {
      for (const pair of pairs) for (const socket of pair) socket.destroy();
      const closed = once(server, 'close');
      server.close();
      await closed;
    },
  };
}
