import type { FetcherParams } from '@graphiql/toolkit';
import type { OperationDefinitionNode } from 'graphql';
import { createClient } from 'graphql-ws';
import { type Answer, addEvent, clearLive, setPhase } from './live.js';

/** Where the events of a subscription go. */
export interface Sink {
  next(result: Answer): void;
  error(error: unknown): void;
  complete(): void;
}

/**
 * Runs a subscription over a socket of its own and shows its state in `live`. A lost connection is tried again with
 * a fresh credential; an operation with a variable `after` goes on behind the last event it received.
 * Returns a function that ends it.
 */
export function subscribe(
  params: FetcherParams,
  operation: OperationDefinitionNode,
  authorization: () => Promise<string | null>,
  sink: Sink,
): () => void {
  let stopped = false;
  let accepted = false;
  let refusal: string | null = null;
  const client = createClient({
    url: `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/graphql`,
    connectionParams: async () => {
      const credential = await authorization();
      return credential ? { authorization: credential } : {};
    },
    retryAttempts: 10,
    // A credential that was refused at once will be refused again; one that was accepted before has only run out.
    shouldRetry: (cause) => isClosing(cause) && (accepted || cause.code !== forbidden),
    on: {
      connecting: (isRetry) => setPhase(isRetry ? 'reconnecting' : 'connecting'),
      connected: () => {
        accepted = true;
        setPhase('connected');
      },
      closed: () => {
        if (!stopped) setPhase('reconnecting');
      },
    },
  });

  clearLive('connecting');
  // The client sends this object again when it reconnects, so the cursor is kept up to date inside it.
  const payload = { ...params, variables: { ...params.variables } };
  const resumes = operation.variableDefinitions?.some(({ variable }) => variable.name.value === 'after') ?? false;
  client.subscribe<Record<string, unknown>>(payload, {
    next: (result) => {
      if (stopped) return;
      // Without data it is no event: the subscription did not begin.
      if (result.data === undefined) refusal = result.errors?.[0]?.message ?? null;
      else addEvent(result);
      const cursor = resumes ? cursorOf(result) : null;
      if (cursor) payload.variables.after = cursor;
      sink.next(result);
    },
    error: (cause) => {
      if (stopped) return;
      stopped = true;
      const problem = explain(cause);
      setPhase('failed', Array.isArray(problem) ? problem[0]?.message : problem.message);
      sink.error(problem);
    },
    complete: () => {
      if (stopped) return;
      stopped = true;
      if (refusal === null) setPhase('ended', 'The server ended the subscription');
      else setPhase('failed', refusal);
      sink.complete();
    },
  });

  return () => {
    if (!stopped) setPhase('idle');
    stopped = true;
    void client.dispose();
  };
}

const forbidden = 4403;

function isClosing(cause: unknown): cause is { code: number; reason: string } {
  return typeof cause === 'object' && cause !== null && 'code' in cause && 'reason' in cause;
}

/** Where to go on after this event; null when the operation does not ask for it. */
function cursorOf({ data }: Answer): string | null {
  const [event] = Object.values(data ?? {});
  if (typeof event !== 'object' || event === null) return null;
  const cursor = 'cursor' in event ? event.cursor : 'resumeFrom' in event ? event.resumeFrom : null;
  return typeof cursor === 'string' ? cursor : null;
}

/** What the response pane shows: the errors of the server as they are, anything else as one sentence. */
function explain(cause: unknown): { message: string } | { message: string }[] {
  if (Array.isArray(cause)) return cause;
  if (isClosing(cause)) {
    const reason = cause.reason || 'no reason given';
    return { message: `The connection was closed: ${reason} (code ${cause.code})` };
  }
  return { message: cause instanceof Error ? cause.message : 'The server could not be reached' };
}
