import { AccountSwitcher } from './account-switcher.js';
import { ConnectionState } from './connection-state.js';
import type { Identity } from './identity.js';
import type { Store } from './store.js';

interface TopBarProps {
  readonly identities: readonly Identity[];
  readonly identity: Store<Identity>;
  readonly problem: string | null;
}

/** The bar above the editor. Without a demo world there is nobody to choose from, and so no switcher. */
export function TopBar({ identities, identity, problem }: TopBarProps) {
  return (
    <header className="top-bar">
      <h1 className="brand">Canopy</h1>
      <a href="/schema.graphql">Schema</a>
      <div className="top-bar-end">
        {problem && <span role="alert">{problem}</span>}
        <ConnectionState />
        {identities.length > 1 && <AccountSwitcher identities={identities} identity={identity} />}
      </div>
    </header>
  );
}
