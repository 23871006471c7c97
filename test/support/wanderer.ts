import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';

/** What a client hears of the event log of a space. */
interface Delivery {
  readonly __typename: 'Event' | 'CaughtUp' | 'Lagged';
  readonly cursor?: string;
  readonly resumeFrom?: string;
}

interface Result {
  readonly data?: { readonly events: Delivery } | null;
  readonly errors?: readonly Failure[];
}
interface Failure {
  readonly extensions?: { readonly code?: string };
}
interface Message {
  readonly type: string;
  readonly payload?: Result & readonly Failure[];
}

/** One connection, from its beginning to its end. */
interface Visit {
  readonly ended: Promise<unknown>;
  leave(): void;
}
interface Guest {
  readonly url: string;
  readonly key: string;
  /** What to ask for; counted as a connection. */
  begin(): object;
  /** Answers whether to stay. */
  hear(result: Result): boolean;
}

/** A client that follows the log of a space over an unsteady network, and goes on where it stopped. */
export interface Wanderer {
  /** Cursors of the events that it has heard of, in that order. */
  readonly heard: readonly string[];
  /** The code with which it was told that it may not go on; null as long as it may. */
  readonly refused: string | null;
  /** How often it was connected. */
  readonly connections: number;
  /** Stays connected from now on, where it came and went before. */
  settle(): void;
  stop(): Promise<void>;
}

const query =
  'subscription ($spaceId: ID!, $after: EventCursor) { events(spaceId: $spaceId, after: $after) { __typename ... on Event { cursor resourceId } ... on CaughtUp { cursor } ... on Lagged { resumeFrom } } }';
/** Codes after which there is nothing to come back for. */
const final = new Set(['NOT_FOUND', 'FORBIDDEN', 'CURSOR_EXPIRED', 'BAD_USER_INPUT', 'UNAUTHENTICATED']);

export interface Wandering {
  readonly url: string;
  readonly key: string;
  readonly spaceId: string;
  /** Over WebSocket, or as an event stream. */
  readonly way: 'socket' | 'stream';
  /** Where it begins. */
  readonly after: string;
  /** It is connected for about so long, then away for as long; null: it stays. */
  readonly stayMs: number | null;
}

function overSocket({ url, key, begin, hear }: Guest): Visit {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  const say = (message: object) => socket.send(JSON.stringify(message));
  socket.on('open', () => say({ type: 'connection_init', payload: { authorization: `Bearer ${key}` } }));
  socket.on('message', (data) => {
    const { type, payload } = JSON.parse(String(data)) as Message;
    if (type === 'ping') return say({ type: 'pong' });
    if (type === 'connection_ack') return say({ type: 'subscribe', id: '1', payload: begin() });
    const result = type === 'error' ? { errors: payload ?? [] } : (payload ?? {});
    if (type === 'complete' || !hear(result)) socket.close();
  });
  const ended = new Promise((resolve) => socket.on('close', resolve).on('error', () => {}));
  // Data of a moment ago belongs to a connection that is gone.
  return { ended: ended.then(() => socket.removeAllListeners('message')), leave: () => socket.terminate() };
}

function overStream({ url, key, begin, hear }: Guest): Visit {
  const control = new AbortController();
  const headers = {
    'content-type': 'application/json',
    accept: 'text/event-stream',
    authorization: `Bearer ${key}`,
  };
  async function read(): Promise<void> {
    const init = { method: 'POST', headers, body: JSON.stringify(begin()), signal: control.signal };
    const response = await fetch(`${url}/graphql/stream`, init);
    if (!response.headers.get('content-type')?.startsWith('text/event-stream'))
      return void hear((await response.json()) as Result);
    const decoder = new TextDecoder();
    let text = '';
    for await (const chunk of response.body ?? []) {
      const said = `${text}${decoder.decode(chunk, { stream: true })}`.split('\n\n');
      text = said.pop() ?? '';
      for (const one of said) {
        const data = /^event: next\ndata: (.*)$/m.exec(one)?.[1];
        if (data !== undefined && !hear(JSON.parse(data) as Result)) return;
      }
    }
  }
  const ended = read().then(
    () => control.abort(),
    // Cut off; or not even let in, by a server that goes away.
    () => null,
  );
  return { ended, leave: () => control.abort() };
}

/** Sends one on its way. */
export function wanderer({ url, key, spaceId, way, after, stayMs }: Wandering): Wanderer {
  const heard: string[] = [];
  let cursor = after;
  let refused: string | null = null;
  let connections = 0;
  let stays = stayMs === null;
  let isOver = false;
  let visit: Visit | null = null;

  const guest: Guest = {
    url,
    key,
    begin() {
      connections += 1;
      return { query, variables: { spaceId, after: cursor } };
    },
    hear({ data, errors }) {
      const code = errors?.[0]?.extensions?.code;
      if (code && final.has(code)) refused = code;
      const told = data?.events;
      if (told?.__typename === 'Event' && told.cursor) heard.push(told.cursor);
      cursor = told?.cursor ?? told?.resumeFrom ?? cursor;
      // What the server could not go on with is asked for again.
      return !errors && told?.__typename !== 'Lagged';
    },
  };

  async function stay(): Promise<void> {
    visit = way === 'socket' ? overSocket(guest) : overStream(guest);
    const leaving = setTimeout(() => stays || visit?.leave(), random(stayMs));
    await visit.ended;
    clearTimeout(leaving);
  }

  async function wander(): Promise<void> {
    while (!isOver && refused === null) {
      await stay();
      if (!isOver) await sleep(stays ? 50 + Math.random() * 100 : random(stayMs));
    }
  }
  const wandering = wander();

  return {
    heard,
    get refused() {
      return refused;
    },
    get connections() {
      return connections;
    },
    settle() {
      stays = true;
    },
    async stop() {
      isOver = true;
      visit?.leave();
      await wandering;
    },
  };
}

const random = (ms: number | null) => (0.2 + 1.6 * Math.random()) * (ms ?? 0);
