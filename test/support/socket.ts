import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';

interface Message {
  readonly id?: string;
  readonly type: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests reach into answers of any form.
  readonly payload?: any;
}

const patienceMs = 15_000;

export type TestSocket = Awaited<ReturnType<typeof socketTo>>;

/** A socket to a gateway that speaks the protocol by hand, also wrongly. */
export async function socketTo(
  url: string,
  {
    headers = {},
    protocol = 'graphql-transport-ws',
  }: { headers?: Record<string, string>; protocol?: string | null } = {},
) {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, protocol === null ? [] : [protocol], {
    headers,
  });
  const messages: Message[] = [];
  let wake = () => {};
  const closed = new Promise<{ code: number; reason: string }>((resolve) =>
    socket.on('close', (code, reason) => resolve({ code, reason: String(reason) })),
  );
  socket.on('error', () => {});
  socket.on('message', (data) => {
    messages.push(JSON.parse(String(data)) as Message);
    wake();
  });
  await once(socket, 'open');

  const say = (message: unknown) => socket.send(typeof message === 'string' ? message : JSON.stringify(message));

  /** The next message that fits, taken out of those that have come. */
  async function hear(fits: (message: Message) => boolean = () => true): Promise<Message> {
    const until = Date.now() + patienceMs;
    for (;;) {
      const at = messages.findIndex(fits);
      if (at >= 0) return messages.splice(at, 1)[0] as Message;
      if (Date.now() > until)
        throw new Error(`That was not said; what was: ${JSON.stringify(messages).slice(0, 1_000)}`);
      await Promise.race([new Promise<void>((resolve) => (wake = resolve)), sleep(100)]);
    }
  }

  return {
    socket,
    messages,
    say,
    hear,
    /** How the server ended it. */
    closed,
    close: () => socket.close(),
    async init(payload: object = {}) {
      say({ type: 'connection_init', payload });
      await hear(({ type }) => type === 'connection_ack');
    },
    subscribe(id: string, query: string, variables: object = {}) {
      say({ type: 'subscribe', id, payload: { query, variables } });
    },
    /** What a document is refused with. */
    async refusal(
      query: string,
      variables: object = {},
    ): Promise<{ message: string; extensions: { code: string; requestId: string } }[]> {
      const id = `refusal-${Math.random()}`;
      say({ type: 'subscribe', id, payload: { query, variables } });
      const { type, payload } = await hear((message) => message.id === id);
      return type === 'error' ? payload : (payload?.errors ?? []);
    },
  };
}
