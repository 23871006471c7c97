import { createClient } from 'graphql-sse';
import { type GraphqlError, OperationError } from './client.js';
import { type Credential, renewalOf } from './credential.js';
import { type Answer, Disconnection, type Transport, type Watch } from './transport.js';

export interface SseOptions {
  /** The address of /graphql. */
  readonly url: string;
  readonly credential?: Credential | undefined;
  readonly watch: Watch;
}

/** The server says something at least every twelve seconds; whoever hears nothing for longer is no more connected. */
const silenceMs = 30_000;

/** Subscriptions over server-sent events, an answer for each. */
export function sseTransport({ url, credential, watch }: SseOptions): Transport {
  const running = new Set<(kind: 'planned' | 'final') => void>();

  return {
    subscribe(request, sink) {
      const leaving = new AbortController();
      let renewal: ReturnType<typeof setTimeout> | undefined;
      /** What the server refused the request with. */
      let refusal: Error | null = null;

      const headers = async (): Promise<Record<string, string>> => {
        const token = await credential?.();
        const inMs = token === undefined ? null : renewalOf(token);
        if (inMs !== null && !leaving.signal.aborted) renewal = setTimeout(() => end('planned'), inMs);
        return token === undefined ? {} : { authorization: `Bearer ${token}` };
      };
      const client = createClient({
        url: `${url}/stream`,
        headers,
        retryAttempts: 0,
        async fetchFn(...asked: Parameters<typeof fetch>) {
          const response = await fetch(...asked);
          if (response.ok) return watched(response, leaving.signal);
          refusal = await refusalOf(response);
          return response;
        },
        on: { connecting: () => watch.connecting(), connected: () => watch.connected() },
      });

      /** Says nothing more to the sink but this, and lets go of the answer. */
      function finish(tell: () => void): void {
        if (leaving.signal.aborted) return;
        leaving.abort();
        clearTimeout(renewal);
        running.delete(end);
        client.dispose();
        tell();
      }
      function rest(): void {
        if (running.size === 0) watch.disconnected(new Disconnection('final', 'Nothing is followed.', normal));
      }
      function fail(error: Error): void {
        finish(() => {
          if (error instanceof Disconnection) watch.disconnected(error);
          else rest();
          sink.failed(error);
        });
      }
      const end = (kind: 'planned' | 'final') => fail(new Disconnection(kind, 'The client has ended the connection.'));

      running.add(end);
      client.subscribe<unknown>(
        { query: request.query, variables: request.variables() },
        {
          next(result) {
            if (leaving.signal.aborted) return;
            const { errors } = result as Answer;
            // A credential that was let in has only run out; without one, the server says what it wants.
            if (credential && errors?.some(({ extensions }) => extensions?.code === 'UNAUTHENTICATED'))
              fail(new Disconnection('passing', 'The credential counts no more.'));
            else sink.next(result as Answer);
          },
          error: (cause) => fail(refusal ?? new Disconnection('passing', reasonOf(cause), null, cause)),
          complete: () =>
            finish(() => {
              rest();
              sink.completed();
            }),
        },
      );
      return () => finish(rest);
    },
    close(kind) {
      for (const end of [...running]) end(kind);
    },
  };
}

/** As a WebSocket that is closed by who opened it. */
const normal = 1_000;

const reasonOf = (cause: unknown) =>
  `The connection ended: ${cause instanceof Error ? cause.message : 'no reason given'}.`;

/** What an answer says that is no stream: the errors of the server, or those of something on the way, which may be better soon. */
async function refusalOf(response: Response): Promise<Error> {
  const text = await response.clone().text();
  const isJson = response.headers.get('content-type')?.includes('json') ?? false;
  const { errors } = (isJson ? JSON.parse(text) : {}) as { errors?: GraphqlError[] };
  if (errors) return new OperationError(errors);
  const kind = response.status >= 500 || response.status === 429 ? 'passing' : 'final';
  return new Disconnection(kind, `The server answered HTTP ${response.status}.`, response.status);
}

/** The same answer; reading it fails when nothing has come for too long. */
function watched(response: Response, signal: AbortSignal): Response {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const through = new TransformStream<Uint8Array, Uint8Array>({
    start: (controller) => wait(controller),
    transform(bytes, controller) {
      wait(controller);
      controller.enqueue(bytes);
    },
    flush: () => clearTimeout(timer),
  });
  function wait(controller: TransformStreamDefaultController<Uint8Array>): void {
    clearTimeout(timer);
    timer = setTimeout(() => controller.error(new Error('nothing was heard')), silenceMs);
  }
  signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
  return new Response(response.body?.pipeThrough(through), { status: response.status, headers: response.headers });
}
