import { WebSocket } from 'ws';

/** Sockets to open, each with its key; with a query each of them subscribes. */
export interface Opening {
  readonly kind: 'open';
  readonly url: string;
  readonly localAddress: string;
  readonly keys: readonly string[];
  readonly query: string | null;
  readonly variables: Readonly<Record<string, unknown>>;
}
/** Answered with what has been heard since the last time. */
export type Order = Opening | { readonly kind: 'heard' } | { readonly kind: 'close' };

/** When which delivery came, by the monotonic clock that all processes of the machine share. */
export interface Heard {
  readonly at: number;
  readonly version: number;
  readonly kind: string;
}
export type Report = { readonly open: number } | { readonly heard: readonly Heard[] } | { readonly failure: string };

interface Message {
  readonly type: string;
  readonly payload?: {
    readonly data?: Record<
      string,
      { readonly __typename?: string; readonly version?: number; readonly related?: { version?: number } }
    >;
    readonly errors?: unknown;
  };
}

const sockets = new Set<WebSocket>();
let heard: Heard[] = [];
const atOnce = 50;
const now = () => Number(process.hrtime.bigint()) / 1e6;
const report = (one: Report) => process.send?.(one);

/** Resolves once the server has let the socket in. */
function open({ url, localAddress, query, variables }: Opening, key: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, 'graphql-transport-ws', { localAddress, perMessageDeflate: false });
    sockets.add(socket);
    socket.once('open', () =>
      socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${key}` } })),
    );
    socket.on('message', (data: Buffer) => {
      const at = now();
      const { type, payload } = JSON.parse(data.toString()) as Message;
      if (type === 'ping') return socket.send('{"type":"pong"}');
      if (type === 'connection_ack') {
        if (query) socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query, variables } }));
        return resolve();
      }
      const [delivery] = Object.values(payload?.data ?? {});
      if (type !== 'next' || !delivery) return report({ failure: `${data}`.slice(0, 300) });
      heard.push({ at, version: delivery.version ?? delivery.related?.version ?? 0, kind: delivery.__typename ?? '' });
    });
    socket.on('error', reject);
    socket.on('close', (code) => {
      if (sockets.delete(socket)) report({ failure: `A socket was closed with ${code}.` });
      reject(new Error(`closed with ${code}`));
    });
  });
}

async function openAll(opening: Opening): Promise<void> {
  const keys = [...opening.keys];
  const worker = async () => {
    for (let key = keys.pop(); key !== undefined; key = keys.pop()) await open(opening, key);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

process.on('message', (order: Order) => {
  if (order.kind === 'heard') {
    report({ heard });
    heard = [];
  } else if (order.kind === 'close') {
    const all = [...sockets];
    sockets.clear();
    for (const socket of all) socket.terminate();
    report({ open: 0 });
  } else
    openAll(order).then(
      () => report({ open: sockets.size }),
      (error: Error) => report({ failure: error.message }),
    );
});
process.once('disconnect', () => process.exit());
