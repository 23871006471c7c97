import type { DemoAccount, DemoWorld } from './demo-world.js';
import { createStore, type Store } from './store.js';

/** Someone the page can act as. */
export interface Identity {
  /** Survives a reload of the page; holds no secret. */
  readonly id: string;
  readonly label: string;
  readonly kind: 'account' | 'key' | 'nobody';
  /** The value of the Authorization header, renewed in time; null for nobody. Rejects when signing in fails. */
  authorization(): Promise<string | null>;
}

/** A token this close to its end is renewed before it is used. */
const renewBeforeMs = 60_000;

export const nobody: Identity = {
  id: 'nobody',
  label: 'Nobody (anonymous)',
  kind: 'nobody',
  authorization: async () => null,
};

/** Everyone the page can act as: the accounts, then the keys, then nobody. */
export function identitiesOf(world: DemoWorld): readonly Identity[] {
  const accounts = world.accounts.map((account): Identity => {
    return { id: account.email, label: account.name, kind: 'account', authorization: signedIn(account) };
  });
  const keys = world.apiKeys.map(({ name, key }): Identity => {
    return { id: `key:${name}`, label: name, kind: 'key', authorization: async () => `Bearer ${key}` };
  });
  return [...accounts, ...keys, nobody];
}

const storageKey = 'canopy:identity';

/** Who the page acts as, remembered in this browser; at first the first of `identities`. */
export function rememberedIdentity(identities: readonly Identity[]): Store<Identity> {
  const remembered = localStorage.getItem(storageKey);
  const store = createStore(identities.find(({ id }) => id === remembered) ?? identities[0] ?? nobody);
  store.subscribe(() => localStorage.setItem(storageKey, store.get().id));
  return store;
}

/** Signs in on first use; then asks for a new token whenever the last is about to end. */
function signedIn(account: DemoAccount): () => Promise<string> {
  let session: string | null = null;
  let token: Token | null = null;
  let asked: Promise<string> | null = null;

  const renew = async () => {
    token = session === null ? null : await accessToken(session);
    if (token) return token.header;
    session = await signIn(account);
    token = await accessToken(session);
    if (token) return token.header;
    throw new Error(`The session of ${account.name} was refused.`);
  };

  return async () => {
    if (token && token.expiresAt - renewBeforeMs > Date.now()) return token.header;
    asked ??= renew().finally(() => {
      asked = null;
    });
    return asked;
  };
}

async function signIn({ name, email, password }: DemoAccount): Promise<string> {
  const response = await fetch('/api/auth/sign-in/email', {
    method: 'POST',
    // Without cookies the page carries one credential only: the one that is shown.
    credentials: 'omit',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email, password }),
  });
  if (!response.ok) throw new Error(`${name} could not sign in (HTTP ${response.status}).`);
  const { token }: { token: string } = await response.json();
  return token;
}

interface Token {
  readonly header: string;
  readonly expiresAt: number;
}

/** Null when the session has ended. */
async function accessToken(session: string): Promise<Token | null> {
  const headers = { authorization: `Bearer ${session}` };
  const response = await fetch('/api/auth/token', { credentials: 'omit', headers });
  if (response.status === 401) return null;
  if (!response.ok) throw new Error(`No access token (HTTP ${response.status}).`);
  const { token }: { token: string } = await response.json();
  return { header: `Bearer ${token}`, expiresAt: expiryOf(token) };
}

function expiryOf(token: string): number {
  const payload = token.split('.')[1] ?? '';
  const claims: { exp?: number } = JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/')));
  return (claims.exp ?? 0) * 1000;
}
