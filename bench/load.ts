import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** What the load process is told to send. */
export interface LoadOrder {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly bodies: readonly string[];
  /** So many at a time, the next as soon as one is answered; or so many a second, whether or not the others are answered. */
  readonly pace: { readonly concurrency: number } | { readonly perSecond: number };
}

/** How it went. */
export interface LoadReport {
  /** Of each answer in milliseconds; at a fixed pace counted from when the request was due. */
  readonly latencies: number[];
  readonly seconds: number;
  readonly failures: number;
  /** The first of them. */
  readonly failure: string | null;
}

/** The process of its own that sends: a light client that does not share the CPU account of any system. */
function answerOrders(): void {
  process.on('message', (order: LoadOrder) => {
    send(order).then(
      (report) => process.send?.(report),
      (error: unknown) => {
        throw error;
      },
    );
  });
}

async function send({ url, headers, bodies, pace }: LoadOrder): Promise<LoadReport> {
  const agent = new Agent({ keepAlive: true, maxSockets: 'concurrency' in pace ? pace.concurrency : 512 });
  const latencies: number[] = [];
  const failures: string[] = [];
  const began = performance.now();
  const one = async (body: string, due: number) => {
    const failure = await post(agent, url, headers, body);
    latencies.push(performance.now() - due);
    if (failure) failures.push(failure);
  };
  if ('concurrency' in pace) {
    let next = 0;
    const worker = async () => {
      for (let body = bodies[next++]; body !== undefined; body = bodies[next++]) await one(body, performance.now());
    };
    await Promise.all(Array.from({ length: pace.concurrency }, worker));
  } else {
    const open: Promise<void>[] = [];
    for (const [at, body] of bodies.entries()) {
      const due = began + (at * 1_000) / pace.perSecond;
      const early = due - performance.now();
      if (early > 0) await sleep(early);
      open.push(one(body, due));
    }
    await Promise.all(open);
  }
  agent.destroy();
  return {
    latencies,
    seconds: (performance.now() - began) / 1_000,
    failures: failures.length,
    failure: failures[0] ?? null,
  };
}

/** Null for a good answer; the beginning of any other. */
function post(agent: Agent, url: string, headers: LoadOrder['headers'], body: string): Promise<string | null> {
  return new Promise((resolve) => {
    const outgoing = request(
      url,
      { agent, method: 'POST', headers: { ...headers, 'content-length': Buffer.byteLength(body) } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', (error) => resolve(error.message));
        response.on('end', () => {
          const answer = Buffer.concat(chunks);
          const good = response.statusCode === 200 && !answer.includes('"errors"');
          resolve(good ? null : `${response.statusCode} ${answer.subarray(0, 300)}`);
        });
      },
    );
    outgoing.on('error', (error) => resolve(error.message));
    outgoing.end(body);
  });
}

if (process.send) answerOrders();
