import { useEffect, useState } from 'react';
import type { Identity } from './identity.js';
import { type Store, useStore } from './store.js';

interface AccountSwitcherProps {
  readonly identities: readonly Identity[];
  readonly identity: Store<Identity>;
}

const groups = [
  { kind: 'account', label: 'Accounts' },
  { kind: 'key', label: 'API keys' },
  { kind: 'nobody', label: 'Signed out' },
] as const;

/** Chooses who sends the operations, and says when signing in as them did not work. */
export function AccountSwitcher({ identities, identity }: AccountSwitcherProps) {
  const current = useStore(identity);
  const problem = useSignInProblem(current);
  const choose = (id: string) => {
    const chosen = identities.find((one) => one.id === id);
    if (chosen) identity.set(chosen);
  };
  return (
    <div className="account">
      <span id="account-problem" role="alert" title={problem ?? undefined}>
        {problem}
      </span>
      <label htmlFor="account-switcher">Acting as</label>
      <select
        id="account-switcher"
        aria-describedby="account-problem"
        value={current.id}
        onChange={(event) => choose(event.target.value)}
      >
        {groups.map(({ kind, label }) => (
          <optgroup key={kind} label={label}>
            {identities
              .filter((one) => one.kind === kind)
              .map((one) => (
                <option key={one.id} value={one.id}>
                  {one.label}
                </option>
              ))}
          </optgroup>
        ))}
      </select>
    </div>
  );
}

/** Signs in as soon as somebody is chosen, so that a problem shows here and not in the first answer. */
function useSignInProblem(identity: Identity): string | null {
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    let chosen = true;
    setProblem(null);
    identity.authorization().catch((cause: unknown) => {
      if (chosen) setProblem(cause instanceof Error ? cause.message : String(cause));
    });
    return () => {
      chosen = false;
    };
  }, [identity]);
  return problem;
}
