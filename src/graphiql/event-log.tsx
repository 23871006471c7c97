import { useGraphiQL } from '@graphiql/react';
import { useEffect, useRef } from 'react';
import { type Answer, clearLive, type LiveEvent, live } from './live.js';
import { useStore } from './store.js';

/** All events of the subscription, under the response, which shows one of them: the last, or the one that was chosen. */
export function EventLog() {
  const { phase, events, received } = useStore(live);
  const responseEditor = useGraphiQL((state) => state.responseEditor);
  const list = useRef<HTMLOListElement>(null);
  useEffect(() => {
    if (events.length > 0) list.current?.scrollTo({ top: list.current.scrollHeight });
  }, [events]);
  if (received === 0 && phase !== 'connected') return null;

  const show = ({ result }: LiveEvent) => responseEditor?.setValue(JSON.stringify(result, null, 2));
  return (
    <section id="event-log" className="event-log" aria-labelledby="event-log-title">
      <div className="event-log-head">
        <h2 id="event-log-title">Events</h2>
        {received > events.length && <span>the last {events.length}</span>}
        {received > 0 && (
          <button type="button" onClick={() => clearLive(phase)}>
            Clear
          </button>
        )}
      </div>
      {received === 0 && <p>Waiting for the first event.</p>}
      <ol ref={list}>
        {events.map((event) => (
          <li key={event.number}>
            <button type="button" onClick={() => show(event)}>
              <span className="event-number">{event.number}</span>
              <time dateTime={event.receivedAt.toISOString()}>{event.receivedAt.toLocaleTimeString()}</time>
              <span className="event-words">{inWords(event.result)}</span>
            </button>
          </li>
        ))}
      </ol>
    </section>
  );
}

const telling = ['type', '__typename', 'path', 'title', 'name', 'status'];

/** The few values of a result that tell one event from another. */
function inWords({ data, errors }: Answer): string {
  const found: string[] = [];
  const look = (value: unknown, depth: number) => {
    if (typeof value !== 'object' || value === null || depth > 3) return;
    const entries = Object.entries(value);
    for (const [key, inner] of entries) if (telling.includes(key) && typeof inner === 'string') found.push(inner);
    for (const [, inner] of entries) look(inner, depth + 1);
  };
  look(data, 0);
  const problem = errors?.[0]?.message;
  if (problem) found.push(problem);
  return [...new Set(found)].slice(0, 4).join(' · ') || Object.keys(data ?? {}).join(', ');
}
