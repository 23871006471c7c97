import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './process.js';

/** What Redis answers: RESP 2, without its errors, which reject. */
export type Reply = string | number | null | readonly Reply[];

/** A connection to Redis. */
export interface RedisConnection {
  /** Sends a command and answers what comes back; in the order of the calls. Rejects with the error of the server, or when it is gone. */
  call(command: readonly string[]): Promise<Reply>;
  /** Called with whatever comes without being asked for. */
  onPush: (reply: Reply) => void;
  readonly isOpen: boolean;
  end(): void;
}

/** Debian's Redis, as a process of its own that keeps nothing. */
export interface RedisServer {
  connect(): RedisConnection;
  /** Ends it as `kill -9` does. */
  kill(): Promise<void>;
  /** Starts it again, at the same port. */
  start(): Promise<void>;
}

const patienceMs = 15_000;

/** Starts one. */
export async function redisServer(): Promise<RedisServer> {
  const port = await freePort();
  let child: ChildProcess | null = null;
  const server: RedisServer = {
    connect: () => redisConnection(port),
    async kill() {
      if (!child || child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
    async start() {
      child = await spawned(port);
      await answering(port);
    },
  };
  await server.start();
  return server;
}

async function spawned(port: number): Promise<ChildProcess> {
  const options = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  const child = spawn('redis-server', options, { cwd: tmpdir(), stdio: 'ignore' });
  process.once('exit', () => child.kill('SIGKILL'));
  try {
    await once(child, 'spawn');
  } catch (cause) {
    throw new Error("These tests need redis-server: install Debian's package redis-server, as .ci/run does.", {
      cause,
    });
  }
  return child;
}

async function answering(port: number): Promise<void> {
  for (const until = Date.now() + patienceMs; ; await sleep(20)) {
    const connection = redisConnection(port);
    try {
      await connection.call(['PING']);
      return;
    } catch (error) {
      if (Date.now() > until) throw error;
    } finally {
      connection.end();
    }
  }
}

function redisConnection(port: number): RedisConnection {
  const socket = connect(port, '127.0.0.1');
  const asked: { resolve(reply: Reply): void; reject(error: Error): void }[] = [];
  let received = Buffer.alloc(0);
  const connection: RedisConnection = {
    call: (command) =>
      new Promise((resolve, reject) => {
        if (socket.destroyed) return reject(new Error('Redis is gone.'));
        asked.push({ resolve, reject });
        const parts = command.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`);
        socket.write(`*${command.length}\r\n${parts.join('')}`);
      }),
    onPush() {},
    get isOpen() {
      return !socket.destroyed;
    },
    end: () => void socket.destroy(),
  };
  socket.setNoDelay();
  socket.on('error', () => socket.destroy());
  socket.on('close', () => {
    for (const { reject } of asked.splice(0)) reject(new Error('Redis is gone.'));
  });
  socket.on('data', (bytes) => {
    received = Buffer.concat([received, bytes]);
    for (let read = readReply(received, 0); read; read = readReply(received, 0)) {
      received = received.subarray(read.end);
      const next = asked.shift();
      if (!next) connection.onPush(read.reply instanceof Error ? null : read.reply);
      else if (read.reply instanceof Error) next.reject(read.reply);
      else next.resolve(read.reply);
    }
  });
  return connection;
}

/** The reply that begins at `at`, and where it ends; null while it is not all there. */
function readReply(bytes: Buffer, at: number): { reply: Reply | Error; end: number } | null {
  const line = bytes.indexOf('\r\n', at);
  if (line === -1) return null;
  const head = bytes.toString('utf8', at + 1, line);
  const end = line + 2;
  const kind = String.fromCharCode(bytes[at] ?? 0);
  if (kind === '+') return { reply: head, end };
  if (kind === '-') return { reply: new Error(head), end };
  if (kind === ':') return { reply: Number(head), end };
  const length = Number(head);
  if (length === -1) return { reply: null, end };
  if (kind === '$')
    return bytes.length < end + length + 2
      ? null
      : { reply: bytes.toString('utf8', end, end + length), end: end + length + 2 };
  return readArray(bytes, end, length);
}

function readArray(bytes: Buffer, start: number, length: number): { reply: Reply; end: number } | null {
  const reply: Reply[] = [];
  let end = start;
  for (let left = length; left > 0; left -= 1) {
    const item = readReply(bytes, end);
    if (!item) return null;
    reply.push(item.reply instanceof Error ? item.reply.message : item.reply);
    end = item.end;
  }
  return { reply, end };
}
