import type { TypedDocumentString } from '../generated/client.js';
import type { BackOff } from './back-off.js';
import { OperationError } from './client.js';
import { type Deliveries, delivered, placeOf, type Resumable } from './cursor.js';
import { type Answer, Disconnection, type Transport } from './transport.js';

/** How many deliveries may wait for whoever takes them; then the server is left, and asked to go on when they are taken. */
const mostWaiting = 1_000;

/** What has come in one attempt and nobody has taken yet, and how it ended. */
interface Attempt<Result> {
  /** The next result; afterwards, how it ended: `over` for good, `again` when there is more to ask for, or with an error. */
  next(): Promise<{ readonly result: Result } | 'over' | 'again'>;
  end(): void;
}

/**
 * The results of a subscription through any number of connections: after each loss it goes on behind the last one that came. Ends when the server
 * completes it or `signal` is aborted; throws what the server refuses for good.
 */
export async function* results<Result extends Deliveries, Variables extends Resumable>(
  { transport, pauses }: { readonly transport: Transport; readonly pauses: BackOff },
  document: TypedDocumentString<Result, Variables>,
  variables: Variables,
  signal: AbortSignal,
): AsyncGenerator<Result, void, void> {
  const place = { after: variables.after ?? null };
  const known = delivered();
  const query = document.toString();
  while (!signal.aborted) {
    const current = begin<Result>(transport, { query, variables: () => ({ ...variables, ...place }) }, place, signal);
    try {
      for (;;) {
        const next = await current.next();
        if (next === 'over') return;
        if (next === 'again') break;
        pauses.reset();
        if (known.isNew(placeOf(next.result))) yield next.result;
      }
    } catch (error) {
      if (!isPassing(error)) throw error;
      if (!(error instanceof Disconnection && error.kind === 'planned')) await pauses.wait(signal);
    } finally {
      current.end();
    }
  }
}

const isPassing = (error: unknown) =>
  error instanceof Disconnection
    ? error.kind !== 'final'
    : error instanceof OperationError && error.errors.some(({ extensions }) => extensions?.['retryable'] === true);

function begin<Result extends Deliveries>(
  transport: Transport,
  request: { readonly query: string; variables(): Record<string, unknown> },
  place: { after: string | null },
  signal: AbortSignal,
): Attempt<Result> {
  const waiting: Result[] = [];
  let ending: 'over' | 'again' | Error | null = null;
  let wake = () => {};
  const end = (how: 'over' | 'again' | Error) => {
    ending ??= how;
    leave();
    wake();
  };
  const stop = () => end('over');

  function take({ data, errors }: Answer) {
    if (ending !== null) return;
    if (errors || data == null) {
      // A server that goes away says where to resume, also to those who have had nothing yet.
      const from = errors?.[0]?.extensions?.['resumeFrom'];
      if (typeof from === 'string') place.after = from;
      return end(new OperationError(errors ?? []));
    }
    const result = data as Result; // as the types of the document say
    const at = placeOf(result);
    if ('resumeFrom' in at) {
      place.after = at.resumeFrom;
      return end('again');
    }
    place.after = at.cursor;
    if (waiting.push(result) >= mostWaiting) end('again');
    wake();
  }

  // A transport tells nothing before it has returned.
  const leave = transport.subscribe(request, {
    next: take,
    failed: end,
    completed: () => end('over'),
  });
  signal.addEventListener('abort', stop, { once: true });

  return {
    async next() {
      for (;;) {
        const result = waiting.shift();
        if (result) return { result };
        if (ending instanceof Error) throw ending;
        if (ending) return ending;
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },
    end() {
      signal.removeEventListener('abort', stop);
      leave();
    },
  };
}
