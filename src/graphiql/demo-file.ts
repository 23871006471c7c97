import type { DemoWorld } from './demo-world.js';

/** The demo world of this server; null when it has none. */
export async function loadDemoWorld(): Promise<DemoWorld | null> {
  const response = await fetch('/graphiql/demo.json', { credentials: 'omit' });
  if (response.status === 404) return null;
  if (!response.ok) throw new Error(`The demo accounts could not be loaded (HTTP ${response.status}).`);
  return response.json();
}
