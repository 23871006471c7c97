import type { ServerResponse } from 'node:http';
import type { ExecutionArgs, GraphQLFormattedError } from 'graphql';
import type { ErrorCode } from '../../generated/graphql.js';
import type { Carrier, Connection } from '../socket/connection.js';
import type { Road, Told } from '../subscriptions/road.js';
import type { Form } from './form.js';
import { type Outlet, outletOf } from './outlet.js';

/** A connection over HTTP: an answer that goes on, or a place kept for one, and the subscriptions that run on it. */
export interface Stream {
  readonly connection: Connection;
  /** How many subscriptions run. */
  readonly running: number;
  has(id: string): boolean;
  readonly isAnswered: boolean;
  /** Gives it the answer that carries what was and will be said. */
  answer(response: ServerResponse): void;
  /** Says one thing. */
  say(text: string): Promise<void>;
  /** Runs what was prepared until it is over. */
  run(id: string, args: ExecutionArgs): Promise<void>;
  stop(id: string): void;
  /** Ends it when all has been said. */
  end(): void;
}

/** A stream without an answer as yet. */
export function streamOf(road: Road, form: Form, from: Omit<Connection, 'socket'>): Stream {
  const running = new Map<string, AbortController>();
  /** Those that were told where to resume. */
  const told = new Set<string>();
  const closing = new AbortController();
  let outlet: Outlet | null = null;
  let begin = () => {};
  const begun = new Promise<void>((resolve) => (begin = resolve));

  /** Frees all at once. */
  function leave(): void {
    closing.abort();
    for (const stopping of running.values()) stopping.abort();
    running.clear();
    begin();
  }

  function end(last: string): void {
    outlet?.end(last + form.end);
    leave();
  }

  const socket: Carrier = {
    OPEN: 1,
    get readyState() {
      return closing.signal.aborted ? 3 : 1;
    },
    close(code, reason) {
      if (closing.signal.aborted) return;
      const error = farewell(code, reason, from.request.requestId);
      const untold = [...running.keys()].filter((id) => !told.has(id));
      end(untold.map((id) => form.cut(id, error)).join(''));
    },
    once: (_, gone) => closing.signal.addEventListener('abort', gone, { once: true }),
  };

  async function say(text: string): Promise<void> {
    await begun;
    await outlet?.send(text);
  }

  /** A result; or, where it says where to resume, the last word. */
  function textOf(id: string, result: Told): string {
    const [error] = result.errors ?? [];
    if (error?.extensions?.['resumeFrom'] === undefined) return form.next(id, result);
    told.add(id);
    return form.cut(id, error);
  }

  async function run(id: string, args: ExecutionArgs): Promise<void> {
    if (closing.signal.aborted) return;
    const stopping = new AbortController();
    running.set(id, stopping);
    try {
      await road.tell(args, (result) => say(textOf(id, result)), stopping.signal);
      if (!stopping.signal.aborted) await say(form.complete(id));
    } finally {
      if (running.get(id) === stopping) running.delete(id);
    }
  }

  return {
    connection: { ...from, socket },
    get running() {
      return running.size;
    },
    has: (id) => running.has(id),
    get isAnswered() {
      return outlet !== null;
    },
    answer(response) {
      // Who left while we looked up who they are is not told of again.
      if (response.destroyed || closing.signal.aborted) return leave();
      response.once('close', leave);
      outlet = outletOf(response, form);
      begin();
    },
    say,
    run,
    stop(id) {
      running.get(id)?.abort();
      running.delete(id);
    },
    end: () => end(''),
  };
}

const codes: Readonly<Record<number, ErrorCode>> = { 1001: 'SERVICE_UNAVAILABLE', 4403: 'UNAUTHENTICATED' };

/** What the close of a socket says, as an error. */
function farewell(status: number, message: string, requestId: string): GraphQLFormattedError {
  const code = codes[status] ?? 'INTERNAL_SERVER_ERROR';
  return { message, extensions: { code, ...(code === 'SERVICE_UNAVAILABLE' && { retryable: true }), requestId } };
}
