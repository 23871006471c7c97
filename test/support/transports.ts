import { createClient as sseClient } from 'graphql-sse';
import { createClient as socketClient } from 'graphql-ws';
import { WebSocket } from 'ws';

/** What a subscription tells, as its client reads it. */
export interface Heard {
  // biome-ignore lint/suspicious/noExplicitAny: tests reach into answers of any form.
  readonly data?: any;
  readonly errors?: readonly { readonly message: string; readonly extensions: { readonly code: string } }[];
}

/** A way to follow, by the clients that people use. */
export interface Transport {
  readonly name: string;
  follow(url: string, headers: Record<string, string>, query: string, variables?: Record<string, unknown>): Followed;
}

export type Followed = ReturnType<typeof followed>;

const patienceMs = 20_000;

function within<T>(promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('Nothing was heard.')), patienceMs);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

function followed(results: AsyncIterator<Heard>, leave: () => unknown, refused: () => Response | null = () => null) {
  return {
    /** The next result; null when it is over. Rejects as its client does. */
    async next(): Promise<Heard | null> {
      const { done, value } = await within(results.next());
      return done ? null : value;
    },
    /** Passes over results until one fits. */
    async hear(fits: (data: NonNullable<Heard['data']>) => boolean): Promise<Heard> {
      for (;;) {
        const result = await this.next();
        if (!result || result.errors) throw new Error(`It ended before that, with ${JSON.stringify(result)}`);
        if (fits(result.data)) return result;
      }
    },
    /** Reads to the end: what was heard on the way, and the code of the error that ended it; null when none did. */
    async end(): Promise<{ heard: Heard[]; code: string | null }> {
      const heard: Heard[] = [];
      let code: string | null = null;
      try {
        for (let result = await this.next(); result; result = await this.next()) {
          if (result.errors) code = result.errors[0]?.extensions.code ?? 'none';
          else heard.push(result);
        }
      } catch (error) {
        code ??= await codeOf(refused() ? { response: refused() } : error);
      }
      return { heard, code };
    },
    leave,
  };
}

/** What a client rejects with: the errors of the server, the close of a socket, or an answer of HTTP. */
async function codeOf(error: unknown): Promise<string> {
  if (Array.isArray(error)) return error[0].extensions.code;
  const { code, response, message } = error as { code?: number; response?: Response; message?: string };
  if (code !== undefined) return `closed with ${code}`;
  if (!response) return `${message}`;
  const body = (await response.json()) as { errors: { extensions: { code: string } }[] };
  return body.errors[0]?.extensions.code ?? 'none';
}

const overSse = (singleConnection: boolean): Transport['follow'] => {
  return (url, headers, query, variables = {}) => {
    const mode = singleConnection ? { singleConnection: true as const } : { singleConnection: false as const };
    let refused: Response | null = null;
    // Before it gives the answer away, the client ends the reading of it.
    const fetchFn = async (...request: Parameters<typeof fetch>) => {
      const response = await fetch(...request);
      if (!response.ok) refused = new Response(await response.clone().text());
      return response;
    };
    const client = sseClient({
      ...mode,
      url: `${url}/graphql/stream`,
      headers: { ...headers },
      retryAttempts: 0,
      fetchFn,
    });
    const results = client.iterate({ query, variables }) as AsyncIterator<Heard>;
    return followed(
      results,
      () => client.dispose(),
      () => refused,
    );
  };
};

const boundary = '\r\n--graphql';

async function* parts(url: string, body: object, headers: Record<string, string>, signal: AbortSignal) {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'multipart/mixed;boundary="graphql";subscriptionSpec=1.0,application/json',
      ...headers,
    },
    body: JSON.stringify(body),
    signal,
  });
  if (!response.headers.get('content-type')?.startsWith('multipart/mixed')) throw { response };
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    for (let at = text.indexOf(boundary); at >= 0; at = text.indexOf(boundary)) {
      const [, json] = text.slice(0, at).split('\r\n\r\n');
      text = text.slice(at + boundary.length);
      if (json === undefined || json === '{}') continue;
      const { payload, errors } = JSON.parse(json) as { payload: Heard | null; errors?: Heard['errors'] };
      yield payload ?? ({ errors } as Heard);
    }
  }
  if (!text.startsWith('--')) throw new Error('The last part is missing.');
}

/** Every way to follow. */
export const transports: readonly Transport[] = [
  {
    name: 'WebSocket',
    follow(url, headers, query, variables = {}) {
      const client = socketClient({
        url: `${url.replace('http', 'ws')}/graphql`,
        webSocketImpl: WebSocket,
        connectionParams: headers,
        retryAttempts: 0,
      });
      return followed(client.iterate({ query, variables }) as AsyncIterator<Heard>, () => client.terminate());
    },
  },
  { name: 'SSE, a stream each', follow: overSse(false) },
  { name: 'SSE, one stream', follow: overSse(true) },
  {
    name: 'multipart',
    follow(url, headers, query, variables = {}) {
      const control = new AbortController();
      return followed(parts(url, { query, variables }, headers, control.signal), () => control.abort());
    },
  },
];
