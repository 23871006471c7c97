import { type Live, live } from './live.js';
import { useStore } from './store.js';

const words: Record<Live['phase'], string> = {
  idle: 'Not subscribed',
  connecting: 'Connecting…',
  connected: 'Live',
  reconnecting: 'Connection lost, trying again…',
  ended: 'Ended',
  failed: 'Failed',
};

/** Says how the subscription is doing; read out when it changes. */
export function ConnectionState() {
  const { phase, note, received } = useStore(live);
  const count = received === 1 ? '1 event' : `${received} events`;
  return (
    <div id="connection-state" className="connection" data-phase={phase}>
      <span role="status" title={note ?? undefined}>
        {note ?? words[phase]}
      </span>
      {(received > 0 || phase === 'connected') && <span className="connection-count">{count}</span>}
    </div>
  );
}
