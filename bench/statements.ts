import type { AddressInfo } from 'node:net';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunDatabase } from './data/database.js';
import { bodyOf, type Operation } from './operations.js';
import type { Running } from './server-process.js';
import type { System } from './systems.js';

const calls = 5;
const warmUp = 12;
// Far from the calls that are measured, and from those that are compared.
const firstCall = 700_000;

/**
 * How many statements a system sends to the database until it has answered, for each operation, the `begin` and the
 * `commit` of a transaction included. Counted on the wire, so it holds for every system alike; work that a system puts
 * off until after the answer is not in it.
 */
export async function countStatements(
  system: System,
  operations: readonly Operation[],
  database: RunDatabase,
): Promise<Map<string, number>> {
  const counter = await countingProxy(database.url);
  let server: Running | null = null;
  try {
    server = await system.start(counter.url);
    const counts = new Map<string, number>();
    for (const operation of operations) {
      const seen: number[] = [];
      for (let call = firstCall; call < firstCall + warmUp + calls; call += 1) {
        // Work that was put off from the call before must not fall into this one.
        if (call >= firstCall + warmUp) await sleep(60);
        const before = counter.statements();
        const body = bodyOf(operation, call, database.nodes);
        const response = await fetch(server.url, { method: 'POST', headers: server.headers, body });
        await response.arrayBuffer();
        if (call >= firstCall + warmUp) seen.push(counter.statements() - before);
      }
      counts.set(operation.id, seen.sort((a, b) => a - b)[Math.floor(calls / 2)] ?? 0);
    }
    return counts;
  } finally {
    await server?.stop();
    counter.close();
  }
}

interface CountingProxy {
  readonly url: string;
  statements(): number;
  close(): void;
}

/** Passes everything on to the database and counts the messages that make it run a statement. */
async function countingProxy(databaseUrl: string): Promise<CountingProxy> {
  const target = new URL(databaseUrl);
  const open = new Set<Socket>();
  let count = 0;
  const server = createServer((client) => {
    const database = connect({ host: target.hostname, port: Number(target.port || 5432), noDelay: true });
    client.setNoDelay(true);
    const read = statementCounter(() => {
      count += 1;
    });
    client.on('data', read);
    client.pipe(database).pipe(client);
    for (const socket of [client, database]) {
      open.add(socket);
      socket.on('close', () => open.delete(socket));
      // An end without a goodbye is an end.
      socket.on('error', () => [client, database].map((one) => one.destroy()));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = new URL(databaseUrl);
  url.hostname = '127.0.0.1';
  url.port = `${(server.address() as AddressInfo).port}`;
  const close = () => {
    server.close();
    for (const socket of open) socket.destroy();
  };
  return { url: url.href, statements: () => count, close };
}

const execute = 'E'.charCodeAt(0);
const query = 'Q'.charCodeAt(0);

/** Reads what a client sends: a first message without a type, then one byte of type and four of length before each. */
function statementCounter(counted: () => void): (chunk: Buffer) => void {
  let rest = Buffer.alloc(0);
  let started = false;
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    for (;;) {
      const head = started ? 1 : 0;
      if (rest.length < head + 4) return;
      const end = head + rest.readUInt32BE(head);
      if (rest.length < end) return;
      if (started && (rest[0] === execute || rest[0] === query)) counted();
      started = true;
      rest = rest.subarray(end);
    }
  };
}
