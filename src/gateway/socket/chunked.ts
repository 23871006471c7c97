import { isUtf8 } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import { CloseCode } from 'graphql-ws';
import type { WebSocket } from 'ws';
import type { App } from '../../core/context.js';
import {
  chunkLimits,
  completeWithinMs,
  dropChunks,
  type Taken,
  takeChunk,
} from '../../domains/realtime/message-chunks.js';
import { type Base64, chunkedProtocol, chunkOf, isChunk, split } from '../../protocol/chunks.js';
import { knownError } from '../format-error.js';
import type { Connection } from './connection.js';
import { close, tryAgainLater } from './transport.js';

const base64: Base64 = {
  encode: ({ buffer, byteOffset, length }) => Buffer.from(buffer, byteOffset, length).toString('base64'),
  decode: (text) => Buffer.from(text, 'base64'),
};

/** How the messages of a connection become frames, and frames messages. */
export interface Framing {
  /** The frames that a message goes as. */
  split(message: string): readonly string[];
  /** Hands on each message that has come whole, in the order in which their last frames came. */
  receive(frame: string, answer: (message: string) => void): void;
}

/** Every message is one frame. */
const plain: Framing = {
  split: (message) => [message],
  receive: (frame, answer) => answer(frame),
};

const messageTooBig = 1009;
const lookMs = 1_000;

/** What a connection has begun to send and not finished, by the message's id: since when. */
type Unfinished = Map<string, number>;

/** The framing of each connection, by the sub-protocol that was agreed on. */
export interface Framings {
  of(connection: Connection, socket: WebSocket): Framing;
  /** Looks after unfinished messages no longer. */
  stop(): void;
}

export function framings(app: App): Framings {
  const all = new Map<Connection, Unfinished>();

  const timer = setInterval(() => {
    for (const [connection, unfinished] of all) {
      if (unfinished.size > 0)
        expire(app, connection, unfinished).catch((error: unknown) =>
          app.log.warn('An unfinished message could not be removed.', {
            requestId: connection.request.requestId,
            error,
          }),
        );
      else if (connection.socket.readyState !== connection.socket.OPEN) all.delete(connection);
    }
  }, lookMs);
  timer.unref();

  return {
    of(connection, socket) {
      if (socket.protocol !== chunkedProtocol) return plain;
      const unfinished: Unfinished = new Map();
      all.set(connection, unfinished);
      return chunked(app, connection, socket, unfinished);
    },
    stop: () => clearInterval(timer),
  };
}

function chunked(app: App, connection: Connection, socket: WebSocket, unfinished: Unfinished): Framing {
  /** The pieces are taken one after the other, and what comes behind them waits. */
  let turn: Promise<void> | null = null;

  async function take(frame: string, answer: (message: string) => void): Promise<void> {
    if (socket.readyState !== socket.OPEN) return;
    const message = isChunk(frame) ? await whole(app, connection, frame, unfinished) : frame;
    if (message !== null) answer(message);
  }

  return {
    split: (message) => split(message, randomUUID, base64),
    receive(frame, answer) {
      if (!turn && !isChunk(frame)) return answer(frame);
      // A client cannot send faster than its pieces are kept.
      socket.pause();
      const taken = (turn ?? Promise.resolve())
        .then(() => take(frame, answer))
        .catch((error: unknown) => fail(app, connection, error))
        .finally(() => {
          if (turn !== taken) return;
          turn = null;
          socket.resume();
        });
      turn = taken;
    },
  };
}

/** The message that this piece completes; null when it completes none, or breaks the protocol, which closes the connection. */
async function whole(app: App, connection: Connection, frame: string, unfinished: Unfinished): Promise<string | null> {
  const { socket, viewer } = connection;
  // Nobody has no place to keep pieces in, and nothing so long to ask for.
  if (!viewer) return refuse(connection, CloseCode.Unauthorized, 'Only who is signed in sends messages in pieces.');
  const chunk = chunkOf(frame, chunkLimits.message, base64);
  if (!chunk) return refuse(connection, CloseCode.BadRequest, 'Invalid piece of a message received');
  if (!unfinished.has(chunk.id)) unfinished.set(chunk.id, app.now().getTime());
  const taken = await takeChunk(app, viewer, chunk);
  if (taken === 'kept') return null;
  unfinished.delete(chunk.id);
  if (taken === 'joined before') return null;
  if (typeof taken === 'string') return refuse(connection, ...refusals[taken]);
  if (!isUtf8(taken.message)) return refuse(connection, CloseCode.BadRequest, 'A message in pieces is not UTF-8');
  return socket.readyState === socket.OPEN ? String(taken.message) : null;
}

const late = `A message in pieces has ${completeWithinMs / 1_000} seconds`;

const refusals: { readonly [Why in Extract<Taken, `${'too' | 'contradicts'} ${string}`>]: readonly [number, string] } =
  {
    'too late': [CloseCode.ConnectionInitialisationTimeout, late],
    'too many': [messageTooBig, `At most ${chunkLimits.sender} pieces may wait`],
    'contradicts the others': [CloseCode.BadRequest, 'The pieces of a message say how many they are, all the same'],
  };

function refuse({ socket }: Connection, code: number, reason: string): null {
  close(socket, code, reason);
  return null;
}

function fail(app: App, { socket, request }: Connection, error: unknown) {
  const known = knownError(error);
  if (known) return close(socket, tryAgainLater, known.message);
  app.log.error('A piece of a message could not be kept.', { requestId: request.requestId, error });
  close(socket, CloseCode.InternalServerError, 'Internal server error');
}

/** Removes what was not completed in time, and ends the connection that began it, unless another one has completed it. */
async function expire(app: App, connection: Connection, unfinished: Unfinished): Promise<void> {
  const { socket, viewer } = connection;
  if (!viewer) return;
  const before = app.now().getTime() - completeWithinMs;
  const overdue = [...unfinished].filter(([, since]) => since <= before).map(([id]) => id);
  for (const id of overdue) {
    unfinished.delete(id);
    if (await dropChunks(app, viewer, id)) close(socket, CloseCode.ConnectionInitialisationTimeout, late);
  }
}
